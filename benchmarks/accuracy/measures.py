"""Several measures of one thing that usually go together, and times when they do not.

All measures follow the day and a common load that nobody knows beforehand (slow and quick), each by
a share of its own, and have noise of their own. What happens stays within what each of them does on
other days: one goes its own way, two move against each other, or one does what it does on a usual
day while the others follow the load.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.signal import lfilter

from accuracy.detector import Floats
from accuracy.events import Event
from accuracy.waf_counts import Series

INTERVAL = timedelta(minutes=5)
A_DAY = 288
TRAIN, TEST = 10 * A_DAY, 5 * A_DAY
EVENTS = 4  # in a test part
MEASURES = (2, 3, 4)
Rng = np.random.Generator


@dataclass(frozen=True)
class Made:
    """Values (T, M) are `day` + `load` (T) times `share` (M) + noise."""

    day: Floats
    load: Floats
    share: Floats
    noise: Floats

    def values(self, load: Floats) -> Floats:
        """With another load (T, M) than the common one."""
        return self.day + load * self.share + self.noise


def _alone(rng: Rng, made: Made, load: Floats, during: slice) -> None:
    """One measure has the load of another day."""
    back = int(rng.integers(1, 4)) * A_DAY + int(rng.integers(A_DAY // 4))
    load[during, 0] = made.load[during.start - back : during.stop - back]


def _against(rng: Rng, made: Made, load: Floats, during: slice) -> None:
    """One moves up and another down, each by 1.2 to 2 usual deviations."""
    height = rng.uniform(1.2, 2.0) * made.load.std() * rng.choice([-1, 1])
    load[during, 0] += height
    load[during, 1] -= height


def _unmoved(rng: Rng, made: Made, load: Floats, during: slice) -> None:
    """One does what it usually does at this hour, whatever the load is."""
    load[during, 0] = 0.0


KINDS: dict[str, tuple[tuple[int, int], Callable[[Rng, Made, Floats, slice], None]]] = {
    "alone": ((6, 36), _alone),
    "against": ((1, 6), _against),
    "unmoved": ((12, 48), _unmoved),
}


CASES = [(kind, f"{size} measures") for kind in KINDS for size in MEASURES]


def made(count: int, seed: int) -> list[Series]:
    """So many of two, of three and of four measures."""
    return [_series(size, seed + number) for size in MEASURES for number in range(count)]


def _series(size: int, seed: int) -> Series:
    rng = np.random.default_rng([seed, size])
    steps = TRAIN + TEST
    slots = np.arange(steps)
    phase, height = rng.uniform(0, 2 * np.pi), rng.uniform(2, 8, size)
    day = 50 + height * np.sin(2 * np.pi * slots[:, None] / A_DAY + phase)
    slow = lfilter([np.sqrt(1 - 0.98**2)], [1, -0.98], rng.normal(0, 1, steps))
    load = rng.uniform(1, 2) * (slow + rng.normal(0, rng.uniform(0.3, 1), steps))
    share = rng.choice([-1, 1], size) * rng.uniform(0.7, 1.5, size)
    noise = rng.normal(0, rng.uniform(0.1, 0.4), (steps, size))
    one = Made(day, load, share, noise)
    common = np.repeat(load[:, None], size, axis=1)
    quiet, changed, events = one.values(common), common.copy(), []
    for start in TRAIN + 100 + (TEST - 200) // EVENTS * np.arange(EVENTS):
        kind = str(rng.choice(list(KINDS)))
        sizes, alter = KINDS[kind]
        begin = int(start + rng.integers(100))
        during = slice(begin, begin + int(rng.integers(sizes[0], sizes[1] + 1)))
        alter(rng, one, changed, during)
        events.append(Event(kind, begin - TRAIN, during.stop - TRAIN))
    return Series(
        f"{size} measures", quiet[:TRAIN], quiet[TRAIN:], one.values(changed)[TRAIN:], tuple(events)
    )
