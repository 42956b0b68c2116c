"""`bartizan simulate`, `land` and `reconcile`: raw logs, and whether all of them are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console

from bartizan import jobs
from bartizan.errors import ValidationFailed
from bartizan.model.reconciliation import Verdict
from bartizan.model.window import Window, format_time, given_window
from bartizan.terminal import (
    AsJson,
    End,
    Home,
    LakeFolder,
    Source,
    Start,
    configure,
    fields,
    show,
    table,
)

console = Console(stderr=True)
RENAMED = {
    "objects_known": "objects known",
    "rule_hits": "rule hits",
    "hours": "hours changed",
    "closed": "hours too late",
    "rejected": "batches rejected",
    "changed": "objects changed",
}


def simulate(
    start: Annotated[str, typer.Option(help="First UTC day.")] = "2026-11-01",
    days: Annotated[int, typer.Option(min=1, help="How many days; attacks fall on the last.")] = 16,
    records_per_day: Annotated[int, typer.Option(min=1, help="Over all web ACLs.")] = 70_000,
    seed: Annotated[int, typer.Option(help="Another seed, another traffic.")] = 1,
    home: Home = None,
    source: Source = None,
    as_json: AsJson = False,
) -> None:
    """Write WAF logs with labelled attacks in AWS's format and S3 layout."""
    configure(home, source, needs_home=False)
    plan = {"start": start, "days": days, "records_per_day": records_per_day, "seed": seed}
    with console.status("simulating") as status:
        done = jobs.simulate(lambda done, of: status.update(f"{done} of {of} days"), **plan)
    show(done, [f"simulated in {jobs.settings().source}", *fields(done)], as_json)


def land(
    start: Annotated[str | None, typer.Option(help="Only objects delivered from here on.")] = None,
    end: Annotated[str | None, typer.Option(help="Only objects delivered before this.")] = None,
    home: Home = None,
    source: Source = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Land raw logs: decode, quarantine what is bad, validate, publish. Nothing lands twice."""
    configure(home, source, lake, needs_home=False)
    window = given_window(start, end) if start or end else None
    with console.status("listing objects") as status:
        report = jobs.land(window, lambda done, of: status.update(f"staged {done} of {of} batches"))
    found = report.as_json()
    show(found, _landed(found), as_json)
    for batch_id, reason in report.rejected:
        raise ValidationFailed(f"batch {batch_id}", reason, "nothing of it was published")


def reconcile(
    start: Start,
    end: End,
    home: Home = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare landed requests with AWS WAF's own counters in CloudWatch, hour by hour.

    Asks AWS, with the credentials that boto3 finds, and writes nothing there. Hours whose logs may
    still be delivered wait. Without --json only hours that are not complete are listed.
    """
    configure(home, lake=lake)
    window = Window.parse(start, end)
    with console.status("counting landed requests") as status:
        done = jobs.reconcile(
            window, lambda done, of: status.update(f"asked {done} of {of} accounts and regions")
        )
    hours = [
        {
            "webacl": one.webacl_id,
            "hour": format_time(one.hour),
            "logged": one.in_log,
            "counted": one.in_counters,
            "missing": one.missing,
            "share": round(one.share, 4),
            "verdict": one.verdict.value,
            "metric_name": one.metric_name,
            "named_by": one.named_by,
            "by_action": {"logged": one.logged, "counted": one.counted},
        }
        for one in done.compared
    ]
    failures = [str(failure) for failure in done.failures]
    found = {"hours": hours, "waiting": done.waiting, "failures": failures}
    show(found, _reconciled(found), as_json)
    if done.failures:
        raise done.failures[0]


def _landed(found: dict[str, Any]) -> Iterator[str]:
    yield f"landed from {jobs.settings().source}"
    counts = {name: len(x) if isinstance(x, list) else x for name, x in found.items()}
    del counts["quarantine"]  # that is `quarantined`, one by one
    yield from fields({RENAMED.get(name, name): number for name, number in counts.items()})
    if not found["objects"] and not found["objects_known"]:
        yield "nothing to land there: no object with a log in it, in this window"
    if found["quarantined"]:
        yield "`bartizan status` counts what was quarantined, by reason"


def _reconciled(found: dict[str, Any]) -> Iterator[str]:
    differing = [hour for hour in found["hours"] if hour["verdict"] != Verdict.COMPLETE]
    names = ("webacl", "hour", "logged", "counted", "missing", "share", "verdict", "named_by")
    yield from table([{name: hour[name] for name in names} for hour in differing])
    yield from (f"not compared: {text}" for text in found["failures"])
    yield f"{len(found['hours']) - len(differing)} hours complete, {found['waiting']} waiting"
