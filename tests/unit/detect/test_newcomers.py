"""A series never seen before is judged by how large ones come, and how often."""

from __future__ import annotations

import numpy as np
import pytest

from bartizan.detect.newcomers import Newcomers, appearances, fit_newcomers, population_rarity

ALLOWED = 5.0  # the rarity of severity 70
WEEKS = 5.0


def rarity_of(newcomers: Newcomers, counts: list[int], level: float = 0.0) -> float:
    values = np.array([counts], dtype=float)
    rare, _ = population_rarity(newcomers, values, np.array([level]), 6, ALLOWED)
    return float(rare.max())


def sizes(*first: int) -> np.ndarray:
    """First appearances that end after one interval."""
    counts = np.zeros((len(first), 6))
    counts[:, 0] = first
    return counts


def test_only_series_that_came_after_the_first_day_are_newcomers() -> None:
    values = np.arange(40.0).reshape(4, 10)
    found = appearances(values, np.array([0, 4, 8, 10]), warm_up=2, length=3)
    assert found.tolist() == [[14.0, 15.0, 16.0]]  # the third has not been seen for long enough


def test_few_small_ones_make_a_large_one_an_anomaly() -> None:
    few = fit_newcomers(sizes(1, 2, 1, 1, 3, 1), WEEKS)
    assert few.per_week == pytest.approx(8 / 6)
    assert rarity_of(few, [2]) == rarity_of(few, [12]) == 0  # not ten beyond the usual three
    assert rarity_of(few, [60]) > ALLOWED
    assert rarity_of(few, [12, 12, 12, 12, 12]) > ALLOWED  # not by an interval, but by their sum


def test_the_more_come_the_larger_it_must_be() -> None:
    seldom, often = (rarity_of(fit_newcomers(sizes(*[3] * n), WEEKS), [30]) for n in (50, 500))
    assert seldom == pytest.approx(often + np.log10(502 / 52))  # the sizes are those of the prior


def test_what_comes_more_than_three_times_a_week_is_usual() -> None:
    attacked = fit_newcomers(sizes(*[1] * 40, *[200] * 15), WEEKS)
    usual = fit_newcomers(sizes(*[1] * 40, *[200] * 16), WEEKS)
    assert rarity_of(attacked, [150]) > ALLOWED
    assert rarity_of(usual, [200]) == 0
    assert rarity_of(usual, [300]) > 0


def test_a_series_that_has_come_already_is_judged_by_its_own_level() -> None:
    few = fit_newcomers(sizes(1, 2, 1), WEEKS)
    assert rarity_of(few, [60], level=50.0) < 1 < rarity_of(few, [60])
