"""`bartizan alerts`: what other rules would have told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.terminal import AsJson, Home, configure, show

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Who is told of what: the channels, rules and quiet times of alerts.yaml.

    **list** shows the rules in use; **try** puts stored scores to those of another file.
    """,
)


@app.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """Rules and quiet times as they are written, by section and place."""
    found = jobs.list_rules()
    lines = [
        f"{section}[{place}]  {entry}"
        for section in ("rules", "quiet")
        for place, entry in enumerate(found[section])
    ]
    show(found, lines or ["no rules: everybody is told of everything"], as_json)


@app.command("try")
def try_alerts(
    file: Annotated[Path, typer.Argument(help="An alerts.yaml that is not in use yet.")],
    days: Annotated[int, typer.Option(help="How far back, 1 to 90.")] = 30,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What another file would have told in the last days, beside the one in use; writes nothing.

    Stored scores are put to the rules of both, as if nobody had acknowledged or snoozed anything.
    """
    configure(home)
    found = jobs.try_alerts(file, days)
    show(found, _told(found), as_json)


def _told(found: dict[str, Any]) -> Iterator[str]:
    yield f"last {found['days']} days: {found['incidents']} incidents"
    for row in found["channels"]:
        yield f"  {row['channel']:<16} {row['before']} -> {row['after']} told"
    for row in found["differs"]:
        changes = [f"no longer {', '.join(row['no_longer'])}"] * bool(row["no_longer"])
        changes += [f"now {', '.join(row['now'])}"] * bool(row["now"])
        told = f"{row['start']}  {row['severity']:>3}  {row['headline']}"
        yield f"  {'; '.join(changes)}: {told}"
