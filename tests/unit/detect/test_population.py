"""A series without a model is judged by how others first appear, and by how large its peers get."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from upath import UPath

from bartizan.detect.census import Census, Sizes, joined, take_census
from bartizan.detect.heavy_tail import HeavyTail, fit_tail, spared_in
from bartizan.detect.learn import learn
from bartizan.detect.population import Population, fit_population, population_rarity
from bartizan.detect.score import score
from bartizan.detect.state import DetectorState
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import DAY, HOUR, Window, naive

ALLOWED = 5.0  # the rarity of severity 70
WEEKS, DAYS = 5.0, 35
Counts = NDArray[np.float64]
learning = import_module("bartizan.detect.learn")  # the package has a function of this name


def rarity_of(
    population: Population, counts: list[int], level: float = 0.0, group: int = 0
) -> float:
    values = np.array([counts], dtype=float)
    rare, _ = population_rarity(
        population, values, np.array([level]), np.array([group]), 6, ALLOWED
    )
    return float(rare.max())


def census(first: Sizes, mean: float = 1.0) -> Census:
    """Of series that are there for one interval, so their sums are their counts."""
    return Census(DAYS, 6, (first, first), (first, first), np.full(len(first.size), mean))


def appeared(*sizes: float, group: int = 0) -> Sizes:
    """One series after the other, on all days in turn."""
    days = np.arange(len(sizes)) % DAYS
    return Sizes(np.array(sizes, dtype=float), group * DAYS + days)


def population(*sizes: float) -> Population:
    return fit_population([census(appeared(*sizes))], 1, WEEKS, 1)


values = st.one_of(st.just(np.nan), st.integers(0, 50).map(float))
panels = st.lists(st.lists(values, min_size=12, max_size=12), min_size=1, max_size=6)


@given(panels, st.data())
def test_sizes_are_what_loops_over_the_intervals_find(
    panel: list[list[float]], data: st.DataObject
) -> None:
    """Days of four intervals, sums of three in a row since a series began."""
    rows, day, length = np.array(panel), 4, 3
    series = range(len(rows))
    first = np.array([data.draw(st.integers(0, 11)) for _ in series])
    group = np.array([data.draw(st.integers(0, 1)) for _ in series])
    level = np.linspace(0.5, 3, len(rows))
    early: list[list[tuple[int, float]]] = [[], []]
    peaks: list[list[tuple[int, float, float]]] = [[], []]
    for s in series:
        whole = [0.0 if np.isnan(v) else v for v in rows[s, first[s] :]]
        sums = [sum(whole[max(t - length + 1, 0) : t + 1]) for t in range(len(whole))]
        for kind, sizes in enumerate((whole, sums)):
            most = max(sizes)
            if most > 0:
                place = int(group[s] * 3 + (first[s] + sizes.index(most)) // day)
                peaks[kind].append((place, most, level[s]))
            if first[s] >= day and first[s] + day <= 12 and max(sizes[:day]) > 0:
                early[kind].append((int(group[s] * 3 + first[s] // day), max(sizes[:day])))
    found = take_census(rows, first, level, group, day, length)
    assert (found.days, found.length) == (3, 3)
    for kind in (0, 1):
        came, most = found.first[kind], found.peaks[kind]
        pairs = zip(came.place.tolist(), came.size.tolist(), strict=True)
        assert sorted(pairs) == sorted(early[kind])
        triples = zip(most.place.tolist(), most.size.tolist(), found.means.tolist(), strict=True)
        assert list(triples) == peaks[kind]
        highest = most.largest()
        assert dict(zip(highest.place.tolist(), highest.size.tolist(), strict=True)) == {
            place: max(size for at, size, _ in peaks[kind] if at == place)
            for place, _, _ in sorted(peaks[kind])
        }
    halves = [
        take_census(rows[some], first[some], level[some], group[some], day, length)
        for some in (slice(None, None, 2), slice(1, None, 2))
    ]
    one, other = (fit_population([part], 2, 1.0, 1) for part in (found, joined(halves[::-1])))
    for kind in (0, 1):
        assert one.kinds[kind].newcomers == other.kinds[kind].newcomers
        assert one.kinds[kind].peaks == other.kinds[kind].peaks
        assert one.kinds[kind].typical.peak.tolist() == other.kinds[kind].typical.peak.tolist()


@pytest.mark.parametrize("shape", [0.3, 0.7, 1.2])
def test_the_shape_of_a_power_law_is_found_below_the_largest(shape: float) -> None:
    sizes = 7 * np.random.default_rng(4).uniform(size=4000) ** -shape
    found = fit_tail(sizes, 5, WEEKS)
    assert found is not None
    assert found.shape == pytest.approx(shape, rel=0.15)
    ranked = np.sort(sizes)[::-1]
    assert (found.size, found.per_week) == (ranked[5], 6 / 5)  # five days may have been attacks
    # The trimmed Hill estimator by its definition, and the prior of six.
    k, spared = 5 + 400, 5
    logs = [np.log(ranked[i - 1] / ranked[k]) for i in range(1, k + 1)]
    hill = ((spared + 1) * logs[spared] + sum(logs[spared + 1 :])) / (k - spared)
    assert found.shape == pytest.approx((400 * hill + 6 * 0.5) / 406, rel=1e-9)
    attacked = np.where(np.isin(sizes, ranked[:5]), 1e9, sizes)
    assert fit_tail(np.random.default_rng(5).permutation(attacked), 5, WEEKS) == found
    assert fit_tail(np.where(np.isin(sizes, ranked[:6]), 1e9, sizes), 5, WEEKS) != found


def test_how_often_a_size_comes() -> None:
    tail = HeavyTail(10.0, 2.0, 0.5)
    assert tail.comes(np.array([1.0, 10.0, 20.0, 100.0])).tolist() == [np.inf, np.inf, 0.5, 0.02]
    assert fit_tail(np.ones(5), 5, WEEKS) is None
    assert spared_in(WEEKS) == 5


def test_few_small_ones_make_a_large_one_an_anomaly() -> None:
    few = population(1, 2, 1, 1, 3, 1)
    assert few.kinds[0].newcomers.per_week == pytest.approx(8 / (5 * 33 / 35 + 1))
    assert rarity_of(few, [2]) == rarity_of(few, [10]) == 0  # not ten beyond the usual ones
    assert rarity_of(few, [60]) > ALLOWED
    assert rarity_of(few, [10, 10, 10, 10, 10]) > ALLOWED  # not by an interval, but by their sum


def test_the_more_come_the_larger_it_must_be() -> None:
    sizes = [3.0] * 35
    seldom, often = (rarity_of(population(*sizes * n), [25]) for n in (1, 10))
    weeks = 5 * 33 / 35 + 1
    assert seldom - often == pytest.approx(np.log10((352 / weeks) / (37 / weeks)), abs=0.1)


def test_what_comes_on_more_than_one_day_a_week_is_usual() -> None:
    attacked = population(*[1] * 30, *[200] * 5)
    usual = population(*[1] * 29, *[200] * 6)
    assert rarity_of(attacked, [150]) > ALLOWED
    assert rarity_of(usual, [200]) == 0
    assert 0 < rarity_of(usual, [300]) < rarity_of(usual, [3000])


def test_a_botnet_of_a_day_does_not_excuse_another() -> None:
    """A hundred clients of 500 requests on two days, among forty a week with a few requests."""
    rng = np.random.default_rng(3)
    calm = appeared(*rng.geometric(0.2, 200))
    bots = Sizes(np.full(100, 500.0), np.repeat([11, 12], 50))
    both = Sizes(np.append(calm.size, bots.size), np.append(calm.place, bots.place))
    quiet, attacked = (fit_population([census(one)], 1, WEEKS, 1) for one in (calm, both))
    for level in (0.0, 2.0):
        assert rarity_of(quiet, [500], level) > rarity_of(attacked, [500], level) > ALLOWED
    # Bots on one day a week more than that are what comes.
    weekly = Sizes(np.full(100, 500.0), np.repeat([2, 7, 12, 17, 22, 27, 32, 34], 13)[:100])
    often = Sizes(np.append(calm.size, weekly.size), np.append(calm.place, weekly.place))
    usual = fit_population([census(often)], 1, WEEKS, 1)
    assert rarity_of(usual, [500]) == 0
    assert rarity_of(usual, [500], 2.0) < ALLOWED


def test_a_series_that_has_come_already_is_judged_by_its_own_level_too() -> None:
    few = population(1, 2, 1)
    assert rarity_of(few, [60], level=50.0) == 0 < ALLOWED < rarity_of(few, [60])
    peers = population(*np.random.default_rng(1).geometric(0.2, 200))
    assert rarity_of(peers, [300], level=200.0) == 0 < ALLOWED < rarity_of(peers, [300], level=2.0)


@pytest.mark.parametrize(
    "sizes",
    [
        (lambda rng, n: rng.geometric(0.1, n).astype(float)),
        (lambda rng, n: np.ceil(20 * np.exp(0.7 * rng.normal(size=n)))),
        (lambda rng, n: np.ceil(5 * np.exp(1.5 * rng.normal(size=n)))),
        (lambda rng, n: np.ceil(2 * rng.uniform(size=n) ** -0.8)),
    ],
    ids=["geometric", "lognormal", "heavy lognormal", "Zipf"],
)
def test_hundreds_of_newcomers_a_week_hold_the_budget(
    sizes: Callable[[np.random.Generator, int], Counts],
) -> None:
    """Of 300 a week that are like those of the history, so many are of severity 70."""
    came, rng, trials = 0, np.random.default_rng(7), 40
    for _ in range(trials):
        place = rng.integers(1, DAYS - 1, 1500)
        learned = fit_population([census(Sizes(sizes(rng, 1500), place))], 1, WEEKS, 1)
        later = sizes(rng, 3000)  # of ten weeks
        size = learned.kinds[0].comes(later, np.zeros(3000), np.zeros(3000, dtype=np.int64))
        came += int((size <= learned.allowed).sum())
        flood = np.array([1e3 * later.max()])
        as_flood = learned.kinds[0].comes(flood, np.zeros(1), np.zeros(1, dtype=np.int64))
        assert as_flood[0] < learned.allowed
    budget = learned.allowed * trials * 10
    assert budget == 100.0  # a quarter a week
    assert came <= budget


def test_peers_that_burst_hold_the_budget() -> None:
    """A hundred clients a week that stay, of which each is at some time many times what it is."""
    rng = np.random.default_rng(8)

    def bursts(number: int) -> tuple[Counts, Counts]:
        means = 20 * np.exp(rng.normal(size=number))
        return means, np.ceil(means * (2 + 2 * rng.uniform(size=number) ** -0.6))

    came, trials, learned = 0, 40, population(1)
    for _ in range(trials):
        means, peaks = bursts(500)
        sizes = Sizes(peaks, rng.integers(0, DAYS, 500))
        seen = Census(DAYS, 6, (appeared(), appeared()), (sizes, sizes), means)
        learned = fit_population([seen], 1, WEEKS, 1)
        own, later = bursts(1000)  # of ten weeks
        nobody = np.zeros(1000, dtype=np.int64)
        came += int((learned.kinds[0].comes(later, own, nobody) <= learned.allowed).sum())
        found = learned.kinds[0].comes(1000 * own, own, nobody)
        assert (found <= learned.allowed).mean() > 0.9
    assert came <= learned.allowed * trials * 10


def test_a_rare_method_is_judged_beside_a_busy_one() -> None:
    """GET has thousands of requests, twice as many at most; DELETE had one, and has seventy."""
    rng = np.random.default_rng(9)
    means = np.repeat([3000.0, 400.0, 20.0, 1.0], 10)
    sizes = Sizes(means * rng.uniform(1.5, 2, 40), np.arange(40) % DAYS)
    methods = Census(DAYS, 6, (appeared(), appeared()), (sizes, sizes), means)
    peers = fit_population([methods], 1, WEEKS, 1)
    assert rarity_of(peers, [70], level=0.1) > ALLOWED
    assert rarity_of(peers, [5], level=0.1) == 0
    assert rarity_of(peers, [6000], level=3000.0) == 0
    assert rarity_of(peers, [60_000], level=3000.0) > ALLOWED


START = datetime(2026, 9, 7, tzinfo=UTC)
CLIENTS = Connector(
    "clients", "", HOUR, timedelta(), "timestamp", ("webacl", "client"), (Measure("requests"),), ""
)
LEARNED = Window(START, START + 21 * DAY)
TODAY = Window(LEARNED.end, LEARNED.end + DAY)


def visits(webacl: str, client: str, hours: NDArray[Any], counts: NDArray[Any]) -> pd.DataFrame:
    times = np.datetime64(naive(START), "us") + hours.astype(int) * np.timedelta64(1, "h")
    return pd.DataFrame(
        {"interval_start": times, "webacl": webacl, "client": client, "requests": counts}
    )


def history(seed: int = 2) -> pd.DataFrame:
    """Three weeks of hours: ten clients that stay and 150 that come for two days, of about 300
    requests an hour at the large web ACL, and 3 at the small one."""
    rng, found = np.random.default_rng(seed), []
    for webacl, typical in (("large", 300.0), ("small", 3.0)):
        for number in range(160):
            begin, stays = (0, 504) if number < 10 else (int(rng.integers(0, 500)), 48)
            hours = np.arange(begin, min(begin + stays, 504))
            mean = typical * np.exp(0.5 * rng.normal())
            found.append(
                visits(webacl, f"c{number}", hours, rng.poisson(mean, len(hours)).astype(float))
            )
        hours = np.arange(460, 504)  # known, and not for long
        found.append(visits(webacl, "short", hours, rng.poisson(2, len(hours)) + 1.0))
    return pd.concat(found, ignore_index=True)


@pytest.fixture(scope="module")
def state() -> DetectorState:
    return learn(history(), CLIENTS, LEARNED)


def judged(state: DetectorState, webacl: str, client: str, count: float) -> pd.Series:
    live = visits(webacl, client, np.array([504]), np.array([count]))
    scores = score(state, live, CLIENTS, Window(TODAY.start, TODAY.start + HOUR))
    rows = scores[(scores["webacl"] == webacl) & (scores["client"] == client)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_500_requests_are_nothing_at_a_large_web_acl_and_unheard_of_at_a_small_one(
    state: DetectorState,
) -> None:
    for client, reason in (("new", "new_entity"), ("short", "beyond_peers")):
        small, large = (judged(state, webacl, client, 500) for webacl in ("small", "large"))
        assert (small["reason"], small["direction"]) == (reason, "above")
        assert small["severity"] >= 85  # an incident by itself
        assert (large["reason"], large["direction"]) == ("not_ready", "")
        assert np.isnan(large["severity"])
        flood = judged(state, "large", client, 50_000)
        assert flood["reason"] == reason
        assert flood["severity"] >= 85
        assert judged(state, "small", client, 6)["reason"] == "not_ready"


def test_a_web_acl_never_seen_is_judged_by_what_all_have_shown(state: DetectorState) -> None:
    assert judged(state, "third", "new", 10)["reason"] == "not_ready"
    assert judged(state, "third", "new", 500_000)["reason"] == "new_entity"


def test_quiet_clients_are_no_incidents(state: DetectorState) -> None:
    days = [history(seed).assign(day=seed) for seed in range(30, 33)]
    scored = 0
    for day in days:
        live = day[day["interval_start"] < naive(START + DAY)].copy()
        live["interval_start"] += pd.Timedelta(days=21)
        live["client"] = "later " + live["client"]
        scores = score(state, live, CLIENTS, TODAY)
        mine = scores[scores["client"].str.startswith("later ")]
        scored += mine["client"].nunique()
        assert set(mine["reason"]) == {"not_ready"}
    assert scored >= 40


def test_populations_come_back_from_the_disk(state: DetectorState, tmp_path: Path) -> None:
    state.save(UPath(tmp_path / "one"))
    back = DetectorState.load(UPath(tmp_path / "one"))
    assert back.groups.tolist() == ["large", "small"]
    cases = [("large", "short", 1e6), ("small", "short", 90.0), ("third", "new", 1e6)]
    for case in cases:
        pd.testing.assert_series_equal(judged(back, *case), judged(state, *case))
    back.save(UPath(tmp_path / "two"))
    one, two = ((tmp_path / name / "populations.parquet").read_bytes() for name in ("one", "two"))
    assert one == two


def test_how_series_are_cut_into_shards_does_not_matter(
    state: DetectorState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "shard_size", lambda _: 45)
    cut = learn(history(), CLIENTS, LEARNED)
    assert (cut.shard, state.shard) == (45, 4096)
    for name, learned in (("one", state), ("two", cut)):
        learned.save(UPath(tmp_path / name))
    one, two = ((tmp_path / name / "populations.parquet").read_bytes() for name in ("one", "two"))
    assert one == two


def test_order_of_rows_does_not_matter(state: DetectorState, tmp_path: Path) -> None:
    shuffled = history().sample(frac=1, random_state=3, ignore_index=True)
    for name, learned in (("one", state), ("two", learn(shuffled, CLIENTS, LEARNED))):
        learned.save(UPath(tmp_path / name))
    one, two = ((tmp_path / name / "populations.parquet").read_bytes() for name in ("one", "two"))
    assert one == two
