"""Brings a table's columns up to the present release: columns are added, never taken away."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
from pyiceberg.schema import Schema, assign_fresh_schema_ids, index_by_id
from pyiceberg.table import Table

from bartizan.errors import UsageError
from bartizan.lake.schemas import TableSpec


def evolve(table: Table, spec: TableSpec) -> None:
    """Add the columns, and members of nested columns, that `spec` has and the table lacks.

    They are optional and come last; rows written before show NULL. Raises UsageError naming the
    column when the table has one that `spec` lacks, or has with another type.
    """
    have, want = _types(table.schema()), _types(_iceberg(spec.schema))
    for column, type_ in have.items():
        if want.get(column) != type_:
            raise UsageError(
                f"table {spec.name}: column {column}",
                f"is {type_} in the lake, "
                + (f"but {want[column]} here" if column in want else "but is not known here"),
                "use the release that wrote it, or a fresh BARTIZAN_LAKE",
            )
    if want.keys() - have.keys():
        with table.update_schema() as update:
            update.union_by_name(spec.schema)


def lacks_only(found: pa.Schema, expected: pa.Schema) -> bool:
    """Whether all columns of a file are columns of `expected`, as an earlier release's are."""
    return _part_of(pa.struct(found), pa.struct(expected))


def _part_of(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_struct(found) and pa.types.is_struct(expected):
        members = {member.name: member.type for member in expected}
        return all(
            member.name in members and _part_of(member.type, members[member.name])
            for member in found
        )
    if pa.types.is_list(found) and pa.types.is_list(expected):
        return _part_of(found.value_type, expected.value_type)
    return bool(found.equals(expected))


def _iceberg(schema: pa.Schema) -> Schema:
    return assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(schema))


def _types(schema: Schema) -> dict[str, str]:
    """Type by dotted name; of a nested column what it is, and its members apart."""
    fields = index_by_id(schema).items()
    names = {field_id: schema.find_column_name(field_id) or "" for field_id, _ in fields}
    return {
        names[field_id]: str(field.field_type)
        if field.field_type.is_primitive
        else type(field.field_type).__name__.removesuffix("Type").lower()
        for field_id, field in fields
    }
