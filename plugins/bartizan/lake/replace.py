"""Takes whole files out of a table and puts others in, by one atomic commit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from bartizan.errors import TransientError
from bartizan.lake.data_files import data_files


def replace_files(
    table: Table,
    removed: Collection[DataFile],
    added: Sequence[Path],
    properties: dict[str, str],
    rows: int = 0,
) -> None:
    """Commit `added`, which hold `rows`, in place of exactly the `removed` files.

    No delete files are written. The removed files stay on disk for readers that planned them
    before. Raises TransientError, changing nothing, when another writer took one out first.
    """
    try:
        with table.transaction() as transaction:
            snapshot = transaction.update_snapshot(snapshot_properties=properties)
            with snapshot.overwrite() as overwrite:
                for old in removed:
                    overwrite.delete_data_file(old)
                described = list(data_files(transaction.table_metadata, added))
                assert sum(new.record_count for new in described) == rows, "rows were lost"
                for new in described:
                    overwrite.append_data_file(new)
    except (CommitFailedException, ValidationException) as error:
        raise TransientError(
            ".".join(table.name()), "another writer changed the same files", "run it again"
        ) from error
