"""The mirror: committed tables of the lake as Iceberg tables in S3 and AWS Glue.

Files are uploaded first, under the names they have in the lake, and then become one commit a table:
what is new here is added, what is gone here is taken out. Files never change under their names, so
an upload that was interrupted goes on where it stopped. docs/lake.md says what is promised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from bartizan.errors import SourceError, TransientError, UsageError
from bartizan.lake.catalog import Lake
from bartizan.lake.lock import locked
from bartizan.lake.mirror_table import MirrorTables, evolved, mirrored_snapshot, moved
from bartizan.lake.mirror_target import Target
from bartizan.lake.read import current_files
from bartizan.lake.s3 import AT_A_TIME, Bucket
from bartizan.lake.schemas import LANDED

LOCK = "mirror"


@dataclass(frozen=True)
class Change:
    """What a table's mirror lacks: `added` and `uploads` are the lake's files, `removed` its own.

    `uploads` are those added whose objects are not in the bucket yet; `remote` is None when the
    mirror is to be created.
    """

    name: str
    local: Table
    remote: Table | None
    added: tuple[DataFile, ...] = ()
    uploads: tuple[DataFile, ...] = ()
    removed: tuple[DataFile, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there is anything to commit."""
        if self.remote is None or self.added or self.removed:
            return True
        return evolved(self.local, self.remote)


@dataclass(frozen=True)
class Mirror:
    """A lake, and where its mirror lies."""

    lake: Lake
    target: Target
    bucket: Bucket
    tables: MirrorTables

    @classmethod
    def open(cls, lake: Lake, target: Target) -> Mirror:
        """Raises UsageError unless the bucket exists and may be used from here."""
        bucket = Bucket(target.bucket)
        bucket.check()
        return cls(lake, target, bucket, MirrorTables(target))

    def names(self) -> list[str]:
        """The tables that are mirrored, in the order landing publishes them; aggregates last."""
        aggregates = [name for name in self.lake.names() if name.startswith("agg.")]
        return [*reversed(LANDED), *aggregates]

    def key(self, file: DataFile) -> str:
        """Key of the object that mirrors a data file of the lake."""
        path = _path(file)
        if not path.is_relative_to(self.lake.root):
            raise SourceError(
                str(path),
                f"lies outside the lake {self.lake.root}",
                "open the lake by its own path",
            )
        return f"{self.target.prefix}{path.relative_to(self.lake.root).as_posix()}"

    def files(self, local: Table) -> dict[str, DataFile]:
        """The files of the current snapshot of a table of the lake, by their URI in the mirror."""
        return {self.target.uri(self.key(file)): file for file in current_files(local)}


def plan(mirror: Mirror) -> list[Change]:
    """What each table's mirror lacks; writes nothing.

    Raises UsageError when a Glue table, or an object with the name of a file, is not this mirror's,
    and SourceError when a file of the lake is not the one that was mirrored under its name.
    """
    names = mirror.names()
    # A table is read before those that are committed here before it: never requests without hits.
    locals_ = {name: mirror.lake.table(name) for name in reversed(names)}
    return [_change(mirror, name, locals_[name]) for name in names]


def update(mirror: Mirror, on_progress: Callable[[int, int], None] | None = None) -> list[Change]:
    """Bring the mirror to what is committed in the lake, by one commit a table; says what it did.

    May be killed anywhere and run again; readers of the mirror see a snapshot of the lake at any
    moment. `on_progress` hears bytes uploaded, and of how many. Raises as `plan` does, and
    TransientError when another mirror was first or a file was swept from the lake meanwhile.
    """
    with locked(mirror.lake.root, LOCK):
        changes = [change for change in plan(mirror) if change.needed]
        progress = _Progress(changes, on_progress)
        for change in changes:
            _upload(mirror, change, progress)
            added = [moved(file, mirror.target.uri(mirror.key(file))) for file in change.added]
            mirror.tables.commit(change.name, change.local, change.remote, added, change.removed)
    return changes


def size(files: Sequence[DataFile]) -> int:
    """Bytes of the files."""
    return sum(file.file_size_in_bytes for file in files)


def _change(mirror: Mirror, name: str, local: Table) -> Change:
    remote = mirror.tables.find(name, local)
    if remote is not None and mirrored_snapshot(remote) == local.metadata.current_snapshot_id:
        return Change(name, local, remote)
    here = mirror.files(local)
    there = {} if remote is None else {file.file_path: file for file in current_files(remote)}
    for uri in here.keys() & there.keys():
        _refuse_another(here[uri], there[uri])
    added = {uri: file for uri, file in here.items() if uri not in there}
    return Change(
        name,
        local,
        remote,
        added=tuple(added.values()),
        uploads=tuple(_missing(mirror, name, local, added)),
        removed=tuple(file for uri, file in there.items() if uri not in here),
    )


def _missing(
    mirror: Mirror, name: str, local: Table, files: Mapping[str, DataFile]
) -> list[DataFile]:
    """Those of the files that no run has uploaded whole."""
    if not files:
        return []
    key = mirror.target.key
    stored = mirror.bucket.stored(f"{mirror.target.folder(name)}data/")
    there = {uri for uri in files if key(uri) in stored}
    ours = mirror.bucket.owned(list(map(key, there)), str(local.metadata.table_uuid))
    for uri in sorted(there):
        if key(uri) not in ours:
            raise UsageError(
                uri, "is there, and this mirror did not write it", "choose another prefix in S3"
            )
    return [
        file
        for uri, file in files.items()
        if uri not in there or stored[key(uri)].bytes != file.file_size_in_bytes
    ]


def _refuse_another(here: DataFile, there: DataFile) -> None:
    if (here.file_size_in_bytes, here.record_count) != (
        there.file_size_in_bytes,
        there.record_count,
    ):
        raise SourceError(
            here.file_path,
            "is not the file that was mirrored under this name",
            "look for a lake that was restored or edited; nothing was mirrored",
        )


class _Progress:
    """Adds up bytes, and passes them on."""

    def __init__(
        self, changes: Sequence[Change], on_progress: Callable[[int, int], None] | None
    ) -> None:
        self._of = sum(size(change.uploads) for change in changes)
        self._done, self._on_progress = 0, on_progress

    def add(self, uploaded: int) -> None:
        self._done += uploaded
        if self._on_progress is not None:
            self._on_progress(self._done, self._of)


def _upload(mirror: Mirror, change: Change, progress: _Progress) -> None:
    owner = str(change.local.metadata.table_uuid)
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="mirror")
    try:
        uploads = {pool.submit(_upload_one, mirror, file, owner): file for file in change.uploads}
        for upload in as_completed(uploads):
            upload.result()
            progress.add(uploads[upload].file_size_in_bytes)
    finally:
        pool.shutdown(cancel_futures=True)


def _upload_one(mirror: Mirror, file: DataFile, owner: str) -> None:
    path = _path(file)
    try:
        found = path.stat().st_size
        if found != file.file_size_in_bytes:
            raise SourceError(
                str(path),
                f"has {found:,} bytes, the table says {file.file_size_in_bytes:,}",
                "look for a data file that was changed; its table was not mirrored",
            )
        mirror.bucket.upload(path, mirror.key(file), owner)
    except FileNotFoundError as error:
        raise TransientError(
            str(path), "was replaced and swept meanwhile", "run it again"
        ) from error


def _path(file: DataFile) -> Path:
    return Path(file.file_path.removeprefix("file://"))
