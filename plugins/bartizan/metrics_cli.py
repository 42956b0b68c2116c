"""`bartizan aggregate`, `crawl` and `backfill`: from landed rows to metric files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bartizan import jobs
from bartizan.model.window import Window
from bartizan.terminal import (
    AsJson,
    ConnectorName,
    DryRun,
    End,
    Home,
    LakeFolder,
    Start,
    configure,
    configure_for,
    fields,
    reads,
    show,
    spans,
    table,
)

if TYPE_CHECKING:
    from bartizan.crawl import CrawlResult

console = Console(stderr=True)


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
    found = [
        {"table": r.table, "rows": r.rows, "windows": list(map(str, r.windows))} for r in built
    ]
    rows = [{"table": r.table, "rows": r.rows, "rebuilt": spans(r.windows) or "-"} for r in built]
    show(found, table(rows), as_json)


def crawl(
    name: ConnectorName, start: Start, end: End, home: Home = None, as_json: AsJson = False
) -> None:
    """Write a connector's live metric files, one folder per interval."""
    configure_for(name, home)
    done = jobs.crawl(name, [Window.parse(start, end)])
    found = {
        key: list(map(str, value)) if isinstance(value, tuple) else value
        for key, value in vars(done).items()
    }
    show(found, _crawled(done), as_json)


def backfill(
    name: ConnectorName,
    start: Start,
    end: End,
    dry_run: DryRun = True,
    parallel: Annotated[int, typer.Option(help="Chunks at a time.", min=1)] = 1,
    force: Annotated[bool, typer.Option(help="Query chunks that are there already too.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a connector's history in chunks of a day. Only counts them without --yes.

    Broken off, it goes on where it stopped: a chunk that is there, made by the same query from the
    same data, is not queried again.
    """
    configure_for(name, home)
    with console.status("reading what is there") as status:
        done = jobs.backfill(
            name,
            Window.parse(start, end),
            dry_run=dry_run,
            on_progress=lambda done, of: status.update(f"{done} of {of} chunks"),
            parallel=parallel,
            force=force,
        )
    show(done, _backfilled(done), as_json)


def _crawled(done: CrawlResult) -> Iterator[str]:
    yield f"{done.connector}: crawled {spans(done.windows) or 'nothing'}"
    counts = asdict(done)
    yield from fields({name: counts[name] for name in ("written", "unchanged", "rows")})
    if done.backfilled:
        yield f"  backfilled, so not crawled as well: {spans(done.backfilled)}"
    if done.waiting:
        yield f"  no data so far, or not due yet: {spans(done.waiting)}"


def _backfilled(done: dict[str, Any]) -> Iterator[str]:
    if done["dry_run"]:
        plan = f"would query {done['written']} of {done['chunks']} chunks, {done['kept']} are there"
        yield f"{done['connector']}: {plan}; --yes does it"
        yield from reads(done["reads"])
    else:
        yield f"{done['connector']}: {done['chunks']:,} chunks"
        yield from fields({key: done[key] for key in ("kept", "written", "unchanged", "rows")})
