"""What a detector has learned, kept in a folder of Parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bartizan.detect.categories import categories_at
from bartizan.detect.jointly import JointPart
from bartizan.detect.judge import Part
from bartizan.detect.mix import Mix
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.parts import (
    AGAIN,
    AnyPart,
    kind_of,
    load_jointly,
    load_parts,
    read,
    save_jointly,
    save_parts,
    write,
)
from bartizan.detect.population import Population
from bartizan.detect.population_file import load_populations, save_populations
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, format_time, parse_time

if TYPE_CHECKING:
    from upath import UPath

VERSION = 8  # raised when the files get another layout or another meaning
SERIES = "series.parquet"


@dataclass(frozen=True)
class MeasureState:
    """One measure of every series; rows in the order of `DetectorState.keys`.

    `parts` are the models of the series that have one. `points` (S) intervals since the series
    appeared, `level` (S) its mean since then, `active` (S) whether there are enough of them.
    `population` is how series first appear and how large they get, for counts; `mix` how their
    shares vary (`mix.py`).
    """

    parts: tuple[Part, ...]
    points: Integers
    level: Floats
    active: Flags
    population: Population | None
    mix: Mix | None = None

    @property
    def mixes(self) -> tuple[Part, ...]:
        """The part of the mix, if there is one."""
        return (self.mix.part,) if self.mix else ()


@dataclass(frozen=True)
class DetectorState:
    """`learned` is the window of history; `points` its covered intervals; `keys` (S rows) the
    dimension values of the series, `groups` the names of their groups of peers; `measures` by name.
    A part has series of one shard, of `shard` series each (`shards.py`). `seen` is up to when the
    parts have gone through metrics: the end of `learned`, or later. Hours and weekdays are those
    of `timezone`. `tests` of an interval share a budget of false alarms; `totals` are the states of
    the totals (`totals.py`); `jointly` is how the measures go together, of one shard each
    (`jointly.py`).
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
    groups: pd.Index
    measures: dict[str, MeasureState]
    seen: datetime
    timezone: str
    tests: int
    totals: tuple[DetectorState, ...] = ()
    jointly: tuple[JointPart, ...] = ()

    @property
    def parts(self) -> list[AnyPart]:
        """The parts of each measure and that of its mix, those of all jointly, then those of the
        totals."""
        own = [part for one in self.measures.values() for part in (*one.parts, *one.mixes)]
        totals = [part for total in self.totals for part in total.parts]
        return [*own, *self.jointly, *totals]

    def after(self, seen: datetime, parts: Iterator[Any]) -> DetectorState:
        """The state with its `parts` as they were after `seen`."""
        measures = {
            name: replace(
                one,
                parts=tuple(islice(parts, len(one.parts))),
                mix=replace(one.mix, part=next(parts)) if one.mix else None,
            )
            for name, one in self.measures.items()
        }
        jointly = tuple(islice(parts, len(self.jointly)))
        totals = tuple(total.after(seen, parts) for total in self.totals)
        return replace(self, seen=seen, measures=measures, totals=totals, jointly=jointly)

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
        learned = (
            self.connector,
            self.dimensions,
            self.frequency,
            tuple(self.measures),
            self.timezone,
        )
        asked = (
            connector.name,
            connector.dimensions,
            connector.frequency,
            tuple(measure.name for measure in connector.measures),
            connector.calendar.timezone,
        )
        if learned != asked:
            raise ConfigError(
                f"{connector.name}: detector state",
                f"it was learned for {learned}, the connector says {asked}",
                "learn again from history",
            )

    def save(self, folder: UPath) -> None:
        """Write the files of a new folder: series.parquet, and those of the parts. Equal states
        give equal bytes."""
        folder.mkdir(parents=True)
        facts = {
            "version": self.version,
            "connector": self.connector,
            "dimensions": self.dimensions,
            "frequency_seconds": int(self.frequency.total_seconds()),
            "learned": self.learned.as_json(),
            "seen": format_time(self.seen),
            "points": self.points,
            "ready": self.ready,
            "shard": self.shard,
            "timezone": self.timezone,
            "tests": self.tests,
            "totals": len(self.totals),
            "jointly": bool(self.jointly),
            "measures": {
                name: {
                    "kinds": sorted({kind_of(part) for part in state.parts}),
                    "mix": state.mix is not None,
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
            save_parts(folder, number, state.parts)
            if state.mix:
                columns[f"{number}.mix"] = pa.array(_of_all(state.mix, len(self.keys)))
                _mixes(folder).mkdir(exist_ok=True)
                save_parts(_mixes(folder), number, state.mixes)
        if self.jointly:
            save_jointly(folder, self.jointly)
        populations = [state.population for state in self.measures.values()]
        save_populations(folder, self.groups, populations)
        for number, total in enumerate(self.totals):
            total.save(_total(folder, number))
        write(folder / SERIES, [pa.table(columns).replace_schema_metadata({"bartizan": text})])

    @classmethod
    def load(cls, folder: UPath) -> DetectorState:
        """Read a saved state. Raises ConfigError for a folder of another version, or not whole."""
        table = pa.concat_tables(read(folder / SERIES))
        facts = json.loads((table.schema.metadata or {}).get(b"bartizan", b"{}"))
        if facts.get("version") != VERSION:
            raise ConfigError(
                f"{folder}: version", f"{facts.get('version')} is not {VERSION}", AGAIN
            )
        names, (groups, populations) = facts["dimensions"], load_populations(folder)
        columns = {name: table.column(f"dimension.{name}").to_pandas() for name in names}
        keys = pd.DataFrame(columns, index=range(len(table)))
        return cls(
            facts["version"],
            facts["connector"],
            tuple(names),
            timedelta(seconds=facts["frequency_seconds"]),
            Window.from_json(facts["learned"]),
            facts["points"],
            facts["ready"],
            facts["shard"],
            keys,
            groups,
            {
                name: _measure(folder, number, table, keys, about, populations[number])
                for number, (name, about) in enumerate(facts["measures"].items())
            },
            parse_time(facts["seen"]),
            facts["timezone"],
            facts["tests"],
            tuple(cls.load(_total(folder, number)) for number in range(facts["totals"])),
            load_jointly(folder) if facts["jointly"] else (),
        )


def _total(folder: UPath, number: int) -> UPath:
    return folder / f"total_{number}"


def _mixes(folder: UPath) -> UPath:
    return folder / "mix"


def _of_all(mix: Mix, series: int) -> Floats:
    """The dispersions of a mix's categories, NaN for series that are none."""
    every = np.full(series, np.nan)
    every[mix.categories.rows] = mix.dispersion
    return every


def _measure(
    folder: UPath,
    number: int,
    table: pa.Table,
    keys: pd.DataFrame,
    about: dict[str, Any],
    population: Population | None,
) -> MeasureState:
    points, level, active = (
        table.column(f"{number}.{name}").to_numpy() for name in ("points", "level", "active")
    )
    parts = load_parts(folder, number, about["kinds"])
    mix = _mix(folder, number, table, keys) if about["mix"] else None
    return MeasureState(parts, points, level, active, population, mix)


def _mix(folder: UPath, number: int, table: pa.Table, keys: pd.DataFrame) -> Mix:
    dispersion = table.column(f"{number}.mix").to_numpy()
    rows = np.flatnonzero(np.isfinite(dispersion))
    (part,) = load_parts(_mixes(folder), number, ["counted"])
    return Mix(categories_at(keys, rows), dispersion[rows], part)


def _kinds(state: MeasureState) -> list[str]:
    names = np.full(len(state.points), "", dtype=object)
    for part in state.parts:
        names[part.rows] = kind_of(part)
    return names.tolist()
