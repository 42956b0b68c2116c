"""The measures of a series together: each may be usual by itself while all of them are not.

Every measure says how far its value departs from what was expected, as the standard normal deviate
of its tail probability in the light of habit. How far M departures are from none, by how they vary
together in the history, is the T² of Hotelling (1931, The generalization of Student's ratio); that
of their exponential means finds what builds up (Lowry and others 1992, A multivariate exponentially
weighted moving average control chart). Its tail is that of a Student's t of M dimensions, an F
distribution, in the light of a habit of its own. The measure that makes most of T² is the one told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc, ndtri

from bartizan.detect.arrays import join, take
from bartizan.detect.calendar import Calendar
from bartizan.detect.habit import Tail, fit_tail
from bartizan.detect.outlook import smooth, spans
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.severity import rarity
from bartizan.detect.told import Told, nothing_told, reminded, told_before

TESTS = 3  # the interval, and the exponential means over both spans
FREEDOM = 20.0  # degrees of freedom of the tail: departures are calibrated already
PULL = 3.0  # no departure counts further in how measures vary together, and in the means
MOST = 8.0  # nor further at all: what is beyond it says so by itself
PRIOR = 30.0  # intervals that say: measures have nothing to do with each other
PART = 0.6  # of the mean departure that the interval itself must show
CELLS = 2**16  # measures x series x intervals that are followed at a time, to bound memory


@dataclass(frozen=True)
class Departures:
    """Of one measure, S series: standard normal deviates (S, T), NaN without a value; and whether
    the change is one that counts at all (S, T)."""

    deviate: Floats
    matters: Flags


@dataclass(frozen=True)
class Joint:
    """Of S series with M measures: inverse covariances of departures and of their means, flat
    (S, TESTS x M x M)."""

    inverse: Floats


@dataclass(frozen=True)
class Means:
    """Of S series: the exponential means of departures as they are, flat (S, 2 x M)."""

    last: Floats


@dataclass(frozen=True)
class JointPart:
    """Series that have a model of every measure: which `rows` of the keys (S), how their measures
    vary together, what they have just done, how far that overstates rarity, what was told."""

    rows: Integers
    model: Joint
    memory: Means
    habit: Tail
    told: Told


@dataclass(frozen=True)
class _Seen:
    """What was seen of S series with M measures: departures and their means (TESTS, S, M, T), the
    part of T² that each measure makes (TESTS, S, M, T), and the rarity of T² (TESTS, S, T)."""

    every: Floats
    parts: Floats
    rare: Floats


@dataclass(frozen=True)
class Findings:
    """Rarity (S, T), whether it only goes on with what was told, and the measure that makes most
    of it, by its number, with its direction: 0 upwards, 1 downwards."""

    rare: Floats
    continues: Flags
    measure: Integers
    side: Integers


def departures(worth: Floats, matters: Flags) -> Departures:
    """From what rarities are worth (tests, S, T) and which of them matter: the first test is
    upwards, the second downwards."""
    upwards = worth[0] > worth[1]
    tail = np.minimum(10 ** -np.where(upwards, worth[0], worth[1]), 0.5)
    distance = -ndtri(tail)
    deviate = np.where(upwards, distance, -distance)
    return Departures(deviate, np.where(upwards, matters[0], matters[1]))


def of_rows(found: Sequence[tuple[Integers, Departures]], rows: Integers) -> Departures:
    """Of some `rows`, in order: the departures of a measure, given with the rows of each part."""
    places = np.concatenate([of_part for of_part, _ in found])
    order = np.argsort(places)
    return take(join([apart for _, apart in found]), order[np.isin(places[order], rows)])


def fit_jointly(
    rows: Integers, measures: Sequence[Departures], calendar: Calendar, allowed: float
) -> JointPart:
    """Learn how the measures of series depart together, and go through the history they show."""
    series, steps = measures[0].deviate.shape
    few = max(CELLS // (steps * len(measures)), 1)
    parts = [
        _fit(rows[some], [take(one, some) for one in measures], calendar, allowed)
        for some in np.split(np.arange(series), np.arange(few, series, few))
    ]
    return join(parts)


def _fit(
    rows: Integers, measures: Sequence[Departures], calendar: Calendar, allowed: float
) -> JointPart:
    nothing = Means(np.zeros((len(rows), (TESTS - 1) * len(measures))))
    every, memory = _with_means(measures, nothing, calendar)
    inverse = np.linalg.inv(_covariance(every)).astype(np.float64)
    model = Joint(inverse.reshape(len(rows), -1))
    seen = _see(model, every)
    habit = fit_tail(seen.rare, sharpen=True)
    part = JointPart(rows, model, memory, habit, nothing_told(len(rows)))
    return replace(part, told=_find(part, seen, measures, calendar, allowed)[1])


def judge_jointly(
    part: JointPart, measures: Sequence[Departures], calendar: Calendar, allowed: float
) -> tuple[Findings, JointPart]:
    """Judge the departures that come after what the part has seen; `allowed` is the rarity of
    severity 70. Returns the part as it is after them."""
    every, memory = _with_means(measures, part.memory, calendar)
    seen = _see(part.model, every)
    findings, told = _find(part, seen, measures, calendar, allowed)
    return findings, replace(part, memory=memory, told=told)


def _find(
    part: JointPart,
    seen: _Seen,
    measures: Sequence[Departures],
    calendar: Calendar,
    allowed: float,
) -> tuple[Findings, Told]:
    """What is worth telling of what was seen, and what was told after it."""
    every, matters = seen.every, np.stack([one.matters for one in measures], axis=1)
    measure = np.argmax(np.where(matters, seen.parts, -1.0), axis=2)
    told, now, counts = (
        np.take_along_axis(one, measure[:, :, None], axis=2)[:, :, 0]
        for one in (every, np.broadcast_to(every[0], every.shape), matters & (seen.parts > 0))
    )
    shown = counts & (np.sign(told) * now >= PART * np.abs(told))
    worth = np.where(shown, np.nan_to_num(part.habit.worth(seen.rare)), 0.0)
    echo = worth[: TESTS - 1].max(axis=0) < allowed
    most = worth.argmax(axis=0)[None]
    rare, measure, told = (
        np.take_along_axis(one, most, axis=0)[0] for one in (worth, measure, told)
    )
    side = (told < 0).astype(np.int64)
    continues, after = told_before(
        np.stack([rare, np.zeros_like(rare)]),
        np.stack([echo, echo]),
        allowed,
        reminded(calendar),
        spans(calendar.frequency)[1],
        part.told,
    )
    return Findings(rare, continues[0], measure, side), after


def _with_means(
    measures: Sequence[Departures], memory: Means, calendar: Calendar
) -> tuple[Floats, Means]:
    """The deviates and their means over both spans (TESTS, S, M, T); without a value of every
    measure there are none."""
    deviates = np.clip(np.stack([one.deviate for one in measures], axis=1), -MOST, MOST)
    deviates = np.where(np.isnan(deviates).any(axis=1, keepdims=True), np.nan, deviates)
    series, size, steps = deviates.shape
    flat = np.clip(deviates, -PULL, PULL).reshape(-1, steps)
    before = memory.last.reshape(series, -1, size)
    every, last = [deviates], []
    for number, span in enumerate(spans(calendar.frequency)):
        mean, end = smooth(flat, span, before[:, number].reshape(-1))
        every.append(np.where(np.isnan(deviates), np.nan, mean.reshape(deviates.shape)))
        last.append(end.reshape(series, size))
    return np.stack(every), Means(np.hstack(last))


def _covariance(every: Floats) -> Floats:
    """Of clipped departures (TESTS, S, M, T) about nothing, shrunk (S, TESTS, M, M)."""
    known = np.nan_to_num(np.clip(every, -PULL, PULL))
    count = np.isfinite(every[0, :, 0]).sum(axis=1)[None, :, None, None]
    products = np.einsum("ksmt,ksnt->ksmn", known, known)
    alone = np.maximum(np.einsum("ksmm->ksm", products) / np.maximum(count[..., 0], 1), 0.01)
    own = alone[..., None] * np.eye(known.shape[2])
    return np.moveaxis((products + PRIOR * own) / (count + PRIOR), 0, 1)


def _see(model: Joint, every: Floats) -> _Seen:
    """T² of departures (TESTS, S, M, T), and how rare it is under an F distribution."""
    size = every.shape[2]
    inverse = model.inverse.reshape(-1, TESTS, size, size)
    parts = every * np.einsum("skmn,ksnt->ksmt", inverse, every)
    square = np.maximum(parts.sum(axis=2), 0.0)
    return _Seen(every, parts, rarity(fdtrc(size, FREEDOM, square / size)))
