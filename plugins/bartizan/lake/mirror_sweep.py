"""Sweeps a mirror: forgets old snapshots, then deletes objects that no reader can need any more.

Only what a mirror wrote below a table's prefix: data files that say so, metadata by its names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from bartizan.aws_errors import calling
from bartizan.errors import TransientError, UsageError
from bartizan.lake.lock import locked
from bartizan.lake.mirror import LOCK, Mirror
from bartizan.lake.mirror_table import MIRROR_OF
from bartizan.lake.sweep import LEAST_GRACE

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_METADATA = re.compile(
    rf"metadata/(\d{{5,}}-{_UUID}\.metadata\.json|snap-\d+-\d+-{_UUID}\.avro|{_UUID}-m\d+\.avro)"
)
_DATA = re.compile(r"data/.+\.parquet")


@dataclass(frozen=True)
class MirrorSweep:
    """Snapshots and objects of a table's mirror that go, and the size of the objects."""

    table: str
    snapshots: int
    files: tuple[str, ...]
    bytes: int


def sweep_mirror(
    mirror: Mirror, at: datetime, grace: timedelta, dry_run: bool = True
) -> list[MirrorSweep]:
    """What of a mirror nobody has needed since `at` - `grace`; deleted unless it is a dry run.

    What the lake's tables hold now stays too: it may be uploaded and not committed yet. May be
    killed anywhere and run again. Raises UsageError for a grace below an hour and for a Glue table
    that is not this lake's mirror; TransientError, having deleted nothing of that table, when
    another writer commits meanwhile.
    """
    if grace < LEAST_GRACE:
        raise UsageError("grace", f"{grace} is too short", "readers and writers need an hour")
    with locked(mirror.lake.root, LOCK):
        locals_ = {name: mirror.lake.table(name) for name in mirror.names()}
        found = {name: mirror.tables.find(name, local) for name, local in locals_.items()}
        return [
            _sweep(mirror, name, locals_[name], remote, at - grace, dry_run)
            for name, remote in found.items()
            if remote is not None
        ]


def _sweep(
    mirror: Mirror, name: str, local: Table, remote: Table, before: datetime, dry_run: bool
) -> MirrorSweep:
    old = _old_snapshots(remote, before)
    with calling(f"mirror of {name}"):
        needed = _needed(remote, [one for one in remote.snapshots() if one.snapshot_id not in old])
    needed.update(mirror.files(local))
    folder, uri = mirror.target.folder(name), mirror.target.uri
    unneeded = {
        key: stored.bytes
        for key, stored in mirror.bucket.stored(folder).items()
        if stored.modified < before and uri(key) not in needed
    }
    data = [key for key in unneeded if _DATA.fullmatch(key.removeprefix(folder))]
    ours = mirror.bucket.owned(data, remote.properties[MIRROR_OF])
    ours |= {key for key in unneeded if _METADATA.fullmatch(key.removeprefix(folder))}
    orphans = {key: unneeded[key] for key in sorted(ours)}
    if not dry_run:
        _forget(remote, old)
        mirror.bucket.delete(list(orphans))
    return MirrorSweep(name, len(old), tuple(map(uri, orphans)), sum(orphans.values()))


def _old_snapshots(remote: Table, before: datetime) -> set[int]:
    """Ids of the snapshots that another followed before that time: no reader has them."""
    ordered = sorted(remote.snapshots(), key=lambda one: one.sequence_number or 0)
    return {
        one.snapshot_id
        for one, successor in pairwise(ordered)
        if successor.timestamp_ms < before.timestamp() * 1000
    }


def _needed(remote: Table, snapshots: Sequence[Snapshot]) -> set[str]:
    """URIs of all files that the table's metadata and these snapshots refer to."""
    needed = {remote.metadata_location}
    needed |= {entry.metadata_file for entry in remote.metadata.metadata_log}
    for snapshot in snapshots:
        needed.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(remote.io):
            if manifest.manifest_path not in needed:
                needed.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(remote.io)
                needed |= {entry.data_file.file_path for entry in entries}
    return needed


def _forget(remote: Table, snapshot_ids: set[int]) -> None:
    if not snapshot_ids:
        return
    thing = f"Glue table {'.'.join(remote.name())}"
    try:
        with calling(thing):
            remote.maintenance.expire_snapshots().by_ids(sorted(snapshot_ids)).commit()
    except CommitFailedException as error:
        raise TransientError(thing, "another mirror was first", "run it again") from error
