"""The metrics of a simulated day, counted in the simulator's columns before it renders any log.

They equal what landing, aggregating and crawling the day's logs gives (a test does both).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.model.window import DAY, HOUR, naive
from bartizan.simulate.attacks import ATTACKS, Flows
from bartizan.simulate.flows import quiet_flows
from bartizan.simulate.pools import Pool
from bartizan.simulate.render import SLOT_MS, drawn_records
from bartizan.simulate.scene import Scene
from bartizan.simulate.seasons import SLOTS, SLOTS_PER_HOUR
from bartizan.simulate.sites import SITES, Site
from weeks.plan import BLOCKED, BY_COUNTRY, METHODS, START, Planned, World

MEASURES = {
    BLOCKED: ("rule", "blocked", DAY / SLOTS),
    BY_COUNTRY: ("country", "requests", HOUR),
    METHODS: ("method", "requests", DAY / SLOTS),
}
HTTP = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
LEAST = 5  # expected requests of an attack, however weak

Counts = NDArray[np.int64]
Series = dict[tuple[str, str], Counts]  # by web ACL and value: counts of a day's intervals
Metrics = dict[str, Series]  # by connector
Coded = tuple[list[str], Counts]  # distinct values, and the number of each item's


def attacked(flows: Flows, scene: Scene, share: float) -> Flows:
    """The flows with an attack of `share` requests for each usual one."""
    apply = ATTACKS[scene.kind].apply
    trial = apply(scene, flows)
    sent = sum(float(flow.rates.sum()) for flow in trial[len(flows) :])
    if sent:
        wanted = max(share * float(scene.usual(flows).sum()), LEAST)
        return apply(replace(scene, strength=wanted / sent), flows)
    lost = 1 - float(trial[0].left[scene.start])
    return apply(replace(scene, strength=share / lost), flows)


def flows_of(world: World, site: Site, number: int, planned: Sequence[Planned]) -> Flows:
    """The flows of one web ACL on one day of a world, counted from START."""
    day = (START + number * DAY).date()
    flows = quiet_flows(site, world.seed, world.records_per_day, day)
    for each in planned:
        if each.site is site and each.day == number:
            scene = Scene(each.kind, site, world.seed, day, each.start, each.stop)
            flows = attacked(flows, scene, each.share)
    return flows


def day_metrics(world: World, number: int, planned: Sequence[Planned]) -> Metrics:
    """Counts of every series that has any on the day, 288 or 24 of each."""
    metrics: Metrics = {BLOCKED: {}, BY_COUNTRY: {}, METHODS: {}}
    day = (START + number * DAY).date()
    for site in SITES:
        of_site = counted(flows_of(world, site, number, planned), site, world.seed, day)
        for name, series in of_site.items():
            metrics[name] |= {(site.webacl, value): counts for value, counts in series.items()}
    return metrics


def counted(flows: Flows, site: Site, seed: int, day: date) -> dict[str, dict[str, Counts]]:
    """By connector and value of its second dimension, the counts of one web ACL on one day."""
    blocked: dict[str, Counts] = defaultdict(lambda: np.zeros(SLOTS, dtype=np.int64))
    countries: dict[str, Counts] = defaultdict(lambda: np.zeros(24, dtype=np.int64))
    methods: dict[str, Counts] = defaultdict(lambda: np.zeros(SLOTS, dtype=np.int64))
    midnight_ms = int(datetime.combine(day, time(), UTC).timestamp()) * 1000
    for flow in flows:
        _, times, _, client, request = drawn_records(site, flow, seed, day)
        slots = (times - midnight_ms) // SLOT_MS
        if rule := _blocking_rule(flow.verdict.head):
            blocked[rule] += np.bincount(slots, minlength=SLOTS)
        _add(countries, _countries(flow.clients), client, slots // SLOTS_PER_HOUR, 24)
        _add(methods, _methods(flow.requests), request, slots, SLOTS)
    found = {BLOCKED: blocked, BY_COUNTRY: countries, METHODS: methods}
    return {
        name: {value: counts for value, counts in series.items() if counts.any()}
        for name, series in found.items()
    }


def frame(days: Sequence[Metrics], connector: str) -> pd.DataFrame:
    """The metrics of consecutive days from START as rows that a detector learns from."""
    dimension, measure, frequency = MEASURES[connector]
    keys = sorted({key for day in days for key in day[connector]})
    size = round(DAY / frequency)
    counts = np.zeros((len(keys), len(days) * size), dtype=np.int64)
    for number, day in enumerate(days):
        for row, key in enumerate(keys):
            if key in day[connector]:
                counts[row, number * size : (number + 1) * size] = day[connector][key]
    interval, series = np.nonzero(counts.T)
    names = np.array(keys, dtype=object).reshape(-1, 2)
    return pd.DataFrame(
        {
            "interval_start": np.datetime64(naive(START), "us")
            + interval * np.timedelta64(frequency, "us"),
            "webacl": names[series, 0],
            dimension: names[series, 1],
            measure: counts[series, interval].astype(float),
        }
    )


def _add(series: dict[str, Counts], values: Coded, drawn: Counts, at: Counts, size: int) -> None:
    """Count the drawn items of a pool by value and interval."""
    names, codes = values
    cells = np.bincount(codes[drawn] * size + at, minlength=len(names) * size)
    for name, counts in zip(names, cells.reshape(len(names), size), strict=True):
        series[name] += counts


@cache
def _blocking_rule(head: str) -> str | None:
    """What blocks under a verdict: the rule of a group or web ACL, None when nothing does."""
    decision = json.loads("{" + head.split(',"rateBasedRuleList"', maxsplit=1)[0][1:] + "}")
    if decision["action"] != "BLOCK":
        return None
    inner = [group["terminatingRule"] for group in decision["ruleGroupList"]]
    named = [rule["ruleId"] for rule in inner if rule]
    return str(named[0] if named else decision["terminatingRuleId"])


@cache
def _countries(pool: Pool) -> Coded:
    """Of each client: its second fragment begins with the country."""
    return _coded([item[1].split('"')[4] for item in pool.items])


@cache
def _methods(pool: Pool) -> Coded:
    """Of each request: its second fragment begins with the method."""
    found = [item[1].split('"')[4] for item in pool.items]
    return _coded([method if method in HTTP else "other" for method in found])


def _coded(values: Sequence[str]) -> Coded:
    names, codes = np.unique(np.array(values), return_inverse=True)
    return names.tolist(), codes.astype(np.int64)
