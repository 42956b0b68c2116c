"""What the commands share: options, settings from them, printing of results."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bartizan import jobs
from bartizan.model.text import inert, short
from bartizan.model.window import Window, format_time, parse_time

WIDEST = 60  # characters of a cell
SPANS = 3  # windows that are named

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
Source = Annotated[
    str | None,
    typer.Option("--source", help="Raw logs: a folder or s3:// prefix.", show_default=False),
]
Start = Annotated[str, typer.Option(help="Beginning of the window, inclusive, UTC.")]
End = Annotated[str, typer.Option(help="End of the window, exclusive, UTC.")]
ConnectorName = Annotated[
    str, typer.Argument(help="Name of a connector; see `bartizan connector list`.")
]
At = Annotated[str | None, typer.Option(help="When it is done, UTC.", show_default="now")]
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


def show(result: Any, lines: Iterable[str], as_json: bool) -> None:
    """Print a result: itself as JSON for machines, or lines about it for people."""
    if as_json:
        print(json.dumps(result, indent=2, default=str))
        return
    for line in lines:
        print(line)


def only_told(lines: Iterable[str], dry_run: bool) -> Iterator[str]:
    """Lines about what would be done, and that it was not."""
    yield from lines
    if dry_run:
        yield "nothing was done; --yes does it"


def fields(values: Mapping[str, object]) -> Iterator[str]:
    """Names and what they stand for, one below the other."""
    width = max(map(len, values))
    for name, value in values.items():
        yield f"  {name:<{width}}  {_cell(value)}"


def table(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Rows of the same columns under their names; what clients wrote is harmless to a terminal."""
    if not rows:
        return
    texts = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    cells = [[short(inert(cell), WIDEST) for cell in row] for row in texts]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(padded).rstrip()


def spans(windows: Iterable[Window]) -> str:
    """Windows in words; each is from its start to its end, which is no part of it."""
    texts = [f"{format_time(one.start)} to {format_time(one.end)}" for one in windows]
    more = f" and {len(texts) - SPANS} more" if len(texts) > SPANS else ""
    return ", ".join(texts[:SPANS]) + more


def detector_lines(found: dict[str, Any]) -> Iterator[str]:
    """A detector as it stands."""
    yield f"{found['name']}: {found['state']}, {found['reason']}"
    if found["series"]:
        yield f"  series    {found['series_ready']:,} of {found['series']:,} ready"
    if found["scored_through"]:
        yield f"  scored    through {found['scored_through']}"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def reads(scans: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each table of what a query reads at most."""
    for scan in scans:
        cost = ", ".join(
            f"{scan[key]:,} {key}" for key in ("files", "rows", "bytes") if scan[key] is not None
        )
        yield f"  reads     {scan['table']}: at most {cost or 'unknown'}"
