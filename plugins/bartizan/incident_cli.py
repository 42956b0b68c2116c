"""`bartizan incident`: what is going on, who is on it, and what may wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.anomaly import IncidentState
from bartizan.model.text import short
from bartizan.model.window import parse_duration, parse_time, written_window
from bartizan.terminal import AsJson, At, Home, IncidentId, configure, instant, show

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Incidents, and what people do about them.

    **acknowledge** stops updates and escalation, **snooze** every message until a time; both only
    until it gets worse. Whoever was told of an incident always hears how it ends.
    """,
)

SHOWN = 200  # characters of a text
By = Annotated[str, typer.Option(help="Who does it.")]
Why = Annotated[str, typer.Option(help="Why, in words.")]


@app.command("list")
def list_incidents(
    state: Annotated[
        list[IncidentState] | None, typer.Option(help="May be repeated.", show_default="all")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Incidents by start, and who is on them."""
    configure(home)
    rows = jobs.list_incidents(instant(None), [one.value for one in state or ()])
    show(rows, [_line(row) for row in rows] or ["none"], as_json)


@app.command("show")
def show_incident(incident: IncidentId, home: Home = None, as_json: AsJson = False) -> None:
    """One incident: its story, what was done about it, who was told, who was not and why."""
    configure(home)
    found = jobs.show_incident(jobs.incident_id(incident), instant(None))
    show(found, _described(found), as_json)


@app.command()
def acknowledge(
    incident: IncidentId,
    by: By,
    why: Why = "",
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody is on it: no updates and no escalation, unless it gets worse."""
    configure(home)
    done = jobs.acknowledge_incident(jobs.incident_id(incident), by, instant(at), why)
    show(done, [_done(done)], as_json)


@app.command()
def snooze(
    incident: IncidentId,
    by: By,
    why: Why,
    until: Annotated[str | None, typer.Option(help="A UTC time within 90 days.")] = None,
    span: Annotated[str | None, typer.Option("--for", help="A duration, such as PT4H.")] = None,
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of it until a time, or until it gets worse. Then it is told as it is by then."""
    configure(home)
    if (until is None) == (span is None):
        raise UsageError("snooze", "needs either --until or --for", "write --for PT4H")
    now = instant(at)
    end = now + parse_duration(span) if span is not None else parse_time(until or "")
    done = jobs.snooze_incident(jobs.incident_id(incident), end, by, why, now)
    show(done, [_done(done)], as_json)


@app.command()
def resume(
    incident: IncidentId,
    by: By,
    why: Why = "",
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take acknowledgement and snooze back."""
    configure(home)
    done = jobs.resume_incident(jobs.incident_id(incident), by, instant(at), why)
    show(done, [_done(done)], as_json)


@app.command()
def sync(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, save nothing.")] = False,
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Read the workflow status and note that people set on findings in Security Hub.

    NOTIFIED, SUPPRESSED and RESOLVED acknowledge the incident. A note that begins with *expected*
    or *false alarm* (SUPPRESSED) or *confirmed* (RESOLVED) is feedback too. The DAG does it before
    every dispatch; nothing is written to Security Hub.
    """
    configure(home)
    found = jobs.read_hub(instant(at), dry_run=dry_run)
    show(found, [_heard(one) for one in found] or ["nothing new"], as_json)


def digest(
    window: Annotated[str, typer.Option(help="START/END, UTC, such as 2026-11-16/2026-11-17.")],
    out: Annotated[Path, typer.Option(help="File to write: .html, .md or .json.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write what a day or a week was: where, who, who was told, what nobody was told of, and which
    detectors found nothing."""
    configure(home)
    path = jobs.write_digest(written_window(window), out)
    show({"written": path}, [path], as_json)


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['id']}  {row['state']:<9}  {row['label']:<8}  {row['start']}  {row['detector']}  "
        f"{short(row['headline'], SHOWN)}{_handled(row)}"
    )


def _handled(row: dict[str, Any]) -> str:
    words = [_said(one) for one in (row["acknowledged"], row["snoozed"]) if one is not None]
    return f"  [{'; '.join(words)}]" if words else ""


def _said(one: dict[str, Any]) -> str:
    until = f" until {one['until']}" if one["until"] else ""
    why = f": {short(one['why'], SHOWN)}" if one["why"] else ""
    return f"{one['kind']}{until} by {short(one['by'], SHOWN)} at {one['at']}{why}"


def _described(found: dict[str, Any]) -> Iterator[str]:
    yield _line(found)
    yield f"  {found['story']}"
    yield from (f"  {one['number']}. {_said(one)}" for one in found["history"])
    for one in found["messages"]:
        yield (
            f"  {one['channel']}, change {one['change']}: {one['state']}  "
            f"{short(one['why'], SHOWN)}"
        )


def _heard(one: dict[str, Any]) -> str:
    feedback = f", feedback: {one['feedback'].replace('_', ' ')}" if one["feedback"] else ""
    refused = f"  refused: {one['refused']}" if one["refused"] else ""
    note = f": {one['note']}" if one["note"] else ""
    return f"{one['incident']}  {one['status']} by {one['by']}{note}{feedback}{refused}"


def _done(done: dict[str, Any]) -> str:
    return _said(done) + ("" if done["saved"] else " (as before)")
