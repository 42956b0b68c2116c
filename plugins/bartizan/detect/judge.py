"""How unusual each interval of a series is, and why.

Reasons: those of TESTS (`outlook.py`), continues (goes on with what was told), new_entity (a series
never seen before, far beyond first appearances), beyond_peers (a series with too short a history,
further beyond its own level than its peers ever are), together (a total that the series
belongs to is unusual, see `totals.py`), jointly (the measures of the series are, see
`jointly.py`), mix (the shares of the series are, beside others of its group, see `mix.py`), normal
(no change that matters),
not_ready (too little history), missing (no value), excluded (by the connector's calendar),
expected (as feedback says, see `feedback.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bartizan.detect.arrays import join, take
from bartizan.detect.calendar import Calendar
from bartizan.detect.habit import Habit, fit_habit
from bartizan.detect.jointly import Departures, departures
from bartizan.detect.outlook import BEFORE_LONGEST, TESTS, Model, Outlook, spans
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.population import Population, population_rarity
from bartizan.detect.severity import AT_BUDGET, severity
from bartizan.detect.told import Told, nothing_told, reminded, told_before

HISTORY_CELLS = 2**16  # series x intervals that are followed together, to bound memory
BAND = 3.0  # the band leaves out one in 10^3 normal intervals on either side
TOLD = 0.99 * AT_BUDGET  # most severity of what only continues

NORMAL, NOT_READY, MISSING = "normal", "not_ready", "missing"
NEW_ENTITY, BEYOND_PEERS = "new_entity", "beyond_peers"
EXCLUDED, EXPECTED = "excluded", "expected"
CONTINUES, TOGETHER, JOINTLY, MIX = "continues", "together", "jointly", "mix"
REASONS = (
    *TESTS, JOINTLY, MIX, CONTINUES, NEW_ENTITY, BEYOND_PEERS,
    NORMAL, NOT_READY, MISSING, EXCLUDED,
)  # fmt: skip
DIRECTIONS = ("", "above", "below")
_REASON = {reason: np.int8(place) for place, reason in enumerate(REASONS)}

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Part:
    """Series that a model of one kind describes: which `rows` of the keys (S), the model, what
    they have just done, how far it overstates rarity, and what was told."""

    rows: Integers
    model: Model
    memory: Any
    habit: Habit
    told: Told


# Is shown rows of the keys (S), their values (S, T), their model, what it said of the values, and
# what the claimed rarities (tests, S, T) are worth.
View = Callable[[Integers, Floats, Model, Outlook, Floats], None]


@dataclass(frozen=True)
class Judgement:
    """Arrays of one shape (S, T), as the columns of the scores; `direction` and `reason` are
    positions in DIRECTIONS and REASONS."""

    expected: Floats
    lower: Floats
    upper: Floats
    severity: Floats
    direction: Codes
    reason: Codes


def look_back(
    model: Model,
    rows: Integers,
    values: Floats,
    calendar: Calendar,
    allowed: float,
    view: View | None = None,
) -> Part:
    """The model after the history (S, T) it was fitted to: what it remembers, how often it was
    wrong, what it would have told last. A `view` is shown all of it."""
    few = max(HISTORY_CELLS // values.shape[1], 1)
    found = []
    for start in range(0, len(rows), few):
        some = np.arange(start, min(start + few, len(rows)))
        own, seen = take(model, some), values[some]
        outlook, memory = own.follow(own.begin(), seen, calendar)
        habit = fit_habit(outlook.rare, sharpen=model.SHARPEN)
        worth = habit.worth(outlook.rare)
        _, told = _told(rarities(worth, outlook), allowed, calendar, nothing_told(len(some)))
        found.append((memory, habit, told))
        if view:
            view(rows[some], seen, own, outlook, worth)
    memory, habit, told = (join(ends) for ends in zip(*found, strict=True))
    return Part(rows, model, memory, habit, told)


def judge_known(
    part: Part, values: Floats, calendar: Calendar, allowed: float
) -> tuple[Judgement, Departures, Part]:
    """Judge values (S, T) that come after what the part has seen; `allowed` is the rarity of
    severity 70. Returns how far they depart, too, and the part as it is after them."""
    outlook, memory = part.model.follow(part.memory, values, calendar)
    worth = part.habit.worth(outlook.rare)
    rare = rarities(worth, outlook)
    sides = _sides(rare)
    continues, told = _told(rare, allowed, calendar, part.told)
    highest, side = sides.max(axis=0), sides.argmax(axis=0)
    repeated = np.take_along_axis(continues, side[None], axis=0)[0]
    absent = np.isnan(values)
    calm = absent | (highest == 0)
    reason = np.where(calm, _REASON[NORMAL], rare.argmax(axis=0))
    reason = np.where(repeated, _REASON[CONTINUES], reason)
    found = severity(highest, allowed)
    lower, upper = _band(part, outlook)
    judgement = Judgement(
        part.model.expected(outlook),
        lower,
        upper,
        np.where(absent, np.nan, np.where(repeated, np.minimum(found, TOLD), found)),
        np.where(calm, 0, side + 1).astype(np.int8),
        np.where(absent, _REASON[MISSING], reason).astype(np.int8),
    )
    apart = departures(worth, outlook.matters)
    return judgement, apart, replace(part, memory=memory, told=told)


def _told(rare: Floats, allowed: float, calendar: Calendar, told: Told) -> tuple[Flags, Told]:
    """What of the rarities (tests, S, T) is no news (2, S, T), and what was told after them."""
    echo = _sides(rare[:BEFORE_LONGEST]) < allowed
    memory = spans(calendar.frequency)[1]
    return told_before(_sides(rare), echo, allowed, reminded(calendar), memory, told)


def _sides(rare: Floats) -> Floats:
    """The highest rarity upwards and downwards (2, S, T)."""
    return np.stack([rare[0::2].max(axis=0), rare[1::2].max(axis=0)])


def rarities(worth: Floats, outlook: Outlook) -> Floats:
    """Rarity (tests, S, T) of each test in the light of habit, 0 where nothing matters."""
    return np.where(outlook.matters, np.nan_to_num(worth), 0.0)


def judge_by_peers(
    values: Floats,
    level: Floats,
    group: Integers,
    population: Population,
    length: int,
    allowed: float,
) -> Judgement:
    """Judge counts (S, T) of series without enough history by how others first appeared, and by
    how large they get.

    `level` (S) is a series' mean so far, 0 when it was never seen; `group` (S) is its number, -1
    for one never seen.
    """
    rare, upper = population_rarity(population, values, level, group, length, allowed)
    found = severity(rare, allowed)
    beyond: Flags = found >= AT_BUDGET
    why = np.where(level > 0, _REASON[BEYOND_PEERS], _REASON[NEW_ENTITY])[:, None]
    return Judgement(
        np.broadcast_to(level[:, None], values.shape),
        np.zeros(values.shape),
        upper,
        np.where(beyond, found, np.nan),
        beyond.astype(np.int8),
        np.where(beyond, why, _REASON[NOT_READY]),
    )


def judge_nothing(values: Floats, level: Floats) -> Judgement:
    """Every value (S, T) is not ready to be judged; `level` (S) is all that is known."""
    unknown = np.full(values.shape, np.nan)
    return Judgement(
        np.broadcast_to(level[:, None], values.shape),
        unknown,
        unknown,
        unknown,
        np.zeros(values.shape, dtype=np.int8),
        np.full(values.shape, _REASON[NOT_READY]),
    )


def _band(part: Part, outlook: Outlook) -> tuple[Floats, Floats]:
    """Lower and upper end of the normal range (S, T), wider for series with a habit."""
    above, below = (10 ** -part.habit.claimed(BAND)[:, [test]] for test in (0, 1))
    return part.model.band(outlook, below, above)
