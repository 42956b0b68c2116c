"""Data classes of arrays with one row per series: take rows, put in a table, get back.

Fields are arrays whose first axis are the series, or data classes of such.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bartizan.detect.panel import Integers

Rows = TypeVar("Rows")


def take(data: Rows, rows: Integers | slice) -> Rows:
    """The same of some series, in the order of `rows`."""
    parts = {
        field.name: take(part, rows) if is_dataclass(part) else part[rows]
        for field, part in _parts(data)
    }
    return type(data)(**parts)


def to_columns(data: object, prefix: str) -> dict[str, pa.Array]:
    """Columns "prefix.field", and "prefix.field.0", … for arrays of more axes."""
    columns: dict[str, pa.Array] = {}
    for field, part in _parts(data):
        name = f"{prefix}.{field.name}"
        if is_dataclass(part):
            columns |= to_columns(part, name)
        elif part.ndim == 1:
            columns[name] = pa.array(part)
        else:
            flat = part.reshape(len(part), -1)
            columns |= {
                f"{name}.{place}": pa.array(flat[:, place]) for place in range(flat.shape[1])
            }
    return columns


def from_columns(kind: type[Rows], table: pa.Table, prefix: str) -> Rows:
    """What `to_columns` was given. Arrays in `kind.SHAPES` are 0 where columns of theirs are
    missing, which costs no memory: each column lies together."""
    hints = get_type_hints(kind)
    shapes: dict[str, tuple[int, ...]] = getattr(kind, "SHAPES", {})
    parts: dict[str, Any] = {}
    for field in fields(cast(Any, kind)):
        name = f"{prefix}.{field.name}"
        if is_dataclass(hints[field.name]):
            parts[field.name] = from_columns(cast(type, hints[field.name]), table, name)
        elif name in table.column_names:
            parts[field.name] = _array(table, name)
        elif field.name in shapes:
            parts[field.name] = _shaped(table, name, shapes[field.name])
        else:
            numbered = [_array(table, column) for _, column in _numbered(table, name)]
            parts[field.name] = (
                np.stack(numbered, axis=1) if numbered else np.zeros((table.num_rows, 0))
            )
    return kind(**parts)


def _shaped(table: pa.Table, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    columns = np.zeros((int(np.prod(shape)), table.num_rows))
    for place, column in _numbered(table, name):
        columns[place] = _array(table, column)
    return columns.T.reshape(-1, *shape)


def _numbered(table: pa.Table, name: str) -> list[tuple[int, str]]:
    """Places and names of the columns of an array, in order."""
    start = f"{name}."
    places = [one.removeprefix(start) for one in table.column_names if one.startswith(start)]
    return [(place, f"{start}{place}") for place in sorted(map(int, places))]


def _array(table: pa.Table, name: str) -> NDArray[Any]:
    values: NDArray[Any] = table.column(name).to_numpy().copy()
    return values


def _parts(data: object) -> list[tuple[Any, Any]]:
    return [(field, getattr(data, field.name)) for field in fields(cast(Any, data))]
