"""Sums of stored scores, against pandas on the same rows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from incidents import DAY_START
from score_house import HOSTILE, RULES, home, scored

from bartizan import jobs
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.scores import score_files
from bartizan.store.selected import affordable, interval_sums, interval_values, series_sums

NAN = float("nan")
SPAN = Window(DAY_START, DAY_START + 2 * DAY)
SERIES = [("shop", "SQLi"), ("shop", "XSS"), ("blog", "SQLi"), *(("shop", x) for x in HOSTILE)]
ODD = {
    (0, 10): (90.0, 97.5, "spike"),
    (1, 10): (0.0, 40.0, "drop"),
    (1, 11): (NAN, NAN, "missing"),
    (2, 12): (55.0, 80.0, "spike"),
}


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    home(tmp_path, monkeypatch)
    return scored(RULES, SPAN, SERIES, ODD)


def lake() -> Path:
    return jobs.settings().lake


def test_sums_by_interval_of_one_dimension_value(frame: pd.DataFrame) -> None:
    connector = jobs.load_connector(RULES)
    found = interval_sums(lake(), connector, "blocked", [("webacl", "shop")], SPAN).to_pylist()
    shop = frame[frame["webacl"] == "shop"].groupby("interval_start")
    assert len(found) == 576 == shop.ngroups
    assert [one["value"] for one in found] == shop["value"].sum().tolist()  # pandas skips NaN, too
    assert [one["expected"] for one in found] == shop["expected"].sum().tolist()
    assert (found[10]["severity"], found[10]["reason"]) == (97.5, "spike")
    assert (found[11]["severity"], found[11]["series"]) == (0.0, 11)  # NaN is not the highest
    assert found[10]["lower"] is None  # there is no range of a sum


def test_one_series_has_its_range_and_unknown_values_are_null(frame: pd.DataFrame) -> None:
    connector, where = jobs.load_connector(RULES), [("rule", "XSS"), ("webacl", "shop")]
    found = interval_sums(lake(), connector, "blocked", where, SPAN).to_pylist()
    assert {one["series"] for one in found} == {1}
    assert (found[0]["lower"], found[0]["upper"]) == (5.0, 20.0)
    assert (found[11]["value"], found[11]["severity"]) == (None, None)
    values = interval_values(lake(), connector, "blocked", where, SPAN)
    assert [values[at] for at in sorted(values)] == [one["value"] for one in found]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_values(frame: pd.DataFrame, value: str) -> None:
    connector, where = jobs.load_connector(RULES), [("webacl", "shop"), ("rule", value)]
    found = interval_sums(lake(), connector, "blocked", where, SPAN)
    assert len(found) == 576
    assert interval_sums(lake(), connector, "blocked", [("rule", value + "'")], SPAN).num_rows == 0


def test_sums_by_series_skip_what_has_no_value(frame: pd.DataFrame) -> None:
    connector = jobs.load_connector(RULES)
    hour = Window(DAY_START, DAY_START + HOUR)
    found = series_sums(lake(), connector, "blocked", [], hour).to_pylist()
    assert len(found) == len(SERIES)
    sums = {(one["webacl"], one["rule"]): one for one in found}
    assert sums["shop", "SQLi"] == {
        "webacl": "shop", "rule": "SQLi", "intervals": 12, "value": 200.0, "expected": 120.0
    }  # fmt: skip
    # Eleven intervals, of which one has 0 instead of 10.
    assert sums["shop", "XSS"]["intervals"] == 11
    assert (sums["shop", "XSS"]["value"], sums["shop", "XSS"]["expected"]) == (100.0, 110.0)
    assert math.fsum(one["value"] for one in found) == pytest.approx(
        frame[frame["interval_start"] < pd.Timestamp("2026-11-16T01:00")]["value"].sum()
    )


def test_null_and_empty_are_one_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home(tmp_path, monkeypatch)
    frame = scored(RULES, Window(DAY_START, DAY_START + DAY), [("shop", "")])
    connector = jobs.load_connector(RULES)
    frame["rule"] = None
    from bartizan.detect.scores import save_scores

    save_scores(lake(), connector, Window(DAY_START, DAY_START + DAY), frame)
    found = interval_sums(lake(), connector, "blocked", [("rule", "")], SPAN)
    assert len(found) == 288


def test_what_is_affordable_ends_with_the_window(frame: pd.DataFrame) -> None:
    connector = jobs.load_connector(RULES)
    sizes = [path.stat().st_size for path in score_files(lake(), connector, SPAN)]
    assert len(sizes) == 2
    assert affordable(lake(), connector, SPAN, sum(sizes)) == SPAN
    last = Window(DAY_START + DAY, SPAN.end)
    assert affordable(lake(), connector, SPAN, sum(sizes) - 1) == last
    assert affordable(lake(), connector, SPAN, 0) == last  # a day at least


def test_without_scores_there_are_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, connector = home(tmp_path, monkeypatch), jobs.load_connector(RULES)
    assert len(interval_sums(root, connector, "blocked", [], SPAN)) == 0
    assert len(series_sums(root, connector, "blocked", [], SPAN)) == 0
    assert np.array(list(interval_values(root, connector, "blocked", [], SPAN))).size == 0
