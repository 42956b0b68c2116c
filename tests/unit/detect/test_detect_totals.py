"""Totals: what no series shows alone, several may show together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest

from bartizan.detect.group import find_groups
from bartizan.detect.learn import DetectorState, learn
from bartizan.detect.score import follow, score
from bartizan.detect.totals import totals_of
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 2, tzinfo=UTC)
DAYS, LEARNED, ASKED = 16, 14, 15 * 24 + 7
WEBACLS, CLIENTS = ("app", "shop"), 40
MEAN = 3.0
CONNECTOR = Connector(
    "traffic", "", HOUR, timedelta(), "timestamp", ("webacl", "client"), (Measure("requests"),), ""
)
HISTORY = Window(START, START + LEARNED * 24 * HOUR)
LIVE = Window(HISTORY.end, START + DAYS * 24 * HOUR)


def traffic(more: dict[str, float]) -> pd.DataFrame:
    """Counts of clients; in one hour each client of a web ACL sends so many `more` on average."""
    rng, hours = np.random.default_rng(7), DAYS * 24
    times = pd.date_range(START.replace(tzinfo=None), periods=hours, freq="h")
    parts = []
    for webacl in WEBACLS:
        for client in range(CLIENTS):
            counts = rng.poisson(MEAN, hours).astype(float)
            counts[ASKED] += rng.poisson(more.get(webacl, 0.0))
            name = f"client {client}"
            parts.append(
                pd.DataFrame(
                    {"interval_start": times, "webacl": webacl, "client": name, "requests": counts}
                )
            )
    return pd.concat(parts, ignore_index=True)


def learned(frame: pd.DataFrame) -> DetectorState:
    return learn(frame, CONNECTOR, HISTORY)


def at_the_hour(scores: pd.DataFrame) -> pd.DataFrame:
    hour = pd.Timestamp(START.replace(tzinfo=None)) + pd.Timedelta(hours=ASKED)
    return scores[scores["interval_start"] == hour]


def test_many_series_that_rise_a_little_together_are_told_of_their_own_web_acl() -> None:
    frame = traffic({"app": 3.0})
    scores = at_the_hour(score(learned(frame), frame, CONNECTOR, LIVE))
    assert len(scores) == len(WEBACLS) * CLIENTS
    raised = scores[scores["reason"] == "together"]
    assert len(raised) >= 10
    assert set(raised["webacl"]) == {"app"}
    assert set(raised["direction"]) == {"above"}
    assert raised["severity"].nunique() == 1
    assert raised["severity"].min() > 75
    off = raised["value"] - raised["expected"]
    app = scores[scores["webacl"] == "app"]
    assert off.min() >= (app["value"] - app["expected"])[~app.index.isin(raised.index)].max()


def test_without_the_totals_no_series_is_unusual_enough() -> None:
    frame = traffic({"app": 3.0})
    state = learned(frame)
    alone = DetectorState(**{**vars(state), "totals": ()})
    assert at_the_hour(score(alone, frame, CONNECTOR, LIVE))["severity"].max() < 70


def test_quiet_series_are_not_raised() -> None:
    frame = traffic({})
    scores = score(learned(frame), frame, CONNECTOR, LIVE)
    assert len(scores) == len(WEBACLS) * CLIENTS * (DAYS - LEARNED) * 24
    assert scores["severity"].max() < 70


def test_what_is_spread_over_all_web_acls_has_no_cause_that_could_be_told() -> None:
    """Each web ACL's own total is still unusual: it is told of each."""
    frame = traffic({"app": 3.0, "shop": 3.0})
    raised = at_the_hour(score(learned(frame), frame, CONNECTOR, LIVE))
    raised = raised[raised["reason"] == "together"]
    assert set(raised["webacl"]) == set(WEBACLS)


def test_hour_by_hour_is_the_same_as_at_once() -> None:
    frame = traffic({"app": 3.0})
    state = learned(frame)
    whole = score(state, frame, CONNECTOR, LIVE)
    pieces = []
    for window in LIVE.split(HOUR):
        rows = frame[frame["interval_start"] < pd.Timestamp(window.end.replace(tzinfo=None))]
        found, state = follow(state, rows, CONNECTOR, window)
        pieces.append(found)
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole)


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ({}, []),
        ({"client": 4}, []),
        ({"webacl": 2, "rule": 3}, [("webacl",), ("rule",)]),
        ({"webacl": 1, "client": 5}, [("webacl",)]),
        (
            {"webacl": 2, "rule": 3, "country": 4},
            [("webacl",), ("rule",), ("country",), ("webacl", "rule"), ("webacl", "country")],
        ),
    ],
)
def test_totals_by_each_dimension_that_joins_series(
    values: dict[str, int], levels: list[tuple[str, ...]]
) -> None:
    measures = (
        Measure("requests"),
        Measure("delay", Aggregation.AVG),
        Measure("users", Aggregation.COUNT_DISTINCT),
        Measure("sent", missing=Missing.GAP),
    )
    connector = Connector("x", "", HOUR, timedelta(), "t", tuple(values), measures, "")
    each = [[f"{name} {number}" for number in range(count)] for name, count in values.items()]
    keys = pd.DataFrame(list(product(*each)), columns=list(values))
    found = totals_of(connector, keys)
    assert [one.dimensions for one in found] == levels
    assert {one.measures for one in found} <= {(Measure("requests"),)}


def test_what_one_total_raises_in_an_interval_is_one_sign() -> None:
    def points(*hours: int, severity: float) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "interval_start": [
                    pd.Timestamp("2026-11-16") + pd.Timedelta(hours=h) for h in hours
                ],
                "webacl": "app",
                "client": [f"client {number}" for number in range(len(hours))],
                "measure": "requests",
                **dict.fromkeys(("value", "upper"), 9.0),
                **dict.fromkeys(("expected", "lower"), 3.0),
                "severity": severity,
                "direction": "above",
                "reason": "together",
            }
        )

    assert find_groups(points(1, 1, 1, severity=75), CONNECTOR, 70) == []
    (strong,) = find_groups(points(1, 1, 1, severity=85), CONNECTOR, 70)
    (lasting,) = find_groups(points(1, 1, 2, severity=75), CONNECTOR, 70)
    assert [len(one.anomalies) for one in (strong, lasting)] == [3, 3]
    (company,) = find_groups(points(1, 1, severity=75).assign(reason="rise"), CONNECTOR, 70)
    assert len(company.anomalies) == 2
