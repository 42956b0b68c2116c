"""The sweep: forgets old snapshots, then deletes files that nobody can need any more.

A file is needed when a snapshot that is kept refers to it, when it is younger than the grace
period (somebody may be writing it), or when it belongs to a batch that is not published yet:
staged files are invisible, but they are all there is of their batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from bartizan.errors import TransientError, UsageError
from bartizan.lake.batches import Batches, Ledger
from bartizan.lake.catalog import Lake
from bartizan.lake.lock import locked
from bartizan.lake.publish import batch_of
from bartizan.lake.schemas import LANDED
from bartizan.model.window import HOUR

LEAST_GRACE = HOUR  # no query and no task that writes may take longer
_WRITTEN = {"data": (".parquet", ".partial"), "metadata": (".avro", ".json", ".puffin")}


@dataclass(frozen=True)
class Sweep:
    """Snapshots and files of a table that go, and the size of the files."""

    table: str
    snapshots: int
    files: tuple[str, ...]
    bytes: int


def sweep(
    lake: Lake,
    name: str,
    at: datetime,
    ledger: Ledger,
    grace: timedelta,
    dry_run: bool = True,
) -> Sweep:
    """What of a table nobody has needed since `at` - `grace`; deleted unless it is a dry run.

    May be killed anywhere and run again. Raises UsageError for a grace below an hour, and
    TransientError, changing nothing, when another writer keeps committing.
    """
    if grace < LEAST_GRACE:
        raise UsageError("grace", f"{grace} is too short", "readers and writers need an hour")
    before = at - grace
    with locked(lake.root, "publish"):  # the ledger and the tables of landing stand still
        table, batches = lake.table(name), ledger()
        old = _old_snapshots(table, name, before, batches)
        needed = _needed(table, [one for one in table.snapshots() if one.snapshot_id not in old])
        orphans = [
            file
            for file in _written(lake, name)
            if str(file) not in needed
            and file.stat().st_mtime < before.timestamp()
            and _batch_id(file) not in batches.unfinished
        ]
        found = Sweep(
            table=name,
            snapshots=len(old),
            files=tuple(map(str, orphans)),
            bytes=sum(file.stat().st_size for file in orphans),
        )
        if not dry_run:
            _forget(table, old)
            for file in orphans:
                file.unlink(missing_ok=True)
    return found


def _old_snapshots(table: Table, name: str, before: datetime, batches: Batches) -> set[int]:
    """Ids of the snapshots that were followed by another one before that time: no reader has them.

    The snapshot of a batch is how a publisher that runs again knows that it has committed, so it
    stays until the ledger says that the batch is published.
    """
    ordered = sorted(table.snapshots(), key=lambda one: one.sequence_number or 0)
    finished = {None, *batches.published}
    heads = {ref.snapshot_id for ref in table.metadata.refs.values()}
    return {
        one.snapshot_id
        for one, successor in pairwise(ordered)
        if successor.timestamp_ms < before.timestamp() * 1000
        and one.snapshot_id not in heads
        and (name not in LANDED or batch_of(one) in finished)
    }


def _needed(table: Table, snapshots: Iterable[Snapshot]) -> set[str]:
    """Local paths of all files that the table's metadata and these snapshots refer to."""
    metadata = table.metadata
    needed = {table.metadata_location}
    needed |= {entry.metadata_file for entry in metadata.metadata_log}
    needed |= {entry.statistics_path for entry in metadata.statistics}
    for snapshot in snapshots:
        needed.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in needed:
                needed.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(table.io)
                needed |= {entry.data_file.file_path for entry in entries}
    return {uri.removeprefix("file://") for uri in needed}


def _written(lake: Lake, name: str) -> Iterator[Path]:
    """The files below a table's folder that are of the kinds written there; others are not ours."""
    root = lake.data_path(name).parent
    for folder, suffixes in _WRITTEN.items():
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in suffixes and file.is_file() and not file.is_symlink():
                yield file


def _batch_id(file: Path) -> str:
    """The batch whose file this would be: `<batch>.parquet`, also `-unique` or `.partial`."""
    return file.name.removeprefix(".").split(".")[0].removesuffix("-unique")


def _forget(table: Table, snapshot_ids: Collection[int]) -> None:
    if not snapshot_ids:
        return
    try:
        table.maintenance.expire_snapshots().by_ids(sorted(snapshot_ids)).commit()
    except CommitFailedException as error:
        raise TransientError(
            ".".join(table.name()), "another writer keeps committing", "run it again"
        ) from error
