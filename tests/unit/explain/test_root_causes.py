"""The search over cuboids: on faults made here, independent of the benches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bartizan.explain import root_causes
from bartizan.explain.cuboids import Numbering, cuboids

SIZES = (4, 6, 5, 7)
GRID = np.stack(np.meshgrid(*map(np.arange, SIZES), indexing="ij"), -1).reshape(-1, len(SIZES))


def usual(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(4, 1, len(GRID)).round() + 1


def hit(cause: tuple[tuple[int, int], ...]) -> np.ndarray:
    inside = np.ones(len(GRID), dtype=bool)
    for dimension, value in cause:
        inside &= GRID[:, dimension] == value
    return inside


def said(value: np.ndarray, expected: np.ndarray, **more: object) -> dict:
    found = root_causes(GRID, value, expected, **more)  # type: ignore[arg-type]
    return {one.values: sorted(one.leaves.tolist()) for one in found}


_values = [st.integers(0, size - 1) for size in SIZES]


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True).map(sorted),
    st.tuples(*_values),
    st.tuples(*_values),
    st.sampled_from([0.2, 0.5, 1.8, 4.0]),
    st.integers(0, 99),
)
def test_noise_free_faults_are_recovered_exactly(
    dimensions: list[int], one: tuple[int, ...], two: tuple[int, ...], ratio: float, seed: int
) -> None:
    # Two that differ in one value may be most of what they have in common: see below.
    assume(sum(one[d] != two[d] for d in dimensions) != 1)
    expected = usual(seed)
    value = expected.copy()
    causes = {tuple((d, row[d]) for d in dimensions) for row in (one, two)}
    for cause in causes:
        value[hit(cause)] = expected[hit(cause)] * ratio
    truth = {cause: np.flatnonzero(hit(cause)).tolist() for cause in causes}
    assert said(value, expected) == truth
    assert said(value, expected, sign=1 if ratio > 1 else -1) == truth
    assert said(value, expected, sign=-1 if ratio > 1 else 1) == {}


def test_causes_that_differ_in_one_value_are_seldom_taken_for_what_they_share() -> None:
    causes = [((0, 0), (1, 0), (3, 2)), ((0, 2), (1, 0), (3, 2))]
    exact = []
    for seed in range(100):
        expected = usual(seed)
        inside = hit(causes[0]) | hit(causes[1])
        found = said(np.where(inside, 4 * expected, expected), expected)
        exact.append(set(found) == set(causes))
        assert exact[-1] or set(found) == {((1, 0), (3, 2))}
    assert len(exact) == 100
    assert np.mean(exact) > 0.8


def test_causes_of_different_cuboids_and_directions_are_told_apart() -> None:
    expected = usual(1)
    noisy = np.random.default_rng(2).poisson(expected).astype(float)
    up, down = ((1, 2),), ((0, 3), (2, 1))
    value = noisy.copy()
    value[hit(up)] *= 3
    value[hit(down) & ~hit(up)] *= 0.2
    assert set(said(value, expected)) == {up, down}
    assert set(said(value, expected, sign=1)) == {up}
    assert set(said(value, expected, sign=-1)) == {down}


def test_what_is_common_to_all_is_one_cause_without_a_dimension() -> None:
    expected = usual(3)
    assert list(said(expected * 2, expected)) == [()]
    assert said(expected * 1.1, expected) == {}  # a forecast that is a little off
    value = np.random.default_rng(4).poisson(expected * 1.1).astype(float)
    small = ((0, 2), (1, 1), (2, 4))
    value[hit(small)] *= 1.6
    assert list(said(value, expected)) == [small]


def test_a_lone_leaf_is_a_cause_only_when_something_is_known_to_have_changed() -> None:
    codes = np.array([[a, b] for a in range(9) for b in range(20)])
    rng = np.random.default_rng(4)
    expected = rng.lognormal(5, 1, len(codes)).round() + 1
    value = rng.poisson(expected * rng.gamma(10, 0.1, len(codes))).astype(float)
    place = int(np.argsort(expected)[60])
    value[place] *= 8
    found = root_causes(codes, value, expected, sign=1, certain=True)
    assert [one.leaves.tolist() for one in found] == [[place]]
    assert found[0].values == tuple(enumerate(codes[place].tolist()))


@settings(max_examples=25)
@given(st.permutations(range(len(GRID))), st.integers(0, 99))
def test_the_order_of_the_leaves_does_not_matter(order: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = rng.lognormal(2, 1, len(GRID))
    value = expected * rng.lognormal(0, 0.3, len(GRID))
    value[hit(((1, seed % 6),))] *= 2
    value[hit(((0, seed % 4), (3, seed % 7)))] *= 3
    shuffled = root_causes(GRID[order], value[order], expected[order])
    there = [(one.values, sorted(order[leaf] for leaf in one.leaves)) for one in shuffled]
    assert there == [
        (one.values, one.leaves.tolist()) for one in root_causes(GRID, value, expected)
    ]
    assert there


@pytest.mark.parametrize("kind", ["poisson", "dispersed", "relative", "additive", "sparse"])
def test_noise_has_no_cause(kind: str) -> None:
    draws = 60
    found = 0
    for seed in range(draws):
        rng = np.random.default_rng([seed, 5])
        expected = rng.lognormal(3, 1, len(GRID))
        match kind:
            case "poisson":
                value = rng.poisson(expected)
            case "dispersed":
                value = rng.poisson(expected * rng.gamma(4, 0.25, len(GRID)))
            case "relative":
                value = expected * np.maximum(rng.normal(1, 0.3, len(GRID)), 0)
            case "additive":
                value = expected + rng.normal(0, 10, len(GRID))
            case _:
                expected = expected / 100
                value = rng.poisson(expected)
        found += bool(root_causes(GRID, value.astype(float), expected))
    assert found <= 0.05 * draws


def test_degenerate_leaves_are_no_error() -> None:
    one = np.zeros((1, 2), dtype=np.int64)
    assert root_causes(one, np.array([9.0]), np.array([1.0])) == []
    nothing = np.zeros(len(GRID))
    assert said(nothing, nothing) == {}
    new = nothing.copy()
    new[hit(((2, 1),))] = 50  # series that were never expected
    assert set(said(new, nothing)) == {((2, 1),)}


def test_cuboids_are_all_of_at_most_three_dimensions_and_number_their_elements() -> None:
    assert len(cuboids([2, 3, 1, 4, 5])) == 1 + 4 + 6 + 4  # one dimension tells nothing apart
    columns = [GRID[:, dimension] for dimension in range(len(SIZES))]
    numbering = Numbering.of((0, 2, 3), SIZES)
    ids = numbering.of_leaves(columns)
    for leaf in (0, 11, len(GRID) - 1):
        row = GRID[leaf]
        assert dict(numbering.values(int(ids[leaf]))) == {0: row[0], 2: row[2], 3: row[3]}
    huge = Numbering.of((0, 1), [3, 10**9])
    assert huge.kept[0] == 3
    assert huge.elements <= 1 << 20
    far = huge.of_leaves([np.array([2, 2]), np.array([0, 10**9 - 1])])
    assert far.tolist() == [2 * huge.kept[1], huge.elements]
