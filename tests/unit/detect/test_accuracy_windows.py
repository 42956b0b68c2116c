"""The bench of general metrics: silence is 0, perfection 100, and labels are what was changed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from accuracy import metrics_anomalies, windows
from accuracy.detector import Detector, Floats
from accuracy.events import Event
from accuracy.metrics_anomalies import ANOMALIES, Series
from accuracy.metrics_kinds import KINDS

GIVEN = metrics_anomalies.made(2, seed=5)


def nothing(train: Floats, test: Floats) -> Floats:
    return np.full(len(test), np.nan)


def at_onsets(one: Series) -> Floats:
    scores = np.zeros(len(one.test))
    scores[[event.start for event in one.events]] = 1
    return scores


def test_silence_is_0_and_an_alarm_at_each_onset_100() -> None:
    oracle = Detector("oracle", 0.5, nothing)
    perfect = windows.result(oracle, GIVEN, [at_onsets(one) for one in GIVEN])
    silent = windows.result(oracle, GIVEN, [nothing(one.train, one.test) for one in GIVEN])
    assert perfect.labels == silent.labels == sum(len(one.events) for one in GIVEN) > 60
    for profile in windows.PROFILES:
        assert perfect.own[profile].score == pytest.approx(100)
        assert (silent.own[profile].score, silent.best[profile].score) == (0, 0)
    assert (perfect.recall, silent.recall) == (1, 0)


def test_late_alarms_gain_less_and_false_ones_cost() -> None:
    one = Series("", timedelta(hours=1), np.zeros((300, 1)), np.zeros((1700, 1)),
                 (Event("spike", 1000, 1010),))  # fmt: skip
    (span,) = windows.windows(one)
    assert (span.begin, span.onset, span.end) == (955, 1000, 1055)  # 5 % of 2,000 about it
    free = windows.outside(one)
    assert free.sum() == 1600

    def rated(*places: int) -> float:
        return windows.score([windows.outcome([span], free, np.array(places, dtype=np.intp))])

    assert rated(1000) == rated(1000, 1001, 1054) == rated(960) == pytest.approx(100)
    assert 100 > rated(1010) > rated(1040) > rated(1054) > 50
    assert rated(10, 20, 1000) == pytest.approx(100 - 2 * 0.11 * 50)
    assert rated(10, 1055) == pytest.approx(-2 * 0.11 * 50)


def test_events_are_alarms_after_a_quiet_time() -> None:
    scores = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 1.0])
    assert windows.alarms(scores, 1, "points", 3).tolist() == [1, 2, 5, 9]
    assert windows.alarms(scores, 1, "events", 3).tolist() == [1, 9]


def test_series_are_as_promised_and_the_same_again() -> None:
    again = metrics_anomalies.made(2, seed=5)
    assert len(GIVEN) == 2 * len(KINDS)
    for one, other, kind in zip(GIVEN, again, [k for k in KINDS for _ in range(2)], strict=True):
        assert np.array_equal(one.test, other.test)
        assert one.events == other.events
        values = np.concatenate([one.train, one.test])
        assert np.isfinite(values).all()
        assert values.min() >= kind.low
        assert values.max() <= kind.high
        assert 2_000 <= len(values) <= 8_000
        assert len(one.train) >= 300
        ends = [0, *(event.end for event in one.events), len(one.test)]
        starts = [*(event.start for event in one.events), len(one.test)]
        assert all(start >= end for end, start in zip(ends[:-1], starts, strict=True))
        assert {event.kind for event in one.events} <= set(kind.anomalies.split()) <= set(ANOMALIES)


def test_windows_never_overlap() -> None:
    for one in GIVEN:
        inside = sum(span.end - span.begin for span in windows.windows(one))
        assert inside == (~windows.outside(one)).sum()
