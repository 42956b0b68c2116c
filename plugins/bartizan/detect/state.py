"""What a detector has learned, kept in a folder of Parquet files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.detect.arrays import from_columns, to_columns
from bartizan.detect.counted import Counted, CountMemory
from bartizan.detect.gauged import Gauged, GaugeMemory
from bartizan.detect.habit import Habit
from bartizan.detect.judge import Part
from bartizan.detect.newcomers import Newcomers
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.told import Told
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window

if TYPE_CHECKING:
    from upath import UPath

VERSION = 2
KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "counted": (Counted, CountMemory),
    "gauged": (Gauged, GaugeMemory),
}
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
    dimension values of the series; `measures` by name. A part has series of one shard, of `shard`
    series each (`shards.py`).
    """

    version: int
    connector: str
    dimensions: tuple[str, ...]
    frequency: timedelta
    learned: Window
    points: int
    ready: bool
    shard: int
    keys: pd.DataFrame
    measures: dict[str, MeasureState]
    seen: datetime

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
            "shard": self.shard,
            "measures": {
                name: {
                    "parts": [_kind(part) for part in state.parts],
                    "newcomers": asdict(state.newcomers) if state.newcomers else None,
                }
                for name, state in self.measures.items()
            },
        }
        text = json.dumps(facts)
        columns = {
            f"dimension.{name}": pa.array(self.keys[name], pa.string()) for name in self.keys
        }
        for number, state in enumerate(self.measures.values()):
            columns |= {
                f"{number}.points": pa.array(state.points),
                f"{number}.level": pa.array(state.level),
                f"{number}.active": pa.array(state.active),
            }
            for place, part in enumerate(state.parts):
                _write(folder / f"{number}_{place}.parquet", pa.table(_columns(part)))
        _write(folder / _SERIES, pa.table(columns).replace_schema_metadata({"bartizan": text}))

    @classmethod
    def load(cls, folder: UPath) -> DetectorState:
        """Read a saved state. Raises ConfigError for a folder of another version or kind."""
        table = _read(folder / _SERIES)
        facts = json.loads((table.schema.metadata or {}).get(b"bartizan", b"{}"))
        if facts.get("version") != VERSION:
            raise ConfigError(
                f"{folder}: version", f"{facts.get('version')} is not {VERSION}", _AGAIN
            )
        names = facts["dimensions"]
        keys = {name: table.column(f"dimension.{name}").to_pandas() for name in names}
        return cls(
            facts["version"],
            facts["connector"],
            tuple(names),
            timedelta(seconds=facts["frequency_seconds"]),
            Window.from_json(facts["learned"]),
            facts["points"],
            facts["ready"],
            facts["shard"],
            pd.DataFrame(keys, index=range(len(table))),
            {
                name: _measure(folder, number, table, about)
                for number, (name, about) in enumerate(facts["measures"].items())
            },
            Window.from_json(facts["learned"]).end,
        )


def _measure(folder: UPath, number: int, table: pa.Table, about: dict[str, Any]) -> MeasureState:
    points, level, active = (
        table.column(f"{number}.{name}").to_numpy() for name in ("points", "level", "active")
    )
    parts = [
        _part(_read(folder / f"{number}_{place}.parquet"), kind)
        for place, kind in enumerate(about["parts"])
    ]
    newcomers = Newcomers(**about["newcomers"]) if about["newcomers"] else None
    return MeasureState(tuple(parts), points, level, active, newcomers)


def _columns(part: Part) -> dict[str, pa.Array]:
    columns = {"row": pa.array(part.rows)}
    for name in ("model", "memory", "habit", "told"):
        columns |= to_columns(getattr(part, name), name)
    return columns


def _part(table: pa.Table, kind: str) -> Part:
    model, memory = KINDS[kind]
    return Part(
        table.column("row").to_numpy(),
        from_columns(model, table, "model"),
        from_columns(memory, table, "memory"),
        from_columns(Habit, table, "habit"),
        from_columns(Told, table, "told"),
    )


def _kind(part: Part) -> str:
    return next(name for name, (model, _) in KINDS.items() if isinstance(part.model, model))


def _kinds(state: MeasureState) -> list[str]:
    names = np.full(len(state.points), "", dtype=object)
    for part in state.parts:
        names[part.rows] = _kind(part)
    return names.tolist()


def _write(path: UPath, table: pa.Table) -> None:
    with path.open("wb") as file:
        pq.write_table(table, file, compression="lz4", use_dictionary=False)


def _read(path: UPath) -> pa.Table:
    with path.open("rb") as file:
        try:
            return pq.read_table(file)
        except pa.ArrowInvalid as error:
            raise ConfigError(str(path), "not a Parquet file", _AGAIN) from error
