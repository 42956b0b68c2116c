"""From stored scores to an explanation that can be read."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from incidents import DAY_START, anomaly, incident
from lakes import SmallLake

from bartizan.explain import explain, explanation
from bartizan.explain.leaves import in_window, leaves
from bartizan.model.anomaly import Explanation, Incident, RootCause
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.story import because, story
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.incidents import load_incidents, replace_incidents, save_explanation
from bartizan.store.scores import measure_scores, scores_path
from bartizan.store.tables import incidents as table

ACLS, RULES, COUNTRIES = ("shop", "api"), ("SQLi", "XSS", "Rate", "Bot"), tuple("ABCDEFGHIJ")
CAUSE = {"webacl": "shop", "rule": "SQLi", "country": "D"}
CONNECTOR = Connector(
    name="waf_blocked_requests",
    description="",
    frequency=timedelta(minutes=5),
    offset=timedelta(),
    timestamp="interval_start",
    dimensions=("webacl", "rule", "country"),
    measures=(Measure("blocked"), Measure("latency", Aggregation.AVG)),
    query="",
)


def day(seed: int = 0) -> pd.DataFrame:
    """Scores of 24 intervals; rule SQLi of both web ACLs gets 40 more in the 10th to 12th."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp(DAY_START.replace(tzinfo=None))
    rows = [
        (start + at * timedelta(minutes=5), acl, rule, country, 30.0 + 3 * COUNTRIES.index(country))
        for at in range(24)
        for acl in ACLS
        for rule in RULES
        for country in COUNTRIES
    ]
    frame = pd.DataFrame(rows, columns=["interval_start", *CONNECTOR.dimensions, "expected"])
    frame["interval_start"] = frame["interval_start"].astype("datetime64[us]")
    frame["measure"] = "blocked"
    frame["value"] = rng.poisson(frame["expected"]).astype(float)
    attacked = (frame["rule"] == "SQLi") & frame["interval_start"].between(
        start + timedelta(minutes=50), start + timedelta(minutes=60)
    )
    frame.loc[attacked, "value"] += 40
    return frame


def attacked(frame: pd.DataFrame, acl: str = "shop") -> Incident:
    """The incident of that web ACL that a detector would find."""
    rows = frame[(frame["webacl"] == acl) & (frame["value"] - frame["expected"] > 25)]
    start = pd.Timestamp(DAY_START.replace(tzinfo=None))
    return incident(
        [
            anomaly(
                int((row.interval_start - start) / timedelta(minutes=5)),
                {"webacl": row.webacl, "rule": row.rule, "country": row.country},
                value=row.value,
                expected=row.expected,
            )
            for row in rows.itertuples()
        ]
    )


def test_the_cause_is_named_and_the_counterfactual_sums_are_those_of_the_rest() -> None:
    frame = day()
    one = attacked(frame)
    found = explanation(in_window(frame, one), one, CONNECTOR)
    assert found is not None
    assert [cause.dimensions for cause in found.causes] == [(("webacl", "shop"), ("rule", "SQLi"))]
    inside = frame["interval_start"].between(
        one.window.start.replace(tzinfo=None),
        one.window.end.replace(tzinfo=None),
        inclusive="left",
    )
    shop = frame[inside & (frame["webacl"] == "shop")]
    hit, rest = shop[shop["rule"] == "SQLi"], shop[shop["rule"] != "SQLi"]
    assert found.causes[0].value == pytest.approx(hit["value"].sum())
    assert found.causes[0].expected == pytest.approx(hit["expected"].sum())
    assert found.rest_value == pytest.approx(rest["value"].sum())
    assert found.rest_expected == pytest.approx(rest["expected"].sum())
    assert found.rest_normal and found.is_compact
    of_rule = [a for a in one.anomalies if dict(a.dimensions)["rule"] == "SQLi"]
    share = sum(a.value - a.expected for a in of_rule) / (one.value - one.expected)
    assert found.causes[0].percent == math.floor(100 * share) >= 90
    first, last = because(replace(one, explanation=found))
    assert first.startswith(f"webacl = shop and rule = SQLi explains {found.causes[0].percent}% of")
    assert f"{rest['value'].sum() / rest['expected'].sum():.2f} times" in last
    assert last.endswith("(normal).")


def test_what_happens_to_all_countries_of_another_web_acl_explains_nothing_here() -> None:
    frame = day()
    one = attacked(frame)
    elsewhere = frame["webacl"] == "api"
    loud = frame.assign(value=frame["value"].where(~elsewhere, frame["value"] * 50))
    quiet = explanation(in_window(frame, one), one, CONNECTOR)
    assert explanation(in_window(loud, one), one, CONNECTOR) == quiet


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_shuffled_scores_explain_the_same(seed: int) -> None:
    frame = day(1)
    one = attacked(frame)
    known = explanation(in_window(frame, one), one, CONNECTOR)
    shuffled = frame.sample(frac=1, random_state=seed)
    assert known is not None
    assert explanation(in_window(shuffled, one), one, CONNECTOR) == known


def test_a_change_without_a_pattern_has_no_compact_explanation() -> None:
    frame = day(2)
    calm = frame.assign(value=frame["expected"])
    rule, country = frame["rule"].map(RULES.index), frame["country"].map(COUNTRIES.index)
    spread = calm.assign(value=calm["value"] + 45 * (country % len(RULES) == rule))
    one = attacked(spread)
    found = explanation(in_window(spread, one), one, CONNECTOR)
    assert found is not None
    assert not found.is_compact
    assert "no compact explanation" in " ".join(because(replace(one, explanation=found)))


def test_what_does_not_add_up_or_is_one_series_is_not_searched() -> None:
    frame = day()
    one = attacked(frame)
    mean = replace(one, measure="latency")
    assert explanation(in_window(frame.assign(measure="latency"), mean), mean, CONNECTOR) is None
    alone = frame[
        (frame["webacl"] == "api") | ((frame["rule"] == "SQLi") & (frame["country"] == "D"))
    ]
    assert explanation(in_window(alone, one), one, CONNECTOR) is None
    assert explanation(in_window(frame.iloc[:0], one), one, CONNECTOR) is None
    assert because(one) == ()
    assert story(one)


def test_leaves_count_no_interval_without_a_value_and_expect_nothing_of_a_newcomer() -> None:
    scores = pa.table(
        {
            "webacl": ["shop", "shop", "shop", None],
            "rule": ["a", "a", "b", "a"],
            "value": [5.0, math.nan, 7.0, 9.0],
            "expected": [4.0, 4.0, math.nan, 9.0],
        }
    )
    one = incident([anomaly(0, {"webacl": "shop", "rule": "a"})])
    found = leaves(scores, one)
    assert found.names == (("shop",), ("a", "b"))
    assert found.value[np.argsort(found.codes[:, 1])].tolist() == [5, 7]
    assert found.expected[np.argsort(found.codes[:, 1])].tolist() == [4, 0]


def test_stored_scores_of_a_measure_and_window_are_read_across_days(tmp_path: Path) -> None:
    frame = day()
    other = frame.assign(measure="latency", value=-1.0)
    for days in (0, 1):
        path = scores_path(tmp_path, CONNECTOR, DAY_START + timedelta(days=days))
        path.parent.mkdir(parents=True, exist_ok=True)
        moved = pd.concat([frame, other])
        moved["interval_start"] += pd.Timedelta(days=days)
        moved.to_parquet(path)
    window = Window(DAY_START + timedelta(minutes=55), DAY_START + timedelta(days=1, minutes=5))
    found = measure_scores(tmp_path, CONNECTOR, "blocked", window)
    assert found.num_rows == (24 - 11 + 1) * len(ACLS) * len(RULES) * len(COUNTRIES)
    late = Window(DAY_START + timedelta(days=9), DAY_START + timedelta(days=10))
    assert measure_scores(tmp_path, CONNECTOR, "blocked", late).num_rows == 0


def test_explanations_are_stored_and_older_rows_without_one_still_load(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    nasty = "x' \u202e <b>"
    cause = RootCause((("webacl", "shop"), ("rule", nasty)), 120.0, 6.5, 93)
    one = replace(
        incident([anomaly(0, {"webacl": "shop", "rule": nasty})]),
        explanation=Explanation((cause,), 10.0, 9.5, True),
    )
    replace_incidents(store, one.detector, one.window, [one])
    assert save_explanation(store, one, 1)
    assert load_incidents(store)[0].incident.explanation == one.explanation
    with store.transaction() as connection:
        old = {"contributions": [["webacl", "shop", 100]], "samples": []}
        connection.execute(table.update().values(explanation=old))
    loaded = load_incidents(store)[0]
    assert loaded.explained
    assert loaded.incident.explanation is None


def test_explain_finds_root_causes_in_the_stored_scores(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    frame = day().rename(columns={"webacl": "shop", "rule": "page"})  # nothing the lake knows
    connector = replace(CONNECTOR, dimensions=("shop", "page", "country"))
    path = scores_path(small.lake.root, connector, DAY_START)
    path.parent.mkdir(parents=True)
    frame.to_parquet(path)
    one = attacked(day())
    renamed = {"webacl": "shop", "rule": "page", "country": "country"}
    anomalies = tuple(
        replace(a, dimensions=tuple((renamed[name], value) for name, value in a.dimensions))
        for a in one.anomalies
    )
    replace_incidents(small.store, one.detector, one.window, [replace(one, anomalies=anomalies)])
    connectors = {connector.name: connector}
    assert explain(small.store, small.lake.root, small.engine, connectors) == [one.id]
    found = load_incidents(small.store)[0].incident.explanation
    assert found is not None
    assert [cause.dimensions for cause in found.causes] == [(("shop", "shop"), ("page", "SQLi"))]
