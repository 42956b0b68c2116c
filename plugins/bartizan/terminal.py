"""What the commands share: options, settings from them, printing of results."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.model.window import parse_time

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Home = Annotated[
    str | None,  # not a Path, which would take s3:// for a local folder
    typer.Option("--home", help="Folder of all data (BARTIZAN_HOME).", show_default=False),
]
LakeFolder = Annotated[
    str | None, typer.Option("--lake", help="Folder of the lake.", show_default=False)
]
IncidentId = Annotated[
    str, typer.Argument(help="Id of an incident, or how it begins; see `bartizan incident list`.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run/--yes", help="Only tell what would be done, or do it.")
]


def configure(
    home: str | None = None,
    source: str | None = None,
    lake: str | None = None,
    needs_home: bool = True,
) -> None:
    """Let options win over the environment, for this process and those it starts.

    A home given as an option holds everything, whatever single folders the environment names.
    Raises UsageError where there is none and the command `needs_home`.
    """
    if home is not None:
        for name in ("SOURCE", "LAKE", "METRICS", "OUTBOX", "STORE"):
            os.environ.pop(f"BARTIZAN_{name}", None)
    given = {"BARTIZAN_HOME": home, "BARTIZAN_SOURCE": source, "BARTIZAN_LAKE": lake}
    os.environ.update({name: value for name, value in given.items() if value is not None})
    if needs_home:
        jobs.require_home()


def configure_for(connector: str, home: str | None) -> None:
    """`configure` for work on a connector: one that does not read the lake begins a home."""
    configure(home, needs_home=False)
    if jobs.load_connector(connector).reads_lake:
        jobs.require_home()


def instant(text: str | None) -> datetime:
    """A time as `parse_time` reads it; now, to the second, without one."""
    return datetime.now(UTC).replace(microsecond=0) if text is None else parse_time(text)


def show(result: Any, as_json: bool) -> None:
    """Print a result: JSON for machines, aligned names and values for people."""
    if as_json:
        print(json.dumps(result, indent=2, default=str))
        return
    for row in result if isinstance(result, list) else [result]:
        if isinstance(row, dict):
            print("  ".join(f"{name}={value}" for name, value in row.items()))
        else:
            print(row)


def reads(scans: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each table of what a query reads at most."""
    for scan in scans:
        cost = ", ".join(
            f"{scan[key]:,} {key}" for key in ("files", "rows", "bytes") if scan[key] is not None
        )
        yield f"  reads     {scan['table']}: at most {cost or 'unknown'}"
