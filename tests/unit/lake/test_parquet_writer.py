"""The settings of the Parquet writer reach every column, however deep, of both kinds of schema."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bartizan.lake import Lake
from bartizan.lake.parquet import HARDLY_REPEATING, leaves, numbered, parquet_writer
from bartizan.lake.schemas import LANDED


@pytest.mark.parametrize("name", LANDED)
def test_parquet_finds_every_path_as_it_is_named(tmp_path: Path, name: str) -> None:
    staged = LANDED[name].schema
    compacted = Lake.open(tmp_path / "lake").table(name).schema().as_arrow()  # with large lists
    for number, schema in enumerate((staged, compacted)):
        file = tmp_path / f"{number}.parquet"
        with parquet_writer(file, schema) as writer:
            writer.write_table(pa.Table.from_pylist([{}] * 3, schema=schema))
        metadata = pq.read_metadata(file)
        columns = [metadata.row_group(0).column(index) for index in range(metadata.num_columns)]
        assert [one.path_in_schema for one in columns] == leaves(schema)
        plain = {one.path_in_schema for one in columns if "RLE_DICTIONARY" not in one.encodings}
        booleans = {one.name for one in schema if pa.types.is_boolean(one.type)}  # never have one
        assert plain == booleans | set(HARDLY_REPEATING) & set(schema.names)
        flat = {one.path_in_schema for one in columns if one.is_stats_set}
        assert flat == set(leaves(schema)) & set(schema.names)


@pytest.mark.parametrize("name", LANDED)
def test_files_carry_the_numbers_of_their_columns(tmp_path: Path, name: str) -> None:
    table = Lake.open(tmp_path / "lake").table(name)
    schema = numbered(LANDED[name].schema, table.schema())
    assert schema.equals(LANDED[name].schema)  # but for the numbers

    with parquet_writer(tmp_path / "x.parquet", schema) as writer:
        writer.write_table(pa.Table.from_pylist([{}] * 3, schema=LANDED[name].schema))

    found = pq.ParquetFile(tmp_path / "x.parquet").schema_arrow
    expected = table.schema().as_arrow()
    assert _numbers(found) == _numbers(expected)
    assert len(_numbers(found)) == len(list(table.schema().field_ids))


def _numbers(schema: pa.Schema) -> list[int]:
    def of(field: pa.Field) -> list[int]:
        kind = field.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            inner = [kind.value_field]
        elif pa.types.is_map(kind):
            inner = [kind.key_field, kind.item_field]
        else:
            inner = list(kind) if pa.types.is_struct(kind) else []
        own = int(field.metadata[b"PARQUET:field_id"])
        return [own, *(number for one in inner for number in of(one))]

    return [number for field in schema for number in of(field)]
