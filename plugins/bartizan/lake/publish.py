"""The only two ways rows become visible: adding a batch's files, replacing a window."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.table import Table, TableProperties
from pyiceberg.table.snapshots import Snapshot

from bartizan.errors import TransientError, UsageError
from bartizan.lake.data_files import data_files
from bartizan.lake.read import within
from bartizan.lake.transaction import transaction
from bartizan.model.window import Window, naive

BATCH = "bartizan.batch_id"


def published(table: Table, batch_id: str) -> bool:
    """Whether a commit of this batch is in the table's history."""
    return batch_id in batches_in(table)


def batches_in(table: Table) -> set[str]:
    """Ids of all batches with a commit in the table's history."""
    return {batch for snapshot in table.snapshots() if (batch := batch_of(snapshot)) is not None}


def batch_of(snapshot: Snapshot) -> str | None:
    """The batch a commit belongs to; None for upkeep."""
    return snapshot.summary.additional_properties.get(BATCH) if snapshot.summary else None


def add_files(table: Table, files: Sequence[Path], batch_id: str) -> bool:
    """Make already written Parquet files part of the table in one atomic commit.

    Returns False, changing nothing, when the batch was committed before: the way a re-run after a
    crash between two commits ends with each file in the table once.
    """
    if published(table, batch_id):
        return False
    with transaction(table) as changes:
        if changes.table_metadata.name_mapping() is None:  # the files carry no field ids
            mapping = changes.table_metadata.schema().name_mapping.model_dump_json()
            changes.set_properties({TableProperties.DEFAULT_NAME_MAPPING: mapping})
        snapshot = changes.update_snapshot(snapshot_properties={BATCH: batch_id})
        with snapshot.fast_append() as append:
            for file in data_files(changes.table_metadata, sorted(files)):
                append.append_data_file(file)
    return True


def replace_window(
    table: Table, rows: pa.Table, window: Window, column: str, batch_id: str
) -> None:
    """Replace the rows whose `column` lies in `window` by `rows`, in one atomic commit.

    Raises UsageError when a row lies outside the window: Iceberg would accept it silently and the
    next rebuild would then leave it behind. Raises TransientError when rows of the window were
    committed since `table` was loaded.
    """
    start, end = naive(window.start), naive(window.end)
    times = rows.column(column)
    outside = pc.sum(pc.or_(pc.less(times, start), pc.greater_equal(times, end))).as_py() or 0
    if outside:
        raise UsageError(
            f"{'.'.join(table.name())}: {column}",
            f"{outside} of {rows.num_rows} rows lie outside {window}",
            "the query must return exactly its window",
        )
    with warnings.catch_warnings():
        # A window that is built for the first time has nothing to delete.
        warnings.filterwarnings("ignore", "Delete operation did not match any records")
        try:
            with transaction(table) as changes:
                changes.overwrite(
                    rows,
                    overwrite_filter=within(column, window),
                    snapshot_properties={BATCH: batch_id},
                )
        except (CommitFailedException, ValidationException) as error:
            raise TransientError(
                ".".join(table.name()), f"another worker changed {window}", "run it again"
            ) from error
