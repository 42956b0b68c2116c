"""Compaction: many small files of a partition become few large ones.

Nothing a reader or publisher holds is touched: the files that were replaced stay on disk until
they are swept (`lake/sweep.py`). Publishing knows the files of a batch by their names, so nothing
is replaced while a killed publisher has left a batch half published.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pyiceberg.manifest import DataFile

from bartizan.errors import TransientError
from bartizan.lake.batches import Ledger, half_published
from bartizan.lake.catalog import Lake
from bartizan.lake.lock import locked
from bartizan.lake.read import current_files
from bartizan.lake.replace import replace_files
from bartizan.lake.rewrite import rewrite
from bartizan.model.ids import digest

MOST_FILES = 4
TARGET_BYTES = 256 * 1024**2
COMPACTION = "bartizan.compaction"


@dataclass(frozen=True)
class SmallFiles:
    """Files of one partition of a table that are to become fewer; `folder` is where they lie."""

    table: str
    folder: Path
    files: tuple[str, ...]
    bytes: int
    rows: int

    @property
    def stem(self) -> str:
        """Name of the files that replace them: the same files always give the same name."""
        return f"compact-{digest(self.files)}"


@dataclass(frozen=True)
class Compaction:
    """What was replaced, and how many files of how many bytes hold its rows now."""

    replaced: SmallFiles
    files: int
    bytes: int


def small_files(
    lake: Lake, name: str, most_files: int = MOST_FILES, target_bytes: int = TARGET_BYTES
) -> list[SmallFiles]:
    """The partitions of a table that hold more than `most_files` files below half the target."""
    groups: dict[str, list[DataFile]] = defaultdict(list)
    for file in current_files(lake.table(name)):
        if file.file_size_in_bytes < target_bytes // 2:
            groups[str(file.partition)].append(file)
    found = [_described(name, files) for files in groups.values() if len(files) > most_files]
    return sorted(found, key=lambda one: str(one.folder))


def compact(
    lake: Lake, small: SmallFiles, ledger: Ledger, target_bytes: int = TARGET_BYTES
) -> Compaction:
    """Replace the files by sorted ones of about `target_bytes`, by one atomic commit.

    May be killed anywhere and run again. Raises, changing nothing, TransientError while a batch is
    half published or when another writer replaced one of the files first, and SourceError when
    the files do not hold the rows that the table says they do.
    """
    with locked(lake.root, "compact"):
        _refuse_half_published(lake, ledger)  # before the work, and again at its end
        schema = lake.table(small.table).schema()
        scratch = lake.root / "tmp" / "compact"
        written = rewrite(schema, small.files, small.folder, small.stem, target_bytes, scratch)
        with locked(lake.root, "publish"):
            _refuse_half_published(lake, ledger)
            table = lake.table(small.table)
            replaced = set(small.files)
            removed = [file for file in current_files(table) if _path(file) in replaced]
            if len(removed) != len(replaced):
                raise TransientError(
                    str(small.folder), "another writer replaced its files", "run it again"
                )
            replace_files(table, removed, written, {COMPACTION: small.stem})
    return Compaction(small, len(written), sum(file.stat().st_size for file in written))


def _refuse_half_published(lake: Lake, ledger: Ledger) -> None:
    if begun := half_published(lake, ledger().unfinished):
        raise TransientError(f"batch {begun[0]}", "is half published", "land again, then compact")


def _path(file: DataFile) -> str:
    return file.file_path.removeprefix("file://")


def _described(name: str, files: list[DataFile]) -> SmallFiles:
    paths = sorted(map(_path, files))
    return SmallFiles(
        table=name,
        folder=Path(paths[0]).parent,
        files=tuple(paths),
        bytes=sum(file.file_size_in_bytes for file in files),
        rows=sum(file.record_count for file in files),
    )
