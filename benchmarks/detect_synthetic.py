"""False alarms and recall of the detector on generated counts.

Three shapes, each learned from 15 days: (a) 5-minute counts of 4 web ACLs x 24 rules, most of them
sparse; (b) hourly counts of 4 web ACLs x 38 countries; (c) hourly counts of 4 web ACLs x 24
categories of about one size, in which a part of half of them moves to the others, the sum of both
staying the same. Counts are Poisson with a gamma-distributed
rate: independent ("calm") or correlated from one interval to the next ("rough"). A quiet week
gives the false incidents; then the first day of that week is scored with one injected event.
"Attacked" are rough counts whose history holds two hours of x10 + 20 on every series.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.detect.group import find_groups
from bartizan.detect.learn import learn
from bartizan.detect.score import score
from bartizan.detect.state import DetectorState
from bartizan.model.anomaly import Direction
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import Window

START = datetime(2026, 11, 2, tzinfo=UTC)
LEARNED = Window(START, START + timedelta(days=15))
WEEK = Window(LEARNED.end, LEARNED.end + timedelta(days=7))
DAY = Window(LEARNED.end, LEARNED.end + timedelta(days=1))
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    name: str
    connector: Connector
    members: int  # series of each of 4 web ACLs
    levels: tuple[float, float]  # counts per interval, log-uniform
    dispersions: tuple[float, float]  # log-uniform


def connector(name: str, dimension: str, measure: str, frequency: timedelta) -> Connector:
    dimensions = ("webacl", dimension)
    return Connector(
        name, "", frequency, timedelta(), "timestamp", dimensions, (Measure(measure),), ""
    )


BLOCKED = Shape(
    "blocked, 5 min",
    connector("blocked", "rule", "count", timedelta(minutes=5)),
    24,
    (0.003, 30.0),
    (0.1, 1.0),
)
TRAFFIC = Shape(
    "traffic, hourly",
    connector("traffic", "country", "count", timedelta(hours=1)),
    38,
    (0.3, 5000.0),
    (0.005, 0.1),
)

MIXED = Shape(
    "mixed, hourly",
    connector("mixed", "category", "count", timedelta(hours=1)),
    24,
    (20.0, 100.0),
    (0.002, 0.02),
)
MOVED, MOVED_HOURS = 0.3, 2


@dataclass(frozen=True)
class Event:
    """`change` turns the counts of the event's intervals (of one series) into attacked ones."""

    name: str
    shape: Shape
    levels: tuple[float, float]  # of the series it hits
    hours: float
    direction: Direction
    change: Callable[[Counts], Counts]


EVENTS = (
    Event("x10 for 30 min", BLOCKED, (1, 30), 0.5, Direction.ABOVE, lambda y: y * 10),
    Event("+150 in one interval", BLOCKED, (0, 0.1), 1 / 12, Direction.ABOVE, lambda y: y + 150),
    Event("+8 an interval for 2 h", BLOCKED, (0, 0.2), 2, Direction.ABOVE, lambda y: y + 8),
    Event("x2 for 1 h", BLOCKED, (10, 30), 1, Direction.ABOVE, lambda y: y * 2),
    Event("x3 for 1 h", BLOCKED, (10, 30), 1, Direction.ABOVE, lambda y: y * 3),
    Event("x10 for 1 h", TRAFFIC, (20, 5000), 1, Direction.ABOVE, lambda y: y * 10),
    Event("x2 for 1 h", TRAFFIC, (500, 5000), 1, Direction.ABOVE, lambda y: y * 2),
    Event("down to 5 % for 2 h", TRAFFIC, (200, 5000), 2, Direction.BELOW, lambda y: y // 20),
)


@dataclass(frozen=True)
class World:
    """Counts (S, T) of 22 days."""

    shape: Shape
    keys: pd.DataFrame
    times: NDArray[np.datetime64]
    counts: Counts

    def frame(self, window: Window, counts: Counts | None = None) -> pd.DataFrame:
        ends = [np.datetime64(t.replace(tzinfo=None), "us") for t in (window.start, window.end)]
        first, last = np.searchsorted(self.times, ends)
        chosen = (self.counts if counts is None else counts)[:, first:last]
        series, interval = np.nonzero(chosen)
        keys = {name: self.keys[name].to_numpy()[series] for name in self.keys.columns}
        times = self.times[first:last][interval]
        return pd.DataFrame({**keys, "interval_start": times, "count": chosen[series, interval]})


def build_world(shape: Shape, seed: int, kind: str) -> World:
    rng = np.random.default_rng(seed)
    step = shape.connector.frequency
    times = np.arange(
        np.datetime64(LEARNED.start.replace(tzinfo=None), "us"),
        np.datetime64(WEEK.end.replace(tzinfo=None), "us"),
        np.timedelta64(step, "us"),
    )
    hour = np.arange(len(times)) * (step / timedelta(hours=1))
    acl = np.repeat(np.arange(4), shape.members)
    series = len(acl)
    phase = rng.uniform(0, 24, 4)[acl] + rng.normal(0, 1.5, series)
    swing = rng.uniform(0.3, 0.8, 4)[acl]
    weekend = rng.uniform(0.4, 1.4, 4)[acl]
    level = np.exp(rng.uniform(*np.log(shape.levels), series))
    daily = 1 + swing[:, None] * np.sin(2 * np.pi * (hour - phase[:, None]) / 24)
    weekly = np.where(hour // 24 % 7 >= 5, weekend[:, None], 1.0)
    size = 1 / np.exp(rng.uniform(*np.log(shape.dispersions), series))[:, None]
    gamma = rng.gamma(size, 1 / size, (series, len(times)))
    if kind != "calm":  # two halves of the gamma variance: one interval's own, one shared by four
        slow = np.repeat(gamma[:, ::4], 4, axis=1)[:, : len(times)]
        gamma = (gamma + slow) / 2
    counts = rng.poisson(level[:, None] * daily * weekly * gamma).astype(float)
    if kind == "attacked":
        when = (hour >= 9 * 24 + 8) & (hour < 9 * 24 + 10)
        counts[:, when] = counts[:, when] * 10 + 20
    names = shape.connector.dimensions
    member = np.tile(np.arange(shape.members), 4)
    keys = pd.DataFrame({names[0]: [f"acl-{a}" for a in acl], names[1]: [f"m{m}" for m in member]})
    return World(shape, keys, times, counts)


def false_alarms(world: World, state: DetectorState) -> tuple[int, int]:
    """Points and incidents of a quiet week at threshold 70."""
    scores = score(state, world.frame(WEEK), world.shape.connector, WEEK)
    points = int((scores["severity"] >= 70).sum())
    return points, len(find_groups(scores, world.shape.connector, 70))


def found(world: World, state: DetectorState, event: Event, seed: int) -> bool:
    """Whether an incident of the right series and direction overlaps the event."""
    rng = np.random.default_rng(seed)
    frequency = world.shape.connector.frequency
    history = round(timedelta(days=15) / frequency)
    level = world.counts[:, : history // 2].mean(axis=1)  # before any attack in the history
    able = np.flatnonzero((level >= event.levels[0]) & (level < event.levels[1]) & (level > 0))
    series = rng.choice(able)
    length = max(round(timedelta(hours=event.hours) / frequency), 1)
    first = history + rng.integers(0, round(timedelta(days=1) / frequency) - length)
    counts = world.counts.copy()
    counts[series, first : first + length] = event.change(counts[series, first : first + length])
    scores = score(state, world.frame(DAY, counts), world.shape.connector, DAY)
    start = DAY.start + (first - history) * frequency
    window = Window(start, start + length * frequency)
    key = tuple(world.keys.iloc[series].items())
    return any(
        incident.direction is event.direction
        and any(a.dimensions == key and a.interval.overlaps(window) for a in incident.anomalies)
        for incident in find_groups(scores, world.shape.connector, 70)
    )


def moved(world: World, seed: int) -> tuple[str, Window, Counts]:
    """At which web ACL and when a part of half of the categories becomes others; and the counts."""
    rng = np.random.default_rng(seed)
    webacl = f"acl-{rng.integers(4)}"
    first = 15 * 24 + int(rng.integers(24 - MOVED_HOURS))
    hours = np.arange(first, first + MOVED_HOURS)
    mine = rng.permutation(np.flatnonzero(world.keys["webacl"] == webacl))
    fewer, more = mine[::2], mine[1::2]
    counts, usual = world.counts.copy(), world.counts[more, : 15 * 24].mean(axis=1)
    gone = rng.binomial(counts[np.ix_(fewer, hours)].astype(np.int64), MOVED)
    counts[np.ix_(fewer, hours)] -= gone
    counts[np.ix_(more, hours)] += rng.multinomial(gone.sum(axis=0), usual / usual.sum()).T
    start = START + first * timedelta(hours=1)
    return webacl, Window(start, start + MOVED_HOURS * timedelta(hours=1)), counts


def found_moved(world: World, state: DetectorState, seed: int) -> bool:
    """Whether an incident of the web ACL overlaps the move."""
    webacl, window, counts = moved(world, seed)
    scores = score(state, world.frame(DAY, counts), world.shape.connector, DAY)
    return any(
        incident.anomalies[0].dimensions[0][1] == webacl and incident.window.overlaps(window)
        for incident in find_groups(scores, world.shape.connector, 70)
    )


def without_mix(state: DetectorState) -> DetectorState:
    measures = {name: replace(one, mix=None) for name, one in state.measures.items()}
    return replace(state, measures=measures)


def measure_mixed(kind: str, seeds: int) -> Iterator[str]:
    """Lines of the table for categories that change places."""
    incidents = with_it = without = 0
    for seed in range(seeds):
        world = build_world(MIXED, seed, kind)
        state = learn(world.frame(LEARNED), MIXED.connector, LEARNED)
        incidents += false_alarms(world, state)[1]
        with_it += found_moved(world, state, seed)
        without += found_moved(world, without_mix(state), seed)
    name = f"{MOVED:.0%} of half of the categories for {MOVED_HOURS} h"
    yield f"| {MIXED.name} | {kind} | false incidents a week | {incidents / seeds:.2f} |"
    yield f"| {MIXED.name} | {kind} | found: {name} | {with_it} of {seeds} |"
    yield f"| {MIXED.name} | {kind} | the same without the mix | {without} of {seeds} |"


def measure(shape: Shape, kind: str, seeds: int) -> Iterator[str]:
    """Lines of the table for one shape."""
    points = incidents = 0
    hits = dict.fromkeys((event for event in EVENTS if event.shape is shape), 0)
    for seed in range(seeds):
        world = build_world(shape, seed, kind)
        state = learn(world.frame(LEARNED), shape.connector, LEARNED)
        more_points, more_incidents = false_alarms(world, state)
        points, incidents = points + more_points, incidents + more_incidents
        for event in hits:
            hits[event] += found(world, state, event, seed)
    yield f"| {shape.name} | {kind} | false points a week | {points / seeds:.2f} |"
    yield f"| {shape.name} | {kind} | false incidents a week | {incidents / seeds:.2f} |"
    for event, count in hits.items():
        yield f"| {shape.name} | {kind} | found: {event.name} | {count} of {seeds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    began = time.monotonic()
    print("| shape | counts | what | result |\n|---|---|---|---|")
    for shape in (BLOCKED, TRAFFIC):
        for kind in ("calm", "rough", "attacked"):
            for line in measure(shape, kind, seeds):
                print(line, flush=True)
    for kind in ("calm", "rough"):
        for line in measure_mixed(kind, seeds):
            print(line, flush=True)
    print(f"\n{seeds} seeds each, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
