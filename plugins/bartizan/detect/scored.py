"""What was judged of series and intervals, and how it becomes rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bartizan.detect.jointly import Findings
from bartizan.detect.judge import (
    CONTINUES,
    DIRECTIONS,
    EXCLUDED,
    JOINTLY,
    MIX,
    REASONS,
    TOLD,
    Judgement,
)
from bartizan.detect.mix import Raised
from bartizan.detect.panel import TIME, Flags, Floats, Integers, Times
from bartizan.detect.series import in_order
from bartizan.detect.severity import AT_BUDGET, LEAST_ALARM, severity

_TEXTS = {"direction": DIRECTIONS, "reason": REASONS}


@dataclass(frozen=True)
class Scored:
    """Arrays (T, S, M) of intervals, series and measures in the order of their names, to be filled
    part by part. `exists` (T, S) tells which series have rows."""

    times: Times
    keys: pd.DataFrame
    measures: tuple[str, ...]
    exists: Flags
    value: Floats
    judged: Judgement

    @classmethod
    def empty(cls, times: Times, keys: pd.DataFrame, measures: Iterable[str]) -> Scored:
        names = tuple(sorted(measures))
        shape = (len(times), len(keys), len(names))
        columns: dict[str, Any] = {
            one.name: np.empty(shape, np.int8 if one.name in _TEXTS else np.float64)
            for one in fields(Judgement)
        }
        exists = np.empty(shape[:2], dtype=np.bool_)
        return cls(times, keys, names, exists, np.empty(shape), Judgement(**columns))

    def put(
        self, measure: str, series: Integers, values: Floats, judged: Judgement, columns: Integers
    ) -> None:
        """Fill in one measure of some series: those `columns` of the arrays (S, T) given that are
        this one's intervals."""
        place = self.measures.index(measure)
        self.value[:, series, place] = values[:, columns].T
        for one in fields(Judgement):
            found = getattr(judged, one.name)[:, columns]
            getattr(self.judged, one.name)[:, series, place] = found.T

    def put_jointly(
        self,
        names: Sequence[str],
        series: Integers,
        found: Findings,
        columns: Integers,
        allowed: float,
    ) -> None:
        """Say what the measures `names` of some series are jointly, those `columns` of the arrays
        (S, T) found that are this one's intervals: of the measure that makes most of it, unless one
        of them is as unusual by itself."""
        judged, last = self.judged, np.array([self.measures.index(name) for name in names])
        goes_on = found.continues[:, columns].T
        severe = severity(found.rare[:, columns].T, allowed)
        severe = np.where(goes_on, np.minimum(severe, TOLD), severe)
        alone = np.nan_to_num(judged.severity[:, series]).max(axis=2)
        interval, row = np.nonzero((severe >= LEAST_ALARM) & (severe > alone) & (alone < AT_BUDGET))
        cell = row, columns[interval]
        place = interval, series[row], last[found.measure[cell]]
        judged.severity[place] = severe[interval, row]
        judged.direction[place] = found.side[cell] + 1
        judged.reason[place] = np.where(
            found.continues[cell], REASONS.index(CONTINUES), REASONS.index(JOINTLY)
        )

    def put_raised(self, measure: str, raised: Raised, columns: Integers) -> None:
        """Raise what a mix makes more unusual than it is by itself, in those `columns` of the
        mix's intervals that are this one's."""
        place = np.full(int(columns.max(initial=-1)) + 1, -1)
        place[columns] = np.arange(len(columns))
        mine = np.isin(raised.interval, columns)
        at = (place[raised.interval[mine]], raised.series[mine], self.measures.index(measure))
        own, severe = self.judged.severity[at], raised.severity[mine]
        direction, reason = raised.direction[mine], raised.reason[mine]
        goes_on = reason == REASONS.index(CONTINUES)
        told = np.where(own >= AT_BUDGET, self.judged.reason[at], REASONS.index(MIX))
        more = severe > np.nan_to_num(own)
        at = (at[0][more], at[1][more], at[2])
        self.judged.severity[at] = severe[more]
        self.judged.direction[at] = direction[more]
        self.judged.reason[at] = np.where(goes_on, reason, told)[more]

    def exclude(self, intervals: Flags, series: Flags) -> None:
        """Say of the values of these series (S) in these intervals (T) why they were not judged."""
        cells = np.ix_(intervals, series)
        reason, known = self.judged.reason[cells], np.isfinite(self.value[cells])
        self.judged.reason[cells] = np.where(known, REASONS.index(EXCLUDED), reason)

    def frame(self, *, in_order_already: bool) -> pd.DataFrame:
        """A row per interval, series that exists and measure, in the order of their names."""
        order = np.arange(len(self.keys)) if in_order_already else in_order(self.keys)
        exists = self.exists[:, order]
        interval, series = np.nonzero(exists)
        interval, series = (np.repeat(one, len(self.measures)) for one in (interval, series))
        measures = np.tile(np.arange(len(self.measures)), int(exists.sum()))
        columns: dict[str, Any] = {TIME: pa.array(self.times[interval])}
        for name in self.keys.columns:
            texts = pa.array(self.keys[name].iloc[order])
            columns[name] = texts.take(pa.array(series))
        columns["measure"] = _texts(self.measures, measures)
        columns["value"] = pa.array(self.value[:, order][exists].reshape(-1))
        for one in fields(Judgement):
            found = getattr(self.judged, one.name)[:, order][exists].reshape(-1)
            names = _TEXTS.get(one.name)
            columns[one.name] = pa.array(found) if names is None else _texts(names, found)
        return pa.table(columns).to_pandas()


def _texts(names: tuple[str, ...], places: NDArray[Any]) -> pa.Array:
    return pa.array(names, pa.large_string()).take(pa.array(places))
