"""Score every series in every interval. Score is not verdict: see group.py."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from bartizan.detect.calendar import Calendar
from bartizan.detect.categories import Watched
from bartizan.detect.jointly import Departures, judge_jointly, of_rows
from bartizan.detect.judge import Judgement, Part, judge_by_peers, judge_known, judge_nothing
from bartizan.detect.mix import judge_mix
from bartizan.detect.outlook import spans
from bartizan.detect.panel import Floats, Integers, arrange
from bartizan.detect.scored import Scored
from bartizan.detect.series import group_numbers
from bartizan.detect.severity import budget
from bartizan.detect.shards import each_shard
from bartizan.detect.special import excluded
from bartizan.detect.state import DetectorState
from bartizan.detect.totals import total_by, with_total
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive


def score(
    state: DetectorState,
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    context: pd.DataFrame | None = None,
    covered: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """One row per series, measure and covered interval of `window`, ordered by time and series.

    `frame` is shaped as for `learn`; `context` holds the rows from `context_start` to the window
    (rows of `frame` before the window serve as well): the models go through them first, so the
    result does not depend on how the time since the learning is cut into windows. `covered` speaks
    of both. A series unknown to the state has rows only where it has data.

    Columns: interval_start, dimensions, measure, value, expected, lower, upper (the middle
    99.8 % of normal intervals), severity (0-100, NaN when it cannot be judged),
    direction ("above", "below", ""), reason (see `judge.py`).
    What the connector's calendar excludes has reason "excluded" and moves no level.
    Raises ConfigError when the state was learned for another shape of connector, UsageError when
    the window begins before the end of what was learned.
    """
    return follow(state, frame, connector, window, context, covered)[0]


def follow(
    state: DetectorState,
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    context: pd.DataFrame | None = None,
    covered: pd.DatetimeIndex | None = None,
) -> tuple[pd.DataFrame, DetectorState]:
    """What `score` returns, and the state as it is after the window: it scores what comes then
    without going through the earlier rows again."""
    state.check(connector)
    if window.start < state.seen:
        raise UsageError(
            f"{connector.name}: window",
            f"{window} begins before {state.seen}, up to which the detector has seen",
            "learn from what comes before the window",
        )
    given = frame if context is None or context.empty else pd.concat([context, frame])
    span = Window(context_start(state, connector), window.end)
    rows = arrange(given, connector, span, covered, state.keys, state.shard)
    since, ahead, start = (
        int(np.searchsorted(rows.times, np.datetime64(naive(time), "us")))
        for time in (_newcomers_since(state), state.seen, window.start)
    )
    asked = start + np.flatnonzero(rows.covered[start:])
    calendar = Calendar.of(rows.times[ahead:], connector.frequency, connector.calendar.timezone)
    unjudged = excluded(rows.keys, rows.times, connector)
    allowed = budget(state.tests, state.frequency)
    scored = Scored.empty(rows.times[asked], rows.keys, state.measures)
    mixes = {name: one.mix for name, one in state.measures.items() if one.mix and state.ready}
    watched = {
        name: Watched.empty(mix.categories, len(rows.times) - ahead) for name, mix in mixes.items()
    }
    parts = _by_shard(state)
    jointly = {int(part.rows[0]) // state.shard: part for part in state.jointly}

    def judge(shard: int) -> None:
        panel, span = rows.panel(shard), rows.span(shard)
        series = np.arange(span.start, span.stop)
        known = series < len(state.keys)
        apart: dict[str, list[tuple[Integers, Departures]]] = {name: [] for name in panel.values}
        scored.exists[:, span] = (known[:, None] | panel.present[:, asked]).T
        for name, raw in panel.values.items():
            values = unjudged.hidden(raw, span)
            others = np.ones(len(series), dtype=np.bool_)
            ready = parts.get((name, shard), []) if state.ready else []
            for place, part in enumerate(ready):
                mine = part.rows - span.start
                others[mine] = False
                judged, away, ready[place] = judge_known(
                    part, values[mine, ahead:], calendar, allowed
                )
                scored.put(name, part.rows, raw[mine, ahead:], judged, asked - ahead)
                apart[name].append((part.rows, away))
                if name in watched:
                    watched[name].put(part.rows, values[mine, ahead:], judged.expected)
            if others.any():
                theirs = values[others, since:]
                group = group_numbers(panel.keys[others], state.groups)
                judged = _judge_others(state, name, series[others], group, theirs, allowed)
                scored.put(name, series[others], raw[others, since:], judged, asked - since)
        if shard in jointly and state.ready:
            rows_of = jointly[shard].rows
            every = [of_rows(found, rows_of) for found in apart.values()]
            found, jointly[shard] = judge_jointly(jointly[shard], every, calendar, allowed)
            scored.put_jointly(list(apart), rows_of, found, asked - ahead, allowed)

    each_shard(judge, rows.shards)
    for name, mix in mixes.items():
        raised, mixes[name] = judge_mix(mix, watched[name], calendar, allowed)
        scored.put_raised(name, raised, asked - ahead)
    for some, intervals in zip(unjudged.series, unjudged.intervals, strict=True):
        scored.exclude(intervals[asked], some)
    scores = scored.frame(in_order_already=len(rows.keys) == len(state.keys))
    totals = []
    for learned in state.totals:
        total = total_by(connector, learned.dimensions)
        of_total, after = follow(learned, frame, total, window, context, covered)
        scores = with_total(scores, of_total, connector, total)
        totals.append(after)
    measures = {
        name: replace(measure, parts=_of_measure(parts, name), mix=mixes.get(name))
        for name, measure in state.measures.items()
    }
    return scores, replace(
        state,
        seen=window.end,
        measures=measures,
        totals=tuple(totals),
        jointly=tuple(jointly.values()),
    )


_Parts = dict[tuple[str, int], list[Part]]


def _by_shard(state: DetectorState) -> _Parts:
    """The parts of each measure and shard."""
    parts: _Parts = defaultdict(list)
    for name, measure in state.measures.items():
        for part in measure.parts:
            parts[name, int(part.rows[0]) // state.shard].append(part)
    return parts


def _of_measure(parts: _Parts, name: str) -> tuple[Part, ...]:
    return tuple(part for (measure, _), some in parts.items() if measure == name for part in some)


def context_start(state: DetectorState, connector: Connector) -> datetime:
    """From when on `score` must see rows: the end of what the state has seen; before it as far as
    newcomers are looked back at, and before that as far as values are carried."""
    carried = max(measure.carry_for for measure in connector.measures)
    return _newcomers_since(state) - carried


def _newcomers_since(state: DetectorState) -> datetime:
    """From when on counts of newcomers are added up in the first interval after `state.seen`."""
    before = (spans(state.frequency)[0] - 1) * state.frequency
    return max(state.learned.end, state.seen - before)


def _judge_others(
    state: DetectorState,
    name: str,
    series: Integers,
    group: Integers,
    values: Floats,
    allowed: float,
) -> Judgement:
    """Judge values (S, T) of series without a model, known to the state or not, by the numbers of
    their groups (S)."""
    learned = state.measures[name]
    known = series < len(state.keys)
    level = np.zeros(len(series))
    level[known] = learned.level[series[known]]
    if not state.ready or learned.population is None:
        return judge_nothing(values, level)
    length = spans(state.frequency)[0]
    return judge_by_peers(values, level, group, learned.population, length, allowed)
