"""Describes Parquet files to Iceberg.

What pyiceberg's `Table.add_files` does, but the schema of equal files is checked once: that check
takes 25 ms, and a batch has a file per hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    MetricModeTypes,
    MetricsMode,
    _check_pyarrow_schema_compatible,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table.metadata import TableMetadata

_NONE = MetricsMode(MetricModeTypes.NONE)


def data_files(table: TableMetadata, files: Sequence[Path]) -> Iterator[DataFile]:
    """One entry per file. Raises ValueError when a file does not have the table's columns."""
    schema = table.schema()
    flat = {field.field_id for field in schema.fields}  # members of nested columns have other ids
    plan = {
        field_id: column if field_id in flat else replace(column, mode=_NONE)
        for field_id, column in compute_statistics_plan(schema, table.properties).items()
    }
    field_ids = parquet_path_to_id_mapping(schema)
    checked: list[pa.Schema] = []
    for file in files:
        parquet = pq.read_metadata(file)
        columns = parquet.schema.to_arrow_schema()
        if columns not in checked:
            _check_pyarrow_schema_compatible(schema, columns, format_version=table.format_version)
            checked.append(columns)
        statistics = data_file_statistics_from_parquet_metadata(
            parquet_metadata=parquet,
            stats_columns=plan,
            parquet_column_mapping=field_ids,
        )
        yield DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=f"file://{file}",
            file_format=FileFormat.PARQUET,
            partition=statistics.partition(table.spec(), schema),
            file_size_in_bytes=file.stat().st_size,
            sort_order_id=None,
            spec_id=table.default_spec_id,
            equality_ids=None,
            key_metadata=None,
            **statistics.to_serialized_dict(),
        )
