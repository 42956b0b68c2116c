"""The `bartizan` command: by hand whatever a DAG does."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bartizan import (
    alerts_cli,
    connector_cli,
    detect_cli,
    feedback_cli,
    incident_cli,
    intel_cli,
    intel_sharing_cli,
    jobs,
    lake_cli,
    mark_cli,
    outbox_cli,
    playbook_cli,
)
from bartizan.errors import BartizanError, ValidationFailed
from bartizan.lake.s3 import calling
from bartizan.model.window import Window, format_time, given_window, parse_time, written_window
from bartizan.overview import described
from bartizan.store.reconciliation import Verdict
from bartizan.terminal import AsJson, Home, LakeFolder, configure, reads, show

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Anomaly detection for AWS WAF logs.

    Data flows one way: simulate → **land** → **aggregate** → **crawl** / **backfill** → **detect**
    → **dispatch** → **report**. Each command does what the DAG of that name does, over a window
    [start, end) of UTC times such as `2026-11-01T00:00Z`; doing it again changes nothing.

    Folders come from the options below or from BARTIZAN_HOME (default `./var`), BARTIZAN_SOURCE,
    BARTIZAN_LAKE, BARTIZAN_METRICS, BARTIZAN_OUTBOX, BARTIZAN_STORE and BARTIZAN_SQL.
    """,
)
app.add_typer(alerts_cli.app, name="alerts")
app.add_typer(connector_cli.app, name="connector")
app.add_typer(feedback_cli.app, name="feedback")
app.add_typer(incident_cli.app, name="incident")
app.add_typer(intel_cli.app, name="intel")
intel_sharing_cli.register(intel_cli.app)
app.add_typer(lake_cli.app, name="lake")
app.add_typer(mark_cli.app, name="mark")
app.add_typer(outbox_cli.app, name="outbox")
app.add_typer(playbook_cli.app, name="playbook")

Start = Annotated[str, typer.Option(help="Beginning of the window, inclusive, UTC.")]
End = Annotated[str, typer.Option(help="End of the window, exclusive, UTC.")]
Name = Annotated[str, typer.Argument(help="Name of a connector; see `bartizan connector list`.")]
Source = Annotated[
    str | None,
    typer.Option("--source", help="Raw logs: a folder or s3:// prefix.", show_default=False),
]
console = Console(stderr=True)


def main() -> None:
    """Entry point: errors made for people end on one line and a non-zero exit code.

    So do those of AWS that come up through an s3:// folder.
    """
    try:
        with calling("AWS"):
            app()
    except BartizanError as error:
        print(f"bartizan: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


@app.command()
def simulate(
    start: Annotated[str, typer.Option(help="First UTC day.")] = "2026-11-01",
    days: Annotated[int, typer.Option(help="How many days; attacks fall on the last.")] = 16,
    records_per_day: Annotated[int, typer.Option(help="Over all web ACLs.")] = 70_000,
    seed: Annotated[int, typer.Option(help="Another seed, another traffic.")] = 1,
    home: Home = None,
    source: Source = None,
    as_json: AsJson = False,
) -> None:
    """Write WAF logs with labelled attacks in AWS's format and S3 layout."""
    configure(home, source)
    plan = {"start": start, "days": days, "records_per_day": records_per_day, "seed": seed}
    with console.status("simulating") as status:
        show(jobs.simulate(lambda done, of: status.update(f"{done} of {of} days"), **plan), as_json)


@app.command()
def land(
    start: Annotated[str | None, typer.Option(help="Only objects delivered from here on.")] = None,
    end: Annotated[str | None, typer.Option(help="Only objects delivered before this.")] = None,
    home: Home = None,
    source: Source = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Land raw logs: decode, quarantine what is bad, validate, publish. Nothing lands twice."""
    configure(home, source, lake)
    window = given_window(start, end) if start or end else None
    with console.status("listing objects") as status:
        report = jobs.land(window, lambda done, of: status.update(f"staged {done} of {of} batches"))
    found = report.as_json()
    if not as_json:
        for name in ("hours", "closed", "quarantine", "changed", "rejected"):
            found[name] = len(found[name])
    show(found, as_json)
    for batch_id, reason in report.rejected:
        raise ValidationFailed(f"batch {batch_id}", reason, "nothing of it was published")


@app.command()
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
    hours: list[dict[str, Any]] = [
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
        }
        for one in done.compared
    ]
    failures = [str(failure) for failure in done.failures]
    if as_json:
        for hour, one in zip(hours, done.compared, strict=True):
            hour["by_action"] = {"logged": one.logged, "counted": one.counted}
        show({"hours": hours, "waiting": done.waiting, "failures": failures}, as_json)
    else:
        differing = [hour for hour in hours if hour["verdict"] != Verdict.COMPLETE]
        complete = len(hours) - len(differing)
        summary = f"{complete} hours complete, {done.waiting} waiting"
        show([*differing, *(f"not compared: {text}" for text in failures), summary], as_json)
    if done.failures:
        raise done.failures[0]


@app.command()
def aggregate(
    start: Start,
    end: End,
    force: Annotated[bool, typer.Option(help="Rebuild hours without a change too.")] = False,
    home: Home = None,
    lake: LakeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild the aggregate tables for the hours that changed."""
    configure(home, lake=lake)
    built = jobs.aggregate([Window.parse(start, end)], force)
    show(
        [{"table": r.table, "rows": r.rows, "windows": list(map(str, r.windows))} for r in built],
        as_json,
    )


@app.command()
def crawl(name: Name, start: Start, end: End, home: Home = None, as_json: AsJson = False) -> None:
    """Write a connector's live metric files, one folder per interval."""
    configure(home)
    done = jobs.crawl(name, [Window.parse(start, end)])
    show(asdict(done) | {"windows": [str(window) for window in done.windows]}, as_json)


@app.command()
def backfill(
    name: Name,
    start: Start,
    end: End,
    write: Annotated[bool, typer.Option(help="Write; without it only count.")] = False,
    parallel: Annotated[int, typer.Option(help="Chunks at a time.", min=1)] = 1,
    force: Annotated[bool, typer.Option(help="Query chunks that are there already too.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a connector's history in chunks of a day. A dry run unless --write is given.

    Broken off, it goes on where it stopped: a chunk that is there, made by the same query from the
    same data, is not queried again.
    """
    configure(home)
    with console.status("reading what is there") as status:
        done = jobs.backfill(
            name,
            Window.parse(start, end),
            dry_run=not write,
            on_progress=lambda done, of: status.update(f"{done} of {of} chunks"),
            parallel=parallel,
            force=force,
        )
    if as_json:
        show(done, as_json)
        return
    found = done.pop("reads")
    if done.pop("dry_run"):
        plan = f"would query {done['written']} of {done['chunks']} chunks, {done['kept']} are there"
        done = {"connector": name, "dry run": f"{plan}; --write does it"}
    show([done, *reads(found)], as_json)


@app.command()
def learn(
    name: Name,
    day: Annotated[str, typer.Option(help="The UTC day whose intervals will be scored.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Learn from up to 35 days of metrics before a day."""
    configure(home)
    show(jobs.learn(name, parse_time(day)), as_json)


app.command()(detect_cli.detect)
app.command()(detect_cli.backtest)


@app.command()
def dispatch(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Tell the channels of alerts.yaml of every change, each once, and try again what is due.

    Without the file each channel is a folder of the outbox. Exits with 1 when a message is given
    up; `bartizan outbox` shows why.
    """
    configure(home)
    if dry_run:
        found = jobs.preview_dispatch()
        show(found if as_json else list(outbox_cli.planned(found)), as_json)
        return
    done = jobs.dispatch()
    show(done if as_json else list(outbox_cli.told(done)), as_json)
    if done["dead"]:
        raise BartizanError(
            f"{len(done['dead'])} messages",
            f"were given up, such as {done['dead'][0][0]}",
            "see `bartizan outbox list --state dead`",
        )


app.command()(incident_cli.digest)


@app.command()
def report(
    out: Annotated[Path | None, typer.Option(help="File to write: .html, .md or .json.")] = None,
    window: Annotated[
        str | None,
        typer.Option(help="START/END, UTC: only incidents that start in it.", show_default="all"),
    ] = None,
    home: Home = None,
) -> None:
    """Write the report of everything known, one section per story."""
    configure(home)
    print(jobs.report(out, None if window is None else written_window(window)))


@app.command()
def status(home: Home = None, lake: LakeFolder = None, as_json: AsJson = False) -> None:
    """What was landed, aggregated, crawled and detected, and what is quarantined."""
    configure(home, lake=lake)
    found = jobs.status()
    show(asdict(found) if as_json else list(described(found)), as_json)


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Loopback port for Airflow's API.")
    ] = 8080,
    hourly_runs: Annotated[
        int, typer.Option(help="Hours of the live day that run one by one.")
    ] = 3,
    records_per_day: Annotated[int, typer.Option(help="Simulated records a day.")] = 70_000,
    home: Home = None,
) -> None:
    """Walk the main job once on simulated traffic in a real Airflow, then report.

    Channels are folders of the outbox here, whatever alerts.yaml says.
    """
    from bartizan.orchestration import demo as walk  # noqa: PLC0415

    configure(home)
    os.environ["BARTIZAN_ALERTS"] = ""
    plan = walk.DemoPlan(hourly_runs=hourly_runs, records_per_day=records_per_day)
    walk.present(plan, port)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Loopback port for the UI.")] = 8080,
    home: Home = None,
) -> None:
    """Airflow's UI on loopback with this project and its data, until Ctrl-C."""
    from bartizan.orchestration.local import serve  # noqa: PLC0415

    configure(home)
    serve(jobs.settings(), port, print)


if __name__ == "__main__":
    main()
