"""What a detector has learned, kept in one Parquet file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bartizan.detect.calendar import DAY_TYPES, HOURS, SLOTS
from bartizan.detect.newcomers import Newcomers
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.views import Baseline
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window

if TYPE_CHECKING:
    from upath import UPath

VERSION = 1
TESTS = ("above", "below", "sum_above", "sum_below")
_PREFIX = "dimension."  # keeps a dimension named "points" apart from ours


@dataclass(frozen=True)
class MeasureState:
    """One measure of every series; rows in the order of `DetectorState.keys`.

    `habit` (S, 4, order of TESTS) divides rarities: 1 for a series that keeps to its model.
    `points` (S) intervals since the series appeared, `level` (S) its mean since then,
    `active` (S) whether there are enough of them.
    """

    baseline: Baseline
    habit: Floats
    points: Integers
    level: Floats
    active: Flags
    newcomers: Newcomers


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
        """A row per series and measure: dimensions, measure, status, points, level, dispersion."""
        parts = [
            self.keys.assign(
                measure=name,
                status=np.where(state.active, "ACTIVE", "LEARNING"),
                points=state.points,
                level=state.level,
                dispersion=state.baseline.dispersion,
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

    def save(self, path: UPath) -> None:
        """Write one Parquet file; equal states give equal bytes."""
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
                    "is_count": state.baseline.is_count,
                    "newcomers": asdict(state.newcomers),
                }
                for name, state in self.measures.items()
            },
        }
        rows = pa.concat_tables(
            _as_table(self.keys, name, state) for name, state in self.measures.items()
        )
        text = json.dumps(facts, sort_keys=True)
        with path.open("wb") as file:
            pq.write_table(rows.replace_schema_metadata({"bartizan": text}), file)

    @classmethod
    def load(cls, path: UPath) -> DetectorState:
        """Read a saved state. Raises ConfigError for a file of another version or kind."""
        with path.open("rb") as file:
            try:
                table = pq.read_table(file)
            except pa.ArrowInvalid as error:
                raise ConfigError(str(path), "not a Parquet file", _AGAIN) from error
        facts = json.loads((table.schema.metadata or {}).get(b"bartizan", b"{}"))
        if facts.get("version") != VERSION:
            raise ConfigError(
                f"{path}: version", f"{facts.get('version')} is not {VERSION}", _AGAIN
            )
        names = tuple(facts["dimensions"])
        frame = table.to_pandas()
        parts = {name: frame[frame["measure"] == name] for name in facts["measures"]}
        some = next(iter(parts.values()))
        keys = some[[_PREFIX + name for name in names]].reset_index(drop=True)
        return cls(
            facts["version"],
            facts["connector"],
            names,
            timedelta(seconds=facts["frequency_seconds"]),
            Window.from_json(facts["learned"]),
            facts["points"],
            facts["ready"],
            keys.set_axis(list(names), axis=1),
            {name: _from_frame(parts[name], facts["measures"][name]) for name in parts},
        )


_AGAIN = "learn again from history; the state is rebuilt from it at any time"


def _as_table(keys: pd.DataFrame, measure: str, state: MeasureState) -> pa.Table:
    base = state.baseline
    columns = {_PREFIX + name: pa.array(keys[name], pa.string()) for name in keys.columns}
    columns |= {
        "measure": pa.array([measure] * len(keys), pa.string()),
        "points": pa.array(state.points),
        "active": pa.array(state.active),
        "level": pa.array(state.level),
        "dispersion": pa.array(base.dispersion),
        "sum_dispersion": pa.array(base.sum_dispersion),
        "habit": _lists(state.habit, len(TESTS)),
        "mean": _lists(base.mean, SLOTS),
        "doubt": _lists(base.doubt, SLOTS),
    }
    return pa.table(columns)


def _from_frame(rows: pd.DataFrame, facts: dict[str, object]) -> MeasureState:
    grid = (len(rows), DAY_TYPES, HOURS)
    newcomers = facts["newcomers"]
    assert isinstance(newcomers, dict)
    return MeasureState(
        Baseline(
            bool(facts["is_count"]),
            _stacked(rows["mean"]).reshape(grid),
            _stacked(rows["doubt"]).reshape(grid),
            rows["dispersion"].to_numpy(),
            rows["sum_dispersion"].to_numpy(),
        ),
        _stacked(rows["habit"]).reshape(len(rows), len(TESTS)),
        rows["points"].to_numpy(),
        rows["level"].to_numpy(),
        rows["active"].to_numpy(),
        Newcomers(**newcomers),
    )


def _lists(values: Floats, width: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), width)


def _stacked(column: pd.Series) -> NDArray[np.float64]:
    return np.array(column.to_list(), dtype=float)
