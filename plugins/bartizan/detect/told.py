"""What was told already: an anomaly that merely goes on is not news.

An interval that is anomalous shortly after another of its series and direction, and no rarer than
what came before, continues it. It stays part of the incident; its severity is held below an alarm.
What only the longest mean calls anomalous is an echo for as long as that mean remembers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.calendar import Calendar
from bartizan.detect.panel import Flags, Floats

WORSE = 1.25  # times as rare (in powers of ten) as what was told is news again


@dataclass(frozen=True)
class Told:
    """Per series and direction (S, 2): the highest rarity of the event that goes on, and how many
    intervals ago it was last seen."""

    rarest: Floats
    since: Floats


def reminded(calendar: Calendar) -> int:
    """Intervals after which the same is news again: half an hour, at least three."""
    return max(calendar.day_length // 48, 3)


def nothing_told(series: int) -> Told:
    return Told(np.zeros((series, 2)), np.full((series, 2), np.inf))


def told_before(
    rare: Floats, echo: Flags, allowed: float, patience: int, memory: int, told: Told
) -> tuple[Flags, Told]:
    """Which of the rarities (2, S, T), upwards and downwards, only continue what was told.

    Anomalous is what is `allowed` or rarer; an event has ended after `patience` intervals without,
    after `memory` of them where no other than the longest mean (`echo`) is so rare.
    """
    continues = np.zeros(rare.shape, dtype=np.bool_)
    end = Told(told.rarest.copy(), told.since.copy())
    _go_through(rare, echo, allowed, patience, memory, end.rarest, end.since, continues)
    return continues, end


@compiled
def _go_through(
    rare: Floats,
    echo: Flags,
    allowed: float,
    patience: int,
    memory: int,
    rarest: Floats,
    since: Floats,
    continues: Flags,
) -> None:
    for side in range(rare.shape[0]):
        for s in range(rare.shape[1]):
            for t in range(rare.shape[2]):
                now = rare[side, s, t]
                if now < allowed:
                    since[s, side] += 1
                    continue
                goes_on = since[s, side] < (memory if echo[side, s, t] else patience)
                continues[side, s, t] = goes_on and now <= WORSE * rarest[s, side]
                rarest[s, side] = max(rarest[s, side], now) if goes_on else now
                since[s, side] = 0
