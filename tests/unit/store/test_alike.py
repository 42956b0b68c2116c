"""Incidents that a feedback is about are found in the store as among all that were read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from incidents import DAY_START, anomaly, incident
from score_house import HOSTILE

from bartizan.config import store_in
from bartizan.model.anomaly import Direction, Incident, IncidentState
from bartizan.model.feedback import Combination, Feedback, FeedbackKind
from bartizan.model.window import DAY, Window
from bartizan.store import Store
from bartizan.store.alike import load_alike
from bartizan.store.incidents import replace_incidents, save_explanation

RULES = ("SQLi", "SQL_", "100%", "a\\b", 'say "no"', "ä", *HOSTILE)
WHOLE = Window(DAY_START, DAY_START + DAY)


def about(*combinations: Combination, detector: str = "waf_blocked_requests") -> Feedback:
    return Feedback(
        "id", 1, detector, "blocked", Direction.ABOVE, FeedbackKind.FALSE_ALARM, None, "", "",
        DAY_START, DAY_START, combinations, DAY_START, 2.0, 2.0,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(store_in(tmp_path))


def saved(store: Store, *found: Incident) -> None:
    by_detector: dict[str, list[Incident]] = {}
    for one in found:
        by_detector.setdefault(one.detector, []).append(one)
    for name, some in by_detector.items():
        replace_incidents(store, name, WHOLE, some)


def of_rules(store: Store, *combinations: Combination) -> list[set[str]]:
    """The rules of each incident that is found."""
    return [
        {dict(part.dimensions)["rule"] for part in one.anomalies}
        for one in load_alike(store, about(*combinations))
    ]


@pytest.mark.parametrize("rule", RULES)
def test_a_value_is_found_whatever_attackers_wrote_into_it(store: Store, rule: str) -> None:
    every = [incident([anomaly(n, {"webacl": str(n), "rule": one})]) for n, one in enumerate(RULES)]
    saved(store, *every)
    assert of_rules(store, (("rule", rule),)) == [{rule}]


def test_any_combination_is_enough_but_all_values_of_it_are_needed(store: Store) -> None:
    saved(
        store,
        incident([anomaly(1, {"webacl": "shop", "rule": "a"})]),
        incident([anomaly(2, {"webacl": "blog", "rule": "a"})]),
        incident([anomaly(3, {"webacl": "docs", "rule": "b"})]),
    )
    assert of_rules(store, (("webacl", "shop"), ("rule", "a"))) == [{"a"}]
    assert of_rules(store, (("webacl", "shop"), ("rule", "b"))) == []
    assert len(of_rules(store, (("webacl", "shop"),), (("rule", "b"),))) == 2
    assert len(of_rules(store, ())) == 3  # a combination of nothing is of everything
    many = [(("rule", f"r{n}"),) for n in range(60)]
    assert len(of_rules(store, *many)) == 3  # too many to look for: all are read


def test_others_are_left_out_and_nothing_heavy_is_read(store: Store) -> None:
    series = {"webacl": "shop", "rule": "a"}
    mine = incident([anomaly(1, series)], samples=({"uri": "/"},))
    saved(
        store,
        mine,
        incident([anomaly(1, series)], measure="requests"),
        incident([anomaly(1, series)], detector="another"),
        incident([anomaly(9, series, direction=Direction.BELOW)]),
        replace(incident([anomaly(20, series)]), state=IncidentState.WITHDRAWN),
    )
    assert save_explanation(store, mine, 1)
    (found,) = load_alike(store, about((("rule", "a"),)))
    assert (found.id, found.samples, found.anomalies) == (mine.id, (), mine.anomalies)
