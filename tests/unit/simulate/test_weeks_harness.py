"""The bench of labelled weeks: its metrics are those of the logs, its plan and its marks hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_house import House
from upath import UPath

from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.crawl import load_connector
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, HOUR, Window, floor, naive
from bartizan.simulate.objects import object_key, packed, publish
from bartizan.simulate.render import delivered_lines
from bartizan.simulate.scene import Scene
from bartizan.simulate.sites import MOBILE, PARTNER, PORTAL, SHOP, SITES
from weeks import plan, traffic
from weeks.contenders import CONTENDERS
from weeks.figures import ATTACK, BESIDE, FALSE, figures
from weeks.plan import BLOCKED, BY_COUNTRY, CONNECTORS, LIVE, SPAN, Planned, World, worlds
from weeks.pooled import pooled
from weeks.worlds import live_labels

SQL = PROJECT / "include" / "sql"
SEED = 2_000
SMALL = World(0, 77, 4_000)


@pytest.fixture(scope="module")
def connectors() -> dict[str, Connector]:
    return {name: load_connector(SQL / "connectors" / name) for name in CONNECTORS}


def test_metrics_are_those_of_the_landed_logs(
    connectors: dict[str, Connector], tmp_path: Path
) -> None:
    planned = [
        Planned("action_shift", "strong", SHOP, 3, 100, 106),
        Planned("credential_stuffing", "extreme", PORTAL, 3, 200, 210),
        Planned("delete_methods", "medium", PARTNER, 3, 50, 60),
        Planned("unknown_countries", "extreme", MOBILE, 3, 130, 150),
    ]
    at = plan.START + 3 * DAY
    house = House(tmp_path)
    for site in SITES:
        flows = traffic.flows_of(SMALL, site, 3, planned)
        lines = [
            line for _, some in delivered_lines(site, flows, SMALL.seed, at.date()) for line in some
        ]
        key = object_key(site, at.date(), 0, SMALL.seed)
        publish(UPath(house.source) / key, packed(lines))
    landed = house.land().counts
    engine, tables = DuckDBEngine(house.lake), load_tables(SQL)
    for name in ("agg_rule_5m", "agg_action_5m", "agg_country_1h"):
        build(house.store, house.lake, engine, tables[name])

    metrics = traffic.day_metrics(SMALL, 3, planned)

    assert landed.requests == landed.records > 4_000
    for name, connector in connectors.items():
        rows = engine.query(connector.query, Window(at, at + DAY)).to_pandas()
        columns = ["timestamp", *connector.dimensions]
        crawled = rows.set_index(columns)[connector.measures[0].name].to_dict()
        frame = traffic.frame([{each: {} for each in CONNECTORS}] * 3 + [metrics], name)
        frame = frame.rename(columns={"interval_start": "timestamp"})
        assert frame.set_index(columns)[connector.measures[0].name].to_dict() == crawled
        assert len(crawled) > 200
        assert name == BLOCKED or sum(crawled.values()) == landed.requests


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), number=st.integers(0, 40))
def test_attacks_keep_a_day_apart_and_out_of_quiet_weeks(seed: int, number: int) -> None:
    world = worlds(41, seed)[number]
    labels = live_labels(world, seed)
    assert len(labels) == 36 and len(plan.attacks(world, seed)) == 40
    for site in SITES:
        own = [label.window for label in labels if label.webacl == site.webacl]
        quiet = plan.quiet_week(world, site)
        assert len(own) == 9 and LIVE.intersection(quiet) == quiet
        assert all(LIVE.intersection(window) == window for window in own)
        assert not any(quiet.overlaps(window) for window in own)
        assert all(later.start - earlier.end >= DAY for earlier, later in pairwise(own))


def test_every_kind_comes_at_every_strength_about_as_often() -> None:
    found = Counter(
        (label.kind, label.description)
        for world in worlds(15, SEED)
        for label in live_labels(world, SEED)
    )
    assert set(found) == {(kind, each) for kind in plan.KINDS for each in plan.STRENGTHS}
    assert found.total() == 540
    assert min(found.values()) >= 5


@pytest.mark.parametrize("kind", plan.KINDS)
def test_strength_is_the_share_of_usual_requests(kind: str) -> None:
    site, world = SHOP if kind != "credential_stuffing" else PORTAL, replace(SMALL, seed=78)
    world = replace(world, records_per_day=200_000)
    start, stop = 150, 160
    flows = traffic.flows_of(world, site, 0, [])
    usual = sum(flow.rates[start:stop].sum() for flow in flows if flow.ordinary)
    for share in plan.SHARES[kind].values():
        scene = Scene(kind, site, world.seed, plan.START.date(), start, stop)
        after = traffic.attacked(flows, scene, share)
        sent = sum(flow.rates[start:stop].sum() for flow in after[len(flows) :])
        taken = sum(
            ((1 - flow.left) * flow.rates)[start:stop].sum() for flow in after if flow.ordinary
        )
        # Bursts of whole requests are rounded in each of their slots and kinds.
        assert sent == pytest.approx(0 if kind == "outage" else usual * share, abs=20)
        takes = plan.SHARES[kind] is not plan.SENT
        assert taken == pytest.approx(usual * share if takes else 0)


def row(connector: Connector, at: datetime, severity: float, **dimensions: str) -> dict:
    return {
        "interval_start": naive(floor(at, connector.frequency)),
        **{name: dimensions.get(name, "any") for name in connector.dimensions},
        "measure": connector.measures[0].name,
        **dict.fromkeys(("value", "expected", "lower", "upper"), 1.0),
        "severity": severity,
        "direction": "above",
        "reason": "",
    }


def test_marks_of_an_oracle_a_late_and_a_noisy_detector(connectors: dict[str, Connector]) -> None:
    world = worlds(1, SEED)[0]
    labels = live_labels(world, SEED)

    def marks(late: int, quiet_alarms: int):
        rows: dict[str, list[dict]] = {name: [] for name in CONNECTORS}
        for label in labels:
            connector = connectors[label.visible_in[0]]
            at = label.window.start + late * connector.frequency
            if late and at >= label.window.end:
                continue
            drives = dict(label.dimensions) | {"webacl": label.webacl}
            rows[connector.name].append(row(connector, at, 99, **drives))
        week = plan.quiet_week(world, MOBILE)
        for number in range(quiet_alarms):
            at = week.start + (number + 1) * 3 * HOUR
            rows[BY_COUNTRY].append(row(connectors[BY_COUNTRY], at, 99, webacl=MOBILE.webacl))
        empty = pd.DataFrame(
            columns=["interval_start", "webacl", "measure", "severity", "direction"]
        )
        scores = {name: pd.DataFrame(found) if found else empty for name, found in rows.items()}
        found = figures("one", world, labels, scores, connectors, 70, timed=True)
        return found, pooled([found], worlds=1)[0]

    oracle, pool = marks(late=0, quiet_alarms=0)
    assert [attack.delay for attack in oracle.attacks] == [1] * 36
    assert Counter(i.verdict for i in oracle.incidents) == {ATTACK: 36}
    assert (pool.recall(), pool.precision, pool.weekly(FALSE)) == (1, 1, 0)

    late, _ = marks(late=2, quiet_alarms=0)
    assert {attack.delay for attack in late.attacks if attack.found} == {3}
    assert not any(a.found for a in late.attacks if a.window.end - a.window.start <= 10 * MINUTE)

    noisy, pool = marks(late=0, quiet_alarms=12)
    assert Counter(i.verdict for i in noisy.incidents) == {ATTACK: 36, FALSE: 12}
    assert (pool.precision, pool.weekly(FALSE), pool.weekly_quiet) == (0.75, 12 / 16, 3)

    first = labels[0]
    other = connectors[next(name for name in CONNECTORS if name not in first.visible_in)]
    beside = {other.name: pd.DataFrame([row(other, first.window.start, 99, webacl=first.webacl)])}
    found = figures("one", world, labels, beside, connectors, 70, timed=False)
    assert [incident.verdict for incident in found.incidents] == [BESIDE]
    assert not any(attack.found for attack in found.attacks)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda one: one.name)
def test_no_contender_knows_what_comes_later(contender, connectors: dict[str, Connector]) -> None:
    connector = connectors[BY_COUNTRY]
    rng = np.random.default_rng(5)
    counts = rng.poisson(20, (3, 24 * 24)).astype(float)
    counts[0, 20 * 24 + 5 :: 24] += 400
    interval, series = np.divmod(np.arange(counts.size), 3)
    metrics = pd.DataFrame(
        {
            "interval_start": np.datetime64(naive(SPAN.start), "us")
            + interval * np.timedelta64(HOUR, "us"),
            "webacl": "shop-front",
            "country": np.array(["DE", "FR", "NL"])[series],
            "requests": counts[series, interval],
        }
    )
    live, day = Window(SPAN.start + 20 * DAY, SPAN.start + 24 * DAY), SPAN.start + 22 * DAY
    whole = contender.run(metrics, connector, Window(SPAN.start, live.end), live)
    known = metrics[metrics["interval_start"] < naive(day)]
    part = contender.run(known, connector, Window(SPAN.start, day), Window(live.start, day))
    before = whole[whole["interval_start"] < naive(day)]
    assert len(part) >= 2
    pd.testing.assert_frame_equal(before.reset_index(drop=True), part, check_dtype=False)
