"""Backfill: writes history in chunks, one query and file each.

A manifest holds a digest of what its rows were made from. A chunk that is there, made from the same
as now, is not queried again; so a backfill that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta

from upath import UPath

from bartizan.crawl.chunks import chunk_file, chunk_mark, chunk_windows, planned
from bartizan.crawl.files import Written, vouched, write
from bartizan.crawl.intervals import whole_intervals
from bartizan.crawl.made_by import made_by
from bartizan.crawl.rows import fetch
from bartizan.engines.base import Engine, Scan
from bartizan.files import put
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, merged

Version = Callable[[Window], str]


@dataclass(frozen=True)
class BackfillResult:
    """chunks = kept (there, made from the same, not queried) + written + unchanged (queried, there
    with equal bytes). `rows` is of all of them.

    A dry run queries nothing: `written` is what would be queried, `rows` is of those kept, and
    `reads` the most that the queries would read of each table.
    """

    connector: str
    chunks: int
    kept: int
    written: int
    unchanged: int
    rows: int
    dry_run: bool
    reads: tuple[Scan, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """A file to be: the ranges of files it replaces, the digest of what it is made from, and the
    number of rows when it is there already."""

    window: Window
    replaces: tuple[Window, ...]
    made_by: str
    kept_rows: int | None


def backfill(
    engine: Engine,
    connector: Connector,
    metrics: UPath,
    windows: Sequence[Window],
    chunk: timedelta = DAY,
    on_progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
    *,
    parallel: int = 1,
    force: bool = False,
    version: Version = lambda _: "",
) -> BackfillResult:
    """Write the history of the whole intervals inside the windows, one query and file a chunk.

    The windows are those for which the source is complete: a file covers every interval of its
    range, rows or not. `version(window)` changes when the source's rows of a window may have;
    `force` queries every chunk again. At most `parallel` chunks are under way at once, in threads.

    `on_progress(done, total)` is called after each chunk. Only files named like this connector's
    chunks are touched.
    """
    chunks = list(_chunks(connector, metrics, windows, chunk, force, version))
    due = [one for one in chunks if one.kept_rows is None]
    kept = len(chunks) - len(due)
    kept_rows = sum(one.kept_rows or 0 for one in chunks)
    if dry_run:
        spans = merged(one.window for one in due)
        found = [engine.scans(connector.query, span, connector.origin) for span in spans]
        reads = tuple(_added_up(scan for scans in found for scan in scans))
        return BackfillResult(
            connector.name, len(chunks), kept, len(due), 0, kept_rows, True, reads
        )
    done: list[Written] = []

    def count(written: Written) -> None:
        done.append(written)
        if on_progress:
            on_progress(kept + len(done), len(chunks))

    _each(lambda one: _write(engine, connector, metrics, one), due, parallel, count)
    changed = sum(one.changed for one in done)
    return BackfillResult(
        connector=connector.name,
        chunks=len(chunks),
        kept=kept,
        written=changed,
        unchanged=len(done) - changed,
        rows=kept_rows + sum(one.rows for one in done),
        dry_run=False,
    )


def _chunks(
    connector: Connector,
    metrics: UPath,
    windows: Sequence[Window],
    chunk: timedelta,
    force: bool,
    version: Version,
) -> Iterator[Chunk]:
    there = chunk_windows(connector, metrics)
    for part in planned(whole_intervals(windows, connector.frequency), chunk, there):
        met = tuple(old for old in there if old.overlaps(part))
        digest = made_by(connector, version(part))
        facts = None if force or met != (part,) else vouched(chunk_file(connector, metrics, part))
        is_kept = facts is not None and facts.get("made_by") == digest
        yield Chunk(
            window=part,
            replaces=tuple(old for old in met if old != part),
            made_by=digest,
            kept_rows=int(facts["rows"]) if facts is not None and is_kept else None,
        )


def _write(engine: Engine, connector: Connector, metrics: UPath, chunk: Chunk) -> Written:
    """Query and write a chunk.

    While files are replaced, a mark holds the chunk's range: killed in between, the next run finds
    it and writes all of the range again.
    """
    cut = fetch(engine, connector, chunk.window).cut(chunk.window)
    if chunk.replaces:
        put(chunk_mark(connector, metrics, chunk.window), b"")
        for old in chunk.replaces:
            chunk_file(connector, metrics, old).remove()
    file = chunk_file(connector, metrics, chunk.window)
    written = write(connector.name, cut, file, chunk.made_by)
    for window in (*chunk.replaces, chunk.window):
        chunk_mark(connector, metrics, window).unlink(missing_ok=True)
    return written


def _each(
    work: Callable[[Chunk], Written],
    chunks: Sequence[Chunk],
    parallel: int,
    on_done: Callable[[Written], None],
) -> None:
    """Work through the chunks; after an error, also one of `on_done`, nothing more begins."""
    if parallel == 1:
        for chunk in chunks:
            on_done(work(chunk))
        return
    with ThreadPoolExecutor(parallel) as pool:
        try:
            for future in as_completed([pool.submit(work, chunk) for chunk in chunks]):
                on_done(future.result())
        finally:
            pool.shutdown(cancel_futures=True)


def _added_up(scans: Iterable[Scan]) -> list[Scan]:
    """One scan per table; a number that one of them cannot say is unknown."""
    by_table: dict[str, list[Scan]] = {}
    for scan in scans:
        by_table.setdefault(scan.table, []).append(scan)
    return [
        Scan(
            table,
            _sum([one.files for one in found]),
            _sum([one.rows for one in found]),
            _sum([one.bytes for one in found]),
        )
        for table, found in sorted(by_table.items())
    ]


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
