"""What was learned of the series of a measure, as Parquet files: a row group for each shard.

One file for each measure and kind of model. What series have just done and been told changes with
every interval; it can be kept in a file of its own, of all measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.detect.arrays import (
    as_lists,
    from_columns,
    from_numbers,
    to_array,
    to_columns,
    to_numbers,
)
from bartizan.detect.counted import Counted, CountMemory
from bartizan.detect.gauged import Gauged, GaugeMemory
from bartizan.detect.habit import Tail, TwoTails
from bartizan.detect.jointly import Joint, JointPart, Means
from bartizan.detect.judge import Part
from bartizan.detect.panel import Floats
from bartizan.detect.told import Told
from bartizan.errors import ConfigError

if TYPE_CHECKING:
    from upath import UPath

KINDS: dict[str, tuple[type[Any], type[Any], type[Any]]] = {
    "counted": (Counted, CountMemory, Tail),
    "gauged": (Gauged, GaugeMemory, TwoTails),
}
AGAIN = "learn again from history; the state is rebuilt from it at any time"
_RECENT = "recent"
JOINTLY = "jointly.parquet"
AnyPart = Part | JointPart


def kind_of(part: Part) -> str:
    return next(name for name, (model, *_) in KINDS.items() if isinstance(part.model, model))


def save_parts(folder: UPath, measure: int, parts: Sequence[Part]) -> None:
    """Write the parts of a measure, given by its number. Equal parts give equal bytes."""
    for kind, same in _by_kind(parts):
        write(_path(folder, measure, kind), [_table(part) for part in same])


def load_parts(folder: UPath, measure: int, kinds: Sequence[str]) -> tuple[Part, ...]:
    """The parts of these kinds that were saved."""
    return _in_order(
        _part(table, kind) for kind in kinds for table in read(_path(folder, measure, kind))
    )


def kinds_in(folder: UPath, measure: int) -> list[str]:
    """The kinds of parts of a measure that were saved."""
    return [kind for kind in KINDS if _path(folder, measure, kind).exists()]


def save_jointly(folder: UPath, parts: Sequence[JointPart]) -> None:
    write(folder / JOINTLY, [_table(part) for part in parts])


def load_jointly(folder: UPath) -> tuple[JointPart, ...]:
    return tuple(
        JointPart(*_columns(table, Joint, Means, Tail)) for table in read(folder / JOINTLY)
    )


def save_recent(path: UPath, parts: Sequence[AnyPart]) -> None:
    """Write only what the last intervals have left in the parts; the file is there at once."""
    fresh = path.with_name(f"{uuid4().hex}_{path.name}")
    tables = [pa.table({_RECENT: as_lists(to_numbers(_recent(part)))}) for part in parts]
    write(fresh, tables)
    fresh.replace(path)


def load_recent(path: UPath, parts: Sequence[AnyPart]) -> list[AnyPart]:
    """The parts with what `save_recent` wrote of the same ones."""
    return [
        _with_recent(part, to_array(table.column(_RECENT)))
        for part, table in zip(parts, read(path), strict=True)
    ]


@dataclass(frozen=True)
class _Recent:
    memory: Any
    told: Told


def _recent(part: AnyPart) -> _Recent:
    return _Recent(part.memory, part.told)


def _with_recent(part: AnyPart, numbers: Floats) -> AnyPart:
    found = from_numbers(_recent(part), numbers)
    return replace(part, memory=found.memory, told=found.told)


def _by_kind(parts: Sequence[Part]) -> list[tuple[str, list[Part]]]:
    kinds = sorted({kind_of(part) for part in parts})
    return [(kind, [part for part in parts if kind_of(part) == kind]) for kind in kinds]


def _in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: int(part.rows[0])))


def write(path: UPath, tables: Sequence[pa.Table]) -> None:
    """A row group for each table; they have one schema."""
    schema = tables[0].schema
    with (
        path.open("wb") as file,
        pq.ParquetWriter(file, schema, compression="lz4", use_dictionary=False) as writer,
    ):
        for table in tables:
            writer.write_table(table, row_group_size=max(len(table), 1))


def read(path: UPath) -> Iterator[pa.Table]:
    """One row group after the other. Raises ConfigError for a file that is not there or whole."""
    with _opened(path) as stored:
        for group in range(stored.num_row_groups):
            yield stored.read_row_group(group)


def read_group(path: UPath, group: int) -> pa.Table:
    """One row group. Raises as `read`."""
    with _opened(path) as stored:
        return stored.read_row_group(group)


@contextmanager
def _opened(path: UPath) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as file:
            yield pq.ParquetFile(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(str(path), "is not there, or no whole Parquet file", AGAIN) from error


def _path(folder: UPath, measure: int, kind: str) -> UPath:
    return folder / f"{measure}_{kind}.parquet"


def _table(part: AnyPart) -> pa.Table:
    columns = {"row": pa.array(part.rows)}
    for name in ("model", "memory", "habit", "told"):
        columns |= to_columns(getattr(part, name), name)
    return pa.table(columns)


def _part(table: pa.Table, kind: str) -> Part:
    return Part(*_columns(table, *KINDS[kind]))


def _columns(table: pa.Table, model: type[Any], memory: type[Any], habit: type[Any]) -> list[Any]:
    """What a part is made of."""
    return [
        table.column("row").to_numpy(),
        from_columns(model, table, "model"),
        from_columns(memory, table, "memory"),
        from_columns(habit, table, "habit"),
        from_columns(Told, table, "told"),
    ]
