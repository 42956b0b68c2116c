"""`bartizan feedback`: say what an incident was, and see what that changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.model.text import inert, short
from bartizan.terminal import AsJson, Home, IncidentId, configure, instant, show

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Say of an incident what it was; it changes what comes, never what was scored.

    **expected** and **false_alarm** hold its like below the alert threshold, **new_normal** has its
    series learned from its start on, **confirmed** keeps it as ground truth.
    """,
)

SHOWN = 200  # characters of a note
LISTED = 10  # incidents
Note = Annotated[str, typer.Option(help="Why, in words.")]
By = Annotated[str, typer.Option(help="Who says so.")]
At = Annotated[str | None, typer.Option(help="When it is said, UTC.", show_default="now")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would change.")]


@app.command()
def give(
    incident: IncidentId,
    kind: Annotated[
        str, typer.Option(help="confirmed, expected, false_alarm, new_normal or none.")
    ],
    cause: Annotated[
        str | None,
        typer.Option(help="holiday, user_error, software, fraud, upgrade, external or other."),
    ] = None,
    note: Note = "",
    by: By = "",
    at: At = None,
    dry_run: DryRun = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say what an incident was. Shows which past incidents are alike before it is saved.

    It has an effect on intervals from now on that were not scored yet. What was said before of the
    same incident no longer holds.
    """
    configure(home)
    result = jobs.give_feedback(
        jobs.incident_id(incident), kind, instant(at), cause, note, by, dry_run
    )
    show(result, _told(result), as_json)


@app.command()
def withdraw(
    incident: IncidentId,
    note: Note = "",
    by: By = "",
    at: At = None,
    dry_run: DryRun = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """End the effect of what was said of an incident: the same as `give --kind none`."""
    give(incident, "none", None, note, by, at, dry_run, home, as_json)


@app.command("list")
def list_feedback(
    connector: Annotated[
        str | None, typer.Option(help="Only of its incidents.", show_default="all")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Everything that was said of incidents, also what no longer holds."""
    configure(home)
    rows = jobs.list_feedback(connector)
    show(rows, [_line(row) for row in rows] or ["none"], as_json)


def _told(result: dict[str, Any]) -> Iterator[str]:
    yield _line(result)
    yield f"  effect    {result['effect']}"
    if result["kind"] in ("expected", "false_alarm"):
        removed, changed = result["would_have_removed"], result["would_have_changed"]
        yield f"  past      it would have removed {len(removed)} incidents, changed {len(changed)}"
        yield from _some([f"removed {one}" for one in removed])
        yield from _some([f"changed {one}" for one in changed])
        lost = ", ".join(result["confirmed_lost"])
        yield f"  confirmed {f'lost: {lost}' if lost else 'none of them is lost'}"
    for one in result["hidden_by"]:
        yield f"  warning   feedback on {one} holds its like below an alarm"
    yield "  saved" if result["saved"] else "  not saved"


def _some(lines: list[str]) -> Iterator[str]:
    yield from (f"            {line}" for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield f"            and {len(lines) - LISTED} more"


def _line(row: dict[str, Any]) -> str:
    until = f" until {row['until']}" if row["until"] else ""
    cause = f" ({row['cause']})" if row["cause"] else ""
    by = f" by {short(inert(row['by']), SHOWN)}" if row["by"] else ""
    note = f": {short(inert(row['note']), SHOWN)}" if row["note"] else ""
    return (
        f"{row['incident']}  {row['kind']}{cause}, {row['connector']} {row['measure']} "
        f"{row['direction']}, from {row['since']}{until}, said {row['at']}{by}{note}"
    )
