"""Judge the series of all shards, in all views but that of totals, and move a state on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bartizan.detect.calendar import Calendar
from bartizan.detect.categories import Watched
from bartizan.detect.jointly import Departures, JointPart, judge_jointly, of_rows
from bartizan.detect.judge import Judgement, Part, judge_by_peers, judge_known, judge_nothing
from bartizan.detect.mix import Mix, judge_mix
from bartizan.detect.outlook import spans
from bartizan.detect.panel import Floats, Integers, Panel, Rows
from bartizan.detect.scored import Scored
from bartizan.detect.series import group_numbers
from bartizan.detect.severity import budget
from bartizan.detect.shards import each_shard
from bartizan.detect.special import Excluded, excluded
from bartizan.detect.state import DetectorState

_Parts = dict[tuple[str, int], list[Part]]
_Apart = list[tuple[Integers, Departures]]


@dataclass(frozen=True)
class Places:
    """Positions among the intervals of rows: `since` when newcomers are added up, from where what
    lies `ahead` of the state begins, and those `asked` for."""

    since: int
    ahead: int
    asked: Integers


def judge_rows(state: DetectorState, rows: Rows, places: Places, scored: Scored) -> DetectorState:
    """Fill in what is scored; returns the state with its own parts as they are after the rows."""
    one = _Judging.of(state, rows, places, scored)
    each_shard(one.judge, rows.shards)
    for name, mix in one.mixes.items():
        raised, one.mixes[name] = judge_mix(mix, one.watched[name], one.calendar, one.allowed)
        scored.put_raised(name, raised, places.asked - places.ahead)
    for series, intervals in zip(one.unjudged.series, one.unjudged.intervals, strict=True):
        scored.exclude(intervals[places.asked], series)
    measures = {
        name: replace(
            measure,
            parts=tuple(part for (of, _), some in one.parts.items() if of == name for part in some),
            mix=one.mixes.get(name),
        )
        for name, measure in state.measures.items()
    }
    return replace(state, measures=measures, jointly=tuple(one.jointly.values()))


@dataclass(frozen=True)
class _Judging:
    """What goes on while rows are judged: `parts` by measure and shard, `jointly` by shard,
    `mixes` and what is `watched` by measure are as the shards that were judged have left them."""

    state: DetectorState
    rows: Rows
    places: Places
    scored: Scored
    calendar: Calendar
    allowed: float
    unjudged: Excluded
    parts: _Parts
    jointly: dict[int, JointPart]
    mixes: dict[str, Mix]
    watched: dict[str, Watched]

    @classmethod
    def of(cls, state: DetectorState, rows: Rows, places: Places, scored: Scored) -> _Judging:
        times, connector = rows.times[places.ahead :], rows.connector
        parts: _Parts = defaultdict(list)
        for name, measure in state.measures.items():
            for part in measure.parts:
                parts[name, int(part.rows[0]) // state.shard].append(part)
        mixes = {name: one.mix for name, one in state.measures.items() if one.mix}
        return cls(
            state,
            rows,
            places,
            scored,
            Calendar.of(times, connector.frequency, connector.calendar.timezone),
            budget(state.tests, state.frequency),
            excluded(rows.keys, rows.times, connector),
            parts,
            {int(part.rows[0]) // state.shard: part for part in state.jointly},
            mixes,
            {name: Watched.empty(mix.categories, len(times)) for name, mix in mixes.items()},
        )

    def judge(self, shard: int) -> None:
        panel, span = self.rows.panel(shard), self.rows.span(shard)
        known = np.arange(span.start, span.stop) < len(self.state.keys)
        present = panel.present[:, self.places.asked]
        self.scored.exists[:, span] = (known[:, None] | present).T
        apart = [self._judge_measure(shard, name, panel) for name in panel.values]
        if shard in self.jointly:
            self._judge_jointly(shard, list(panel.values), apart)

    def _judge_measure(self, shard: int, name: str, panel: Panel) -> _Apart:
        """Judge a measure of a shard; returns how far the series with a model depart."""
        ahead, asked = self.places.ahead, self.places.asked
        span, raw = self.rows.span(shard), panel.values[name]
        values = self.unjudged.hidden(raw, span)
        others, apart = np.ones(len(raw), dtype=np.bool_), []
        ready = self.parts.get((name, shard), []) if self.state.ready else []
        for place, part in enumerate(ready):
            mine = part.rows - span.start
            others[mine] = False
            seen = values[mine, ahead:]
            judged, away, ready[place] = judge_known(part, seen, self.calendar, self.allowed)
            self.scored.put(name, part.rows, raw[mine, ahead:], judged, asked - ahead)
            apart.append((part.rows, away))
            if name in self.watched:
                self.watched[name].put(part.rows, seen, judged.expected)
        if others.any():
            since, series = self.places.since, span.start + np.flatnonzero(others)
            group = group_numbers(panel.keys[others], self.state.groups)
            judged = self._judge_others(name, series, group, values[others, since:])
            self.scored.put(name, series, raw[others, since:], judged, asked - since)
        return apart

    def _judge_others(
        self, name: str, series: Integers, group: Integers, values: Floats
    ) -> Judgement:
        """Judge values (S, T) of series without a model, known to the state or not, by the numbers
        of their groups (S)."""
        learned = self.state.measures[name]
        known = series < len(self.state.keys)
        level = np.zeros(len(series))
        level[known] = learned.level[series[known]]
        if not self.state.ready or learned.population is None:
            return judge_nothing(values, level)
        length = spans(self.state.frequency)[0]
        return judge_by_peers(values, level, group, learned.population, length, self.allowed)

    def _judge_jointly(self, shard: int, names: Sequence[str], apart: Sequence[_Apart]) -> None:
        part, columns = self.jointly[shard], self.places.asked - self.places.ahead
        every = [of_rows(one, part.rows) for one in apart]
        found, self.jointly[shard] = judge_jointly(part, every, self.calendar, self.allowed)
        self.scored.put_jointly(names, part.rows, found, columns, self.allowed)
