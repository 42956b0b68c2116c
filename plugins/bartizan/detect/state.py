"""What a detector has learned, kept in a folder of Parquet files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.detect.arrays import from_columns, join, to_columns
from bartizan.detect.calendar import HOURS, Calendar
from bartizan.detect.counted import Counted, CountMemory
from bartizan.detect.gauged import Gauged, GaugeMemory
from bartizan.detect.habit import Habit
from bartizan.detect.judge import Part
from bartizan.detect.newcomers import Newcomers
from bartizan.detect.panel import Flags, Floats, Integers, interval_starts
from bartizan.detect.season import Season
from bartizan.detect.shards import each_shard
from bartizan.detect.told import Told
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, format_time, parse_time

if TYPE_CHECKING:
    from upath import UPath

VERSION = 2
KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "counted": (Counted, CountMemory),
    "gauged": (Gauged, GaugeMemory),
}
_HOURLY = Counted.SHAPES.keys() | Season.SHAPES.keys()
_MEMORY = ("memory.", "told.")
_SERIES = "series.parquet"
_AGAIN = "learn again from history; the state is rebuilt from it at any time"


@dataclass(frozen=True)
class MeasureState:
    """One measure of every series; rows in the order of `DetectorState.keys`.

    `parts` are the models of the series that have one. `points` (S) intervals since the series
    appeared, `level` (S) its mean since then, `active` (S) whether there are enough of them.
    `newcomers` is how series first appear, for counts.
    """

    parts: tuple[Part, ...]
    points: Integers
    level: Floats
    active: Flags
    newcomers: Newcomers | None


@dataclass(frozen=True)
class DetectorState:
    """`learned` is the window of history; `points` its covered intervals; `keys` (S rows) the
    dimension values of the series; `measures` by name.
    """

    version: int
    connector: str
    dimensions: tuple[str, ...]
    frequency: timedelta
    learned: Window
    points: int
    ready: bool
    keys: pd.DataFrame
    measures: dict[str, MeasureState]

    @property
    def series(self) -> pd.DataFrame:
        """A row per series and measure: dimensions, measure, status, points, level, model."""
        parts = [
            self.keys.assign(
                measure=name,
                status=np.where(state.active, "ACTIVE", "LEARNING"),
                points=state.points,
                level=state.level,
                model=_kinds(state),
            )
            for name, state in self.measures.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def check(self, connector: Connector) -> None:
        """Raise ConfigError unless this was learned for the connector as it is now."""
        learned = (self.connector, self.dimensions, self.frequency, tuple(self.measures))
        asked = (
            connector.name,
            connector.dimensions,
            connector.frequency,
            tuple(measure.name for measure in connector.measures),
        )
        if learned != asked:
            raise ConfigError(
                f"{connector.name}: detector state",
                f"it was learned for {learned}, the connector says {asked}",
                "learn again from history",
            )

    def save(self, folder: UPath) -> None:
        """Write the files of a new folder: series.parquet, and one per measure and model, named
        by their numbers. Equal states give equal bytes."""
        folder.mkdir(parents=True)
        facts = {
            "version": self.version,
            "connector": self.connector,
            "dimensions": self.dimensions,
            "frequency_seconds": int(self.frequency.total_seconds()),
            "learned": self.learned.as_json(),
            "points": self.points,
            "ready": self.ready,
            "measures": {
                name: {
                    "parts": [(_kind(part), len(part.rows)) for part in state.parts],
                    "newcomers": asdict(state.newcomers) if state.newcomers else None,
                }
                for name, state in self.measures.items()
            },
        }
        text = json.dumps(facts, sort_keys=True)
        columns = {
            f"dimension.{name}": pa.array(self.keys[name], pa.string()) for name in self.keys
        }
        for number, state in enumerate(self.measures.values()):
            columns |= {
                f"{number}.points": pa.array(state.points),
                f"{number}.level": pa.array(state.level),
                f"{number}.active": pa.array(state.active),
            }
        _write(folder / _SERIES, pa.table(columns), text)
        parts = [
            (folder / f"{number}_{place}.parquet", part)
            for number, state in enumerate(self.measures.values())
            for place, part in enumerate(state.parts)
        ]
        each_shard(lambda one: _write(parts[one][0], _part_table(parts[one][1])), len(parts))

    def save_memory(self, folder: UPath) -> None:
        """Add to the folder of a saved state what its series have done since."""
        for number, state in enumerate(self.measures.values()):
            if state.parts:
                columns = to_columns(join([part.memory for part in state.parts]), "memory")
                columns |= to_columns(join([part.told for part in state.parts]), "told")
                unfinished = folder / f"memory_{number}.tmp"
                _write(unfinished, pa.table(columns), format_time(self.seen))
                unfinished.rename(folder / f"memory_{number}.parquet")

    @classmethod
    def load(cls, folder: UPath, window: Window | None = None) -> DetectorState:
        """Read a saved state, or no more of it than what scores `window`, a memory saved later
        among it unless that goes beyond the window's start.

        Raises ConfigError for a folder of another version or kind.
        """
        table = _read(folder / _SERIES)
        facts = json.loads(_text(table) or "{}")
        if facts.get("version") != VERSION:
            raise ConfigError(
                f"{folder}: version", f"{facts.get('version')} is not {VERSION}", _AGAIN
            )
        numbers = [number for number, about in enumerate(facts["measures"].values()) if about["parts"]]
        frequency, seen = timedelta(seconds=facts["frequency_seconds"]), parse_time(facts["seen"])
        memories = _memories(folder, numbers, window.start) if window else {}
        seen = parse_time(_text(memories[numbers[0]])) if memories else seen
        hours = _hours(Window(seen, window.end), frequency) if window else None
        names = facts["dimensions"]
        keys = {name: table.column(f"dimension.{name}").to_pandas() for name in names}
        measures = {
            name: _measure(folder, number, table, about, hours, memories.get(number))
            for number, (name, about) in enumerate(facts["measures"].items())
        }
        return cls(
            facts["version"],
            facts["connector"],
            tuple(names),
            frequency,
            Window.from_json(facts["learned"]),
            facts["points"],
            facts["ready"],
            facts["shard"],
            pd.DataFrame(keys, index=range(len(table))),
            measures,
            seen,
        )


def _memories(folder: UPath, numbers: list[int], start: datetime) -> dict[int, pa.Table]:
    """Memory saved for each of these measures, if it ends by `start`, and at one time for all."""
    paths = {number: folder / f"memory_{number}.parquet" for number in numbers}
    if not paths or not all(path.exists() for path in paths.values()):
        return {}
    tables = {number: _read(path) for number, path in paths.items()}
    ends = {_text(table) for table in tables.values()}
    return tables if len(ends) == 1 and parse_time(ends.pop()) <= start else {}


def _hours(window: Window, frequency: timedelta) -> set[int]:
    """Places in a profile that are needed in a window."""
    calendar = Calendar.of(interval_starts(window, frequency), frequency)
    hours = [calendar.day_type * HOURS + hour for hour in (calendar.left, calendar.right)]
    return set(np.concatenate(hours).tolist())


def _measure(
    folder: UPath,
    number: int,
    table: pa.Table,
    about: dict[str, Any],
    hours: set[int] | None,
    memory: pa.Table | None,
) -> MeasureState:
    points, level, active = (
        table.column(f"{number}.{name}").to_numpy() for name in ("points", "level", "active")
    )

    starts = np.cumsum([0, *(series for _, series in about["parts"])]).tolist()

    def read(place: int) -> Part:
        kind, series = about["parts"][place]
        part = _read(folder / f"{number}_{place}.parquet", hours, with_memory=memory is None)
        return _part(part, part if memory is None else memory.slice(starts[place], series), kind)

    parts = each_shard(read, len(about["parts"]))
    newcomers = Newcomers(**about["newcomers"]) if about["newcomers"] else None
    return MeasureState(tuple(parts), points, level, active, newcomers)


def _part_table(part: Part) -> pa.Table:
    columns = {"row": pa.array(part.rows)}
    for name in ("model", "memory", "habit", "told"):
        columns |= to_columns(getattr(part, name), name)
    return pa.table(columns)


def _part(table: pa.Table, memory: pa.Table, kind: str) -> Part:
    model, remembered = KINDS[kind]
    return Part(
        table.column("row").to_numpy(),
        from_columns(model, table, "model"),
        from_columns(remembered, memory, "memory"),
        from_columns(Habit, table, "habit"),
        from_columns(Told, memory, "told"),
    )


def _kind(part: Part) -> str:
    return next(name for name, (model, _) in KINDS.items() if isinstance(part.model, model))


def _kinds(state: MeasureState) -> list[str]:
    names = np.full(len(state.points), "", dtype=object)
    for part in state.parts:
        names[part.rows] = _kind(part)
    return names.tolist()


def _write(path: UPath, table: pa.Table, text: str = "") -> None:
    with path.open("wb") as file:
        pq.write_table(
            table.replace_schema_metadata({"bartizan": text}),
            file,
            compression="lz4",
            use_dictionary=False,
            write_statistics=False,
        )


def _read(path: UPath, hours: set[int] | None = None, *, with_memory: bool = True) -> pa.Table:
    with path.open("rb") as file:
        try:
            parquet = pq.ParquetFile(file)
            names = [
                name
                for name in parquet.schema_arrow.names
                if _is_of(name, hours) and (with_memory or not name.startswith(_MEMORY))
            ]
            return parquet.read(names, use_threads=False)
        except pa.ArrowInvalid as error:
            raise ConfigError(str(path), "not a Parquet file", _AGAIN) from error


def _is_of(name: str, hours: set[int] | None) -> bool:
    """Whether a column is needed for these hours of a profile, None for all."""
    field, _, place = name.rpartition(".")
    return hours is None or field.rpartition(".")[2] not in _HOURLY or int(place) in hours


def _text(table: pa.Table) -> str:
    return str((table.schema.metadata or {}).get(b"bartizan", b"").decode())
