"""Takes whole files out of a table, and puts others in their place, by one atomic commit.

No delete files are written. The files that are taken out stay on disk for readers that planned them
before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from bartizan.errors import SourceError, TransientError
from bartizan.lake.data_files import data_files
from bartizan.lake.transaction import transaction


def replace_files(
    table: Table, removed: Collection[DataFile], added: Sequence[Path], properties: dict[str, str]
) -> None:
    """Commit `added` in place of exactly the `removed` files, whose rows they hold.

    Changes nothing when it raises: SourceError when `added` hold another number of rows,
    TransientError when another writer took one of the files out first.
    """
    described = list(data_files(table.metadata, added))
    before, after = _rows(removed), _rows(described)
    if before != after:
        raise SourceError(
            _name(table),
            f"{len(removed)} files of {before:,} rows became {after:,} rows",
            "look for a data file that was changed; nothing was replaced",
        )
    _commit(table, removed, described, properties)


def remove_files(table: Table, removed: Collection[DataFile], properties: dict[str, str]) -> None:
    """Take exactly these files out of the table, with their rows.

    Raises TransientError, changing nothing, when another writer took one of them out first.
    """
    _commit(table, removed, [], properties)


def _commit(
    table: Table,
    removed: Collection[DataFile],
    added: Collection[DataFile],
    properties: dict[str, str],
) -> None:
    try:
        with transaction(table) as changes:
            snapshot = changes.update_snapshot(snapshot_properties=properties)
            with snapshot.overwrite() as overwrite:
                for old in removed:
                    overwrite.delete_data_file(old)
                for new in added:
                    overwrite.append_data_file(new)
    except (CommitFailedException, ValidationException) as error:
        raise TransientError(
            _name(table), "another writer changed the same files", "run it again"
        ) from error


def _rows(files: Collection[DataFile]) -> int:
    return sum(file.record_count for file in files)


def _name(table: Table) -> str:
    return ".".join(table.name())
