"""How the data files of the lake are written, by landing and by compaction alike.

What each setting is worth is measured in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.schema import Schema

HARDLY_REPEATING = ("event_time", "event_ms", "request_id", "record_hash", "source_offset")


def parquet_writer(
    sink: Path | pa.NativeFile, schema: pa.Schema, store_schema: bool = True
) -> pq.ParquetWriter:
    """A writer with statistics of the flat columns only: nobody prunes by nested ones, and they
    would cost a quarter of the time to write. Dictionaries of columns that hardly repeat would
    make the file an eighth larger. Without `store_schema` readers see Parquet's types, not Arrow's.
    """
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        write_statistics=[field.name for field in schema if not pa.types.is_nested(field.type)],
        use_dictionary=leaves(field for field in schema if field.name not in HARDLY_REPEATING),
        store_schema=store_schema,
    )


def numbered(schema: pa.Schema, table: Schema) -> pa.Schema:
    """The schema with the field ids of the table's columns of the same names, nested ones too.

    Iceberg tells columns by these numbers; not all readers go by the names where they are missing.
    A column that the table does not have yet stays without.
    """
    like = pa.struct(table.as_arrow())
    return pa.schema([_member(field, like) for field in schema])


def _member(field: pa.Field, like: pa.StructType) -> pa.Field:
    place = like.get_field_index(field.name)
    return field if place < 0 else _numbered(field, like.field(place))


def _numbered(field: pa.Field, like: pa.Field) -> pa.Field:
    kind, other = field.type, like.type
    if pa.types.is_list(kind):
        kind = pa.list_(_numbered(kind.value_field, other.value_field))
    elif pa.types.is_map(kind):
        kind = pa.map_(
            _numbered(kind.key_field, other.key_field),
            _numbered(kind.item_field, other.item_field),
        )
    elif pa.types.is_struct(kind):
        kind = pa.struct([_member(one, other) for one in kind])
    return field.with_type(kind).with_metadata(like.metadata)


def leaves(fields: Iterable[pa.Field]) -> list[str]:
    """Paths of the flat columns that Parquet makes of the fields."""
    return [path for field in fields for path in _leaves(field, field.name)]


def _leaves(field: pa.Field, path: str) -> Iterator[str]:
    kind = field.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _leaves(kind.value_field, f"{path}.list.element")
    elif pa.types.is_map(kind):
        yield from _leaves(kind.key_field, f"{path}.key_value.key")
        yield from _leaves(kind.item_field, f"{path}.key_value.value")
    elif pa.types.is_struct(kind):
        for member in kind:
            yield from _leaves(member, f"{path}.{member.name}")
    else:
        yield path
