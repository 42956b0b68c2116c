"""What was learned of a run of series, as a folder of Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from bartizan.detect.arrays import as_lists, to_array
from bartizan.detect.categories import Categories, Watched
from bartizan.detect.fit import Fitted
from bartizan.detect.parts import (
    JOINTLY,
    kinds_in,
    load_jointly,
    load_parts,
    read,
    save_jointly,
    save_parts,
    write,
)

if TYPE_CHECKING:
    from upath import UPath


def save_fitted(folder: UPath, fitted: Fitted) -> None:
    folder.mkdir()
    for number, parts in enumerate(fitted.parts):
        save_parts(folder, number, parts)
    if fitted.jointly:
        save_jointly(folder, fitted.jointly)
    for number, watched in enumerate(fitted.watched):
        if watched and len(watched.categories.rows):
            write(_path(folder, number), [_table(watched)])


def load_fitted(folder: UPath, categories: Sequence[Categories | None]) -> Fitted:
    """What was saved, given the categories of each measure among all series."""
    parts = [
        load_parts(folder, number, kinds_in(folder, number)) for number in range(len(categories))
    ]
    watched = [_watched(_path(folder, number), one) for number, one in enumerate(categories)]
    jointly = load_jointly(folder) if (folder / JOINTLY).exists() else ()
    return Fitted(parts, jointly, watched)


def _table(watched: Watched) -> pa.Table:
    columns = {"row": pa.array(watched.categories.rows)}
    columns |= {"value": as_lists(watched.values), "expected": as_lists(watched.expected)}
    return pa.table(columns)


def _watched(path: UPath, categories: Categories | None) -> Watched | None:
    if categories is None or not path.exists():
        return None
    (table,) = read(path)
    mine = categories.among(table.column("row").to_numpy())
    return Watched(mine, to_array(table.column("value")), to_array(table.column("expected")))


def _path(folder: UPath, number: int) -> UPath:
    return folder / f"{number}_watched.parquet"
