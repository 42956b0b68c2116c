"""Expiry: whole days leave a table, so that no file is rewritten and none is half kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.utils.datetime import days_to_date

from bartizan.lake.catalog import Lake
from bartizan.lake.lock import locked
from bartizan.lake.read import current_files
from bartizan.lake.replace import remove_files

PARTITION = "event_date"
EXPIRY = "bartizan.expiry"


@dataclass(frozen=True)
class Expiry:
    """What leaves a table: everything before the day `first`, which stays."""

    table: str
    first: date
    days: tuple[date, ...]
    files: int
    bytes: int
    rows: int


def expire(lake: Lake, name: str, first: date, dry_run: bool = True) -> Expiry:
    """The days of a table before `first`; taken out by one atomic commit unless it is a dry run.

    The files stay on disk until they are swept (`lake/sweep.py`): until then an earlier snapshot
    still has the rows. Raises TransientError, changing nothing, when another writer replaced one
    of the files meanwhile.
    """
    with locked(lake.root, "publish"):
        table = lake.table(name)
        old = {file: day for file in current_files(table) if (day := _day(table, file)) < first}
        if old and not dry_run:
            remove_files(table, old.keys(), {EXPIRY: first.isoformat()})
    return Expiry(
        table=name,
        first=first,
        days=tuple(sorted(set(old.values()))),
        files=len(old),
        bytes=sum(file.file_size_in_bytes for file in old),
        rows=sum(file.record_count for file in old),
    )


def _day(table: Table, file: DataFile) -> date:
    position = [field.name for field in table.spec().fields].index(PARTITION)
    return days_to_date(file.partition[position])
