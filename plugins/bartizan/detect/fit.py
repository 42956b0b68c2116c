"""Describe the series of a shard: models of each measure, and how the measures go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from bartizan.detect.calendar import Calendar
from bartizan.detect.categories import Categories, Watched
from bartizan.detect.counted import fit_counted
from bartizan.detect.gauged import fit_gauged
from bartizan.detect.jointly import Departures, JointPart, departures, fit_jointly, of_rows
from bartizan.detect.judge import Part, View, look_back
from bartizan.detect.outlook import Model, Outlook
from bartizan.detect.panel import Flags, Floats, Integers, Panel
from bartizan.detect.severity import budget
from bartizan.detect.survey import Survey, own_values, points_needed
from bartizan.model.connector import Connector


@dataclass(frozen=True)
class Fitted:
    """What was learned of a run of series: the `parts` of each measure, how the measures go
    together, and what was seen of each measure's categories, None where none are watched."""

    parts: Sequence[tuple[Part, ...]]
    jointly: tuple[JointPart, ...]
    watched: Sequence[Watched | None]


def fit_shard(
    panel: Panel,
    surveys: Sequence[Survey],
    categories: Sequence[Categories | None],
    connector: Connector,
    tests: int,
) -> Fitted:
    """Describe those series of a shard that have enough points, given what was found of each
    measure; `tests` are those of an interval of all series of the detector."""
    calendar = Calendar.of(panel.times, connector.frequency, connector.calendar.timezone)
    needed, allowed = points_needed(connector.frequency), budget(tests, connector.frequency)
    rows = panel.keys.index.to_numpy()
    watched = [
        Watched.empty(one.among(rows), len(panel.times)) if one else None for one in categories
    ]
    parts, apart = [], []
    for own, found, categories_seen in zip(own_values(panel), surveys, watched, strict=True):
        away: list[tuple[Integers, Departures]] = []
        view = _view(categories_seen, away if len(surveys) > 1 else None)
        ready = found.points >= needed
        parts.append(_fit_measure(rows, own, ready, found, calendar, allowed, view))
        apart.append(away)
    return Fitted(parts, _fit_jointly(apart, calendar, allowed), watched)


def put_together(runs: Sequence[Fitted]) -> Fitted:
    """What was learned of all series, given that of runs of them, in order."""
    measures = range(len(runs[0].parts))
    return Fitted(
        [tuple(part for run in runs for part in run.parts[place]) for place in measures],
        tuple(part for run in runs for part in run.jointly),
        [Watched.joined([run.watched[place] for run in runs]) for place in measures],
    )


def _view(watched: Watched | None, away: list[tuple[Integers, Departures]] | None) -> View:
    """Fills in what is watched, and adds to what departed."""

    def view(rows: Integers, values: Floats, model: Model, outlook: Outlook, worth: Floats) -> None:
        if watched:
            watched.put(rows, values, model.expected(outlook))
        if away is not None:
            away.append((rows, departures(worth, outlook.matters)))

    return view


def _fit_measure(
    rows: Integers,
    own: Floats,
    ready: Flags,
    found: Survey,
    calendar: Calendar,
    allowed: float,
    view: View,
) -> tuple[Part, ...]:
    """Models of those series (S, T) that are ready (S), and what is left of their history in them.
    Their positions in the keys are `rows` (S)."""
    gauge = found.kinds.gauges(allowed)
    parts = []
    for is_gauge in (False, True):
        some = np.flatnonzero(ready & (gauge == is_gauge))
        if len(some):
            values = own[some]
            model = _fit(values, found.pool[some], calendar, is_gauge)
            parts.append(look_back(model, rows[some], values, calendar, allowed, view))
    return tuple(sorted(parts, key=lambda part: int(part.rows[0])))


def _fit(values: Floats, pool: Integers, calendar: Calendar, is_gauge: bool) -> Model:
    if is_gauge:
        return fit_gauged(values, calendar)
    groups = np.unique(pool, return_inverse=True)[1]
    return fit_counted(values, calendar, groups)


def _fit_jointly(
    apart: Sequence[list[tuple[Integers, Departures]]], calendar: Calendar, allowed: float
) -> tuple[JointPart, ...]:
    """How the measures go together in those series that have a model of each."""
    if not all(apart):
        return ()
    rows = reduce(np.intersect1d, [np.concatenate([rows for rows, _ in one]) for one in apart])
    if not len(rows):
        return ()
    return (fit_jointly(rows, [of_rows(one, rows) for one in apart], calendar, allowed),)
