"""The AWS WAF log record in the type systems of the contenders, all from one description."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pyarrow as pa

from bartizan.land.shape import BOUNDS, INT32, INT64, JSON_TEXT, RECORD, TEXT, Shape


def sql_columns() -> str:
    """For `columns` of DuckDB's read_json."""
    return "{" + ", ".join(f"'{name}': '{_sql(shape)}'" for name, shape in RECORD.items()) + "}"


def arrow_schema() -> pa.Schema:
    return pa.schema([(name, _arrow(shape)) for name, shape in RECORD.items()])


def polars_schema() -> dict[str, Any]:
    import polars as pl  # noqa: PLC0415

    return {field.name: _polars(field.type, pl) for field in arrow_schema()}


def strict_type(shape: Shape, name: str = "Record") -> Any:
    """A msgspec type that accepts exactly the shape: no other member, no other type.

    Members may be absent or null; the value itself and the items of lists may not.
    """
    if isinstance(shape, dict):
        fields = [(key, _nullable(member, key), None) for key, member in shape.items()]
        return msgspec.defstruct(name, fields, forbid_unknown_fields=True, gc=False)
    if isinstance(shape, list):
        return list[strict_type(shape[0], name)]  # type: ignore[misc]
    if shape == TEXT:
        return str
    low, high = BOUNDS[shape]
    return Annotated[int, msgspec.Meta(ge=low, le=high)]


def _sql(shape: Shape) -> str:
    if isinstance(shape, dict):
        members = ", ".join(f'"{name}" {_sql(member)}' for name, member in shape.items())
        return f"STRUCT({members})"
    return f"{_sql(shape[0])}[]" if isinstance(shape, list) else shape


def _arrow(shape: Shape) -> pa.DataType:
    if isinstance(shape, dict):
        return pa.struct([(name, _arrow(member)) for name, member in shape.items()])
    if isinstance(shape, list):
        return pa.list_(_arrow(shape[0]))
    return {INT32: pa.int32(), INT64: pa.int64()}.get(shape, pa.string())


def _polars(kind: pa.DataType, pl: Any) -> Any:
    if pa.types.is_struct(kind):
        return pl.Struct({field.name: _polars(field.type, pl) for field in kind})
    if pa.types.is_list(kind):
        return pl.List(_polars(kind.value_type, pl))
    return {pa.int32(): pl.Int32, pa.int64(): pl.Int64}.get(kind, pl.String)


def _nullable(shape: Shape, name: str) -> Any:
    if shape == JSON_TEXT:
        return None  # null in all published records; anything else is looked at one by one
    return strict_type(shape, name) | None
