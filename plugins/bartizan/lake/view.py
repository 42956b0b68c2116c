"""Shows data files to DuckDB as one view with the table's present columns."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa


def create_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: pa.Schema,
    files: Sequence[str],
    alike: bool = False,
) -> None:
    """Create the view `name`, quoted where needed, over Parquet files of a table.

    A file written before a column, or a member of a nested column, was added shows NULL there, and
    the columns come in the order of `columns` whatever their order in the files. `alike` says that
    all files have the same columns: then DuckDB need not open each of them beforehand.
    """
    empty = "empty_" + name.replace(".", "_").replace('"', "")
    connection.register("columns", columns.empty_table())
    # A table, because what is registered with a connection is not there for its cursors.
    connection.execute(f'create table "{empty}" as from columns')
    connection.unregister("columns")
    query = f'select * from "{empty}"'
    if files:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        # Partition values are stored in the files; the path must not override them.
        query += (
            " union all by name select * from"
            f" read_parquet([{listed}], hive_partitioning = false, union_by_name = {not alike})"
        )
    connection.execute(f"create view {name} as {query}")
