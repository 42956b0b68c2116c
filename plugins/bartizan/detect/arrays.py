"""Data classes of arrays with one row per series: take rows, put in a table, get back.

Fields are arrays whose first axis are the series, or data classes of such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bartizan.detect.panel import Floats, Integers

Rows = TypeVar("Rows")


def take(data: Rows, rows: Integers) -> Rows:
    """The same of some series, in the order of `rows`."""
    parts = {
        field.name: take(part, rows) if is_dataclass(part) else part[rows]
        for field, part in _parts(data)
    }
    return type(data)(**parts)


def join(parts: Sequence[Rows]) -> Rows:
    """The same of the series of all parts, one after the other."""
    first = parts[0]
    fields_of = {
        field.name: [getattr(part, field.name) for part in parts] for field, _ in _parts(first)
    }
    joined = {
        name: join(found) if is_dataclass(found[0]) else np.concatenate(found)
        for name, found in fields_of.items()
    }
    return type(first)(**joined)


def to_numbers(data: object) -> Floats:
    """All numbers of each series (S, K), of arrays of floats."""
    found = [
        to_numbers(part) if is_dataclass(part) else part.reshape(len(part), -1)
        for _, part in _parts(data)
    ]
    numbers: Floats = np.hstack(found)
    return numbers


def from_numbers(like: Rows, numbers: Floats) -> Rows:
    """What `to_numbers` was given, of the kind and the shapes of `like`."""
    parts: dict[str, Any] = {}
    for field, part in _parts(like):
        width = to_numbers(part).shape[1] if is_dataclass(part) else part[0].size
        own, numbers = numbers[:, :width], numbers[:, width:]
        parts[field.name] = (
            from_numbers(part, own)
            if is_dataclass(part)
            else np.ascontiguousarray(own.reshape(part.shape))
        )
    return type(like)(**parts)


def as_lists(rows: NDArray[Any]) -> pa.ListArray:
    """An array of more axes as lists, of one length."""
    ends = np.linspace(0, rows.size, len(rows) + 1, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(rows.reshape(-1)))


def to_columns(data: object, prefix: str) -> dict[str, pa.Array]:
    """Columns "prefix.field"; arrays of more axes become lists, of one length in a table."""
    columns: dict[str, pa.Array] = {}
    for field, part in _parts(data):
        name = f"{prefix}.{field.name}"
        if is_dataclass(part):
            columns |= to_columns(part, name)
        elif part.ndim == 1:
            columns[name] = pa.array(part)
        else:
            columns[name] = as_lists(part)
    return columns


def from_columns(kind: type[Rows], table: pa.Table, prefix: str) -> Rows:
    """What `to_columns` was given; arrays of three axes get the shape in `kind.SHAPES`."""
    hints = get_type_hints(kind)
    shapes: dict[str, tuple[int, ...]] = getattr(kind, "SHAPES", {})
    parts: dict[str, Any] = {}
    for field in fields(cast(Any, kind)):
        name = f"{prefix}.{field.name}"
        if is_dataclass(hints[field.name]):
            parts[field.name] = from_columns(cast(type, hints[field.name]), table, name)
        else:
            parts[field.name] = to_array(table.column(name), shapes.get(field.name))
    return kind(**parts)


def to_array(column: pa.ChunkedArray, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """A column of numbers, or of lists of one length; with the `shape` of each list."""
    values = column.combine_chunks()
    listed = isinstance(values.type, pa.ListType)
    flat = values.flatten() if listed else values
    plain: NDArray[Any] = flat.to_numpy(zero_copy_only=False).copy()
    return plain.reshape(len(values), *(shape or (len(plain) // len(values),))) if listed else plain


def _parts(data: object) -> list[tuple[Any, Any]]:
    return [(field, getattr(data, field.name)) for field in fields(cast(Any, data))]
