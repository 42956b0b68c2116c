"""From tail probability to severity 0-100 on one scale for all series.

Rarity is -log10 of the tail probability. The budget is the rarity that one test in a week
reaches by chance: log10(tests of an interval x intervals a week). Severity is 70 at the budget
(about one false point a week per detector under the model), proportional below it, and nears 100
above it:

    severity = 70 rarity / budget                              rarity <= budget
    severity = 70 + 30 (1 - exp(-(rarity - budget) / 3))       rarity >  budget

So 85 is about 2.1 decimal orders rarer than the budget, 95 about 5.4.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from bartizan.detect.panel import Floats

AT_BUDGET = 70.0
LEAST_ALARM = 50.0  # no lower threshold is of use
_WEEK = timedelta(days=7)


def budget(tests: int, frequency: timedelta) -> float:
    """The rarity of severity 70 for a detector of so many tests of an interval, of all series."""
    return float(np.log10(max(tests, 1) * (_WEEK / frequency)))


def rarity(tail: Floats) -> Floats:
    """-log10 of a probability, between 0 and 300; NaN stays NaN."""
    result: Floats = np.abs(np.log10(np.clip(tail, 1e-300, 1.0)))
    return result


def severity(rare: Floats, allowed: float) -> Floats:
    """Severity 0-100 of rarities, given the budget."""
    beyond = np.maximum(rare - allowed, 0)
    result: Floats = np.where(
        rare <= allowed,
        AT_BUDGET * rare / allowed,
        AT_BUDGET + (100 - AT_BUDGET) * (1 - np.exp(-beyond / 3)),
    )
    return np.where(np.isnan(rare), np.nan, result)
