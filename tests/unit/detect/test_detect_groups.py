"""Which anomalous points become one incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bartizan.detect.group import Points, find_groups
from bartizan.model.anomaly import Direction, Incident
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.window import Window

START = datetime(2026, 11, 2, tzinfo=UTC)
FIVE = timedelta(minutes=5)
CONNECTOR = Connector(
    "blocked", "", FIVE, timedelta(), "timestamp", ("webacl", "rule"), (Measure("count"),), ""
)
HOURLY = replace(CONNECTOR, frequency=timedelta(hours=1))


def groups(
    points: list[tuple[int, str, str, float, str]], connector: Connector = CONNECTOR
) -> list[Incident]:
    """Groups of points given as interval number, web ACL, rule, severity, direction; those below
    the threshold continue what was told."""
    frame = pd.DataFrame(points, columns=["number", "webacl", "rule", "severity", "direction"])
    naive = START.replace(tzinfo=None)
    frame["interval_start"] = [naive + n * connector.frequency for n in frame.pop("number")]
    frame = frame.assign(
        measure="count", value=9.0, expected=2.0, lower=0.0, upper=5.0,
        reason=frame["severity"].map(lambda found: "spike" if found >= 70 else "continues"),
    )  # fmt: skip
    return find_groups(frame.sample(frac=1, random_state=1), connector, 70)


def test_points_in_adjoining_intervals_are_one_incident() -> None:
    points = [(n, "shop", "xss", 75.0 + n, "above") for n in range(3)]
    (found,) = groups(
        [*points, (1, "shop", "sqli", 80.0, "above"), (10, "shop", "xss", 60, "above")]
    )
    assert found.window == Window(START, START + 3 * FIVE)
    assert len(found.anomalies) == 4
    assert (found.value, found.expected) == (36, 8)
    assert found.severity == 81  # 80 at most, and one for the second series
    assert found.direction is Direction.ABOVE
    assert found.contributions == ()


@pytest.mark.parametrize(("connector", "pieces"), [(CONNECTOR, 1), (HOURLY, 2)])
def test_a_quiet_hour_splits_but_a_quiet_quarter_does_not(
    connector: Connector, pieces: int
) -> None:
    points = [(n, "shop", "xss", 75.0, "above") for n in (0, 1, 3, 4)]
    assert len(groups(points, connector)) == pieces


def test_half_an_hour_between_starts_joins_and_more_splits() -> None:
    early = [(n, "shop", "xss", 75.0, "above") for n in (0, 1)]
    late = [(n, "shop", "xss", 75.0, "above") for n in (7, 8)]
    later = [(n, "shop", "xss", 75.0, "above") for n in (8, 9)]
    assert len(groups(early + late)) == 1
    assert len(groups(early + later)) == 2


def test_causes_are_kept_apart() -> None:
    points = [(n, "shop", "xss", 75.0, "above") for n in range(3)]
    other_acl = [(n, "app", "xss", 75.0, "above") for n in range(3)]
    other_way = [(n, "shop", "sqli", 75.0, "below") for n in range(3)]
    found = groups(points + other_acl + other_way)
    assert len(found) == 3
    assert len({incident.id for incident in found}) == 3


def test_one_weak_point_is_no_incident_but_a_strong_one_is() -> None:
    assert groups([(0, "shop", "xss", 84.9, "above")]) == []
    assert len(groups([(0, "shop", "xss", 85.0, "above")])) == 1


def test_what_only_continues_belongs_to_an_incident_but_makes_none() -> None:
    goes_on = [(n, "shop", "xss", 69.3, "above") for n in range(1, 4)]
    assert groups(goes_on) == []
    (found,) = groups([(0, "shop", "xss", 75.0, "above"), *goes_on])
    assert found.window == Window(START, START + 4 * FIVE)


def test_id_stays_when_the_event_goes_on_or_grows_worse() -> None:
    early = groups([(0, "shop", "xss", 90, "above")])
    later = groups([(n, "shop", "xss", 99, "above") for n in range(5)])
    elsewhen = groups([(n, "shop", "xss", 99, "above") for n in range(1, 5)])
    assert early[0].id == later[0].id != elsewhen[0].id
    assert later[0].window.end > early[0].window.end


def test_gauges_give_means_and_nothing_gives_nothing() -> None:
    gauge = replace(CONNECTOR, measures=(Measure("count", Aggregation.AVG),))
    (found,) = groups([(n, "shop", "xss", 75.0, "above") for n in range(3)], gauge)
    assert (found.value, found.expected) == (9, 2)
    assert groups([(0, "shop", "xss", float("nan"), "")]) == []
    assert find_groups(pd.DataFrame(columns=["severity"]), CONNECTOR, 70) == []


@pytest.mark.parametrize("threshold", [70, 80, 90, 99.5])
def test_points_made_once_are_grouped_as_at_each_higher_threshold(threshold: float) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "interval_start": pd.Timestamp("2026-11-02") + rng.integers(0, 90, 400) * FIVE,
            "webacl": rng.choice(["shop", "blog"], 400),
            "rule": [f"rule {n}" for n in range(400)],
            "measure": "count",
            "value": 9.0,
            "expected": 2.0,
            "lower": 0.0,
            "upper": 5.0,
            "severity": rng.uniform(60, 100, 400),
            "direction": rng.choice(["above", "below"], 400),
            "reason": rng.choice(["spike", "together", "continues"], 400, p=[0.5, 0.4, 0.1]),
        }
    )
    at_once = find_groups(frame, CONNECTOR, threshold)
    assert Points.of(frame, CONNECTOR, 60).groups(threshold) == at_once != []
    least = min(frame["severity"][frame["severity"] >= threshold])
    told = {part.severity for one in at_once for part in one.anomalies if part.reason == "spike"}
    assert min(told) >= least
