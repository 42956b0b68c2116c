"""Series: the points of the stored scores, the same in chart, table and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
from fastapi.testclient import TestClient
from incidents import DAY_START
from score_house import HOSTILE, LEVEL, RULES, SHARE, client, one_home, scored

from bartizan.detect import judge as judged
from bartizan.detect.severity import severity
from bartizan.model.window import DAY, Window, parse_time
from bartizan.ui.csv_text import csv_text
from bartizan.ui.data.reasons import REASONS, rarity

NAN = float("nan")
NOW = DAY_START + DAY
SPAN = Window(DAY_START - 7 * DAY, NOW)
WEEK = 7 * 288  # intervals
SERIES = [("shop", "SQLi"), ("shop", "XSS"), *(("blog", value) for value in HOSTILE)]
ODD = {
    (0, 5): (33.0, 0.0, "normal"),  # a week before 00:25
    (0, WEEK + 5): (90.0, 95.2, "spike"),
    (0, WEEK + 6): (80.0, 69.3, "continues"),
    (0, WEEK + 20): (NAN, NAN, "missing"),
    (1, WEEK + 100): (0.0, 71.0, "drop"),
    (1, WEEK + 110): (NAN, NAN, "missing"),
}
TODAY = f"window=2026-11-16/2026-11-17&detector={RULES}"
ONE = f"{TODAY}&where=webacl:shop&where=rule:SQLi"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with one_home(tmp_path_factory):
        scored(RULES, SPAN, SERIES, ODD)
        scored(
            SHARE, Window(DAY_START, NOW), [("shop",), ("blog",)], {(1, 9): (0.9, 99.0, "spike")}
        )
        yield client(NOW)


def test_points_of_one_series(site: TestClient) -> None:
    found = site.get(f"/api/v1/series?{ONE}").json()
    assert (found["is_one"], len(found["points"])) == (True, 288)
    five, missing = found["points"][5], found["points"][20]
    assert five == {
        "at": "2026-11-16T00:25:00Z",
        "value": 90,
        "expected": LEVEL,
        "lower": LEVEL / 2,
        "upper": LEVEL * 2,
        "severity": 95.2,
        "direction": "above",
        "reason": "spike",
        "before": 33,
    }
    assert (missing["value"], missing["severity"], missing["reason"]) == (None, None, "missing")
    assert found["spans"] == [{"start": "2026-11-16T00:25:00Z", "end": "2026-11-16T00:35:00Z"}]


def test_series_together_are_summed_and_have_no_range(site: TestClient) -> None:
    found = site.get(f"/api/v1/series?{TODAY}&where=webacl:shop").json()
    points = found["points"]
    assert [points[n]["value"] for n in (0, 5, 20, 100)] == [20, 100, 10, 10]
    assert {one["upper"] for one in points} == {None}
    assert (points[100]["severity"], points[100]["reason"]) == (71, "drop")
    assert found["why"] is None
    assert [one["dimensions"][1][1] for one in found["others"]] == ["SQLi", "XSS"]


def test_the_first_detector_that_knows_the_values_is_taken(site: TestClient) -> None:
    found = site.get("/api/v1/series?window=2026-11-16/2026-11-17&where=rule:XSS").json()
    assert (found["selection"]["detector"], found["selection"]["measure"]) == (RULES, "blocked")
    other = site.get(f"/api/v1/series?{TODAY}&where=country:DE&measure=nonsense").json()
    assert other["selection"]["where"] == []  # it has no countries
    assert other["selection"]["measure"] == "blocked"
    unknown = site.get("/api/v1/series?detector=../../etc")
    assert (unknown.status_code, "has scored nothing" in unknown.text) == (400, True)


def test_what_does_not_add_up_is_not_summed(site: TestClient) -> None:
    asked = f"window=2026-11-16/2026-11-17&detector={SHARE}"
    assert site.get(f"/api/v1/series?{asked}").json()["points"] == []
    page = site.get(f"/series?{asked}").text
    assert "does not add up over series" in page
    assert "where=webacl:blog" in page
    assert len(site.get(f"/api/v1/series?{asked}&where=webacl:blog").json()["points"]) == 288


def test_why_is_of_the_worst_that_is_chosen(site: TestClient) -> None:
    whole = site.get(f"/api/v1/series?{ONE}").json()["why"]
    assert whole["at"] == "2026-11-16T00:25:00Z"
    assert whole["sentences"][:3] == [
        "Observed 90, expected 10: 9 times the usual.",
        "998 in 1,000 normal values are between 5 and 20.",
        "What stands out most is this interval by itself: a burst.",
    ]
    picked = f"{ONE}&picked=2026-11-16T00:30Z/2026-11-16T01:00Z"
    why = site.get(f"/api/v1/series?{picked}").json()["why"]
    assert why["at"] == "2026-11-16T00:30:00Z"
    assert why["sentences"][-1].endswith("It was lowered, and does not say how rare the value is.")


@pytest.mark.parametrize(
    ("decades", "said"), [(1, "10 times"), (2, "100 times"), (3, "1,000 times")]
)
def test_rarity_turns_the_formula_of_severity_round(decades: float, said: str) -> None:
    allowed = 5.0
    score = float(severity(np.array([allowed + decades]), allowed)[0])
    assert f"It is {said} as rare" in rarity(score, "spike")
    common = float(severity(np.array([allowed - decades]), allowed)[0])
    assert "Chance alone" in rarity(common, "spike")
    assert "over a million times" in rarity(100.0, "spike")


def test_the_chart_needs_no_script_and_breaks_where_nothing_is_known(site: TestClient) -> None:
    page = site.get(f"/series?{ONE}").text
    drawn = page[page.index("<svg viewBox") : page.index("</svg>")]
    lines = {
        kind: [
            line.split() for line in re.findall(f'polyline class="{kind}" points="(.*?)"', drawn)
        ]
        for kind in ("value", "expected", "before")
    }
    assert [len(line) for line in lines["value"]] == [20, 267]  # 288 without one
    assert [len(line) for line in lines["expected"]] == [288]
    assert [len(line) for line in lines["before"]] == [288]
    assert drawn.count('class="point"') == 2  # the spike and what continues it
    assert drawn.count('class="anomaly"') == 1
    heights = [float(place.split(",")[1]) for place in lines["value"][0]]
    assert min(heights) == heights[5]  # the spike is highest, and y counts from above


def test_the_table_has_what_the_chart_has(site: TestClient) -> None:
    page = site.get(f"/series?{ONE}").text
    table = page[page.index("The same as a table") : page.index("</table>")]
    assert table.count('<th scope="row"') == 288
    assert table.count('class="unusual"') == 1
    assert "Only from" not in page


def test_a_long_time_is_cut_and_says_so(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = f"window=2026-11-09/2026-11-17&detector={RULES}&where=webacl:shop&where=rule:SQLi"
    assert len(site.get(f"/api/v1/series?{asked}").json()["points"]) == 8 * 288
    monkeypatch.setattr("bartizan.ui.data.series.MOST_POINTS", 300)
    found = site.get(f"/api/v1/series?{asked}").json()
    assert parse_time(found["shown"]["start"]) == NOW - 300 * timedelta(minutes=5)
    assert len(found["points"]) == 300
    assert "Only from 2026-11-15 23:00 UTC on" in site.get(f"/series?{asked}").text


def test_csv_has_every_point(site: TestClient) -> None:
    answer = site.get(f"/series.csv?{ONE}")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{RULES}-202611160000.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 288
    assert rows[5] == {
        "interval_start": "2026-11-16T00:25:00Z",
        "webacl": "shop",
        "rule": "SQLi",
        "measure": "blocked",
        "value": "90.0",
        "expected": "10.0",
        "lower": "5.0",
        "upper": "20.0",
        "severity": "95.2",
        "direction": "above",
        "reason": "spike",
        "before": "33.0",
    }
    assert rows[20]["value"] == ""


@pytest.mark.parametrize("value", HOSTILE)
def test_csv_of_hostile_values_runs_nothing(site: TestClient, value: str) -> None:
    asked = {"window": "2026-11-16/2026-11-17", "detector": RULES}
    where = ["webacl:blog", f"rule:{value}"]
    text = site.get("/series.csv", params={**asked, "where": where}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 288
    assert not {one["rule"].lstrip()[:1] for one in rows} & set("=+-@")


@pytest.mark.parametrize(
    "value", ["=1", "+1", "-1", "@a", "  =1", "\t=1", "\n=1", "\uff1d1", "\uff0b1"]
)
def test_formulas_get_an_apostrophe_and_nothing_unseen_is_left(value: str) -> None:
    [_, [text, number]] = csv.reader(io.StringIO(csv_text(["a", "b"], [(value, -1.5)])))
    assert text.startswith("'")
    assert text.isprintable()
    assert number == "-1.5"  # numbers of ours are numbers
    [_, [plain]] = csv.reader(io.StringIO(csv_text(["a"], [("a=b\u202e",)])))
    assert plain == "a=b\\u202e"


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("quotechar", ['"', None])
def test_no_cell_is_a_formula_where_semicolons_divide(
    delimiter: str, quotechar: str | None
) -> None:
    value = 'Mozilla/5.0 (X11; en);=HYPERLINK("https://attacker.example"); @SUM(1);\uff0b1;;-2'
    rule = csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE
    text = csv_text(["a", "b"], [("shop", value)])
    lines = csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=quotechar, quoting=rule)
    cells = [cell for line in lines for cell in line]
    assert len(cells) >= 4
    assert not {cell.lstrip()[:1] for cell in cells} & set("=+-@\uff0b")
    assert "Mozilla/5.0 (X11; en)" in text


def test_every_reason_of_the_detector_is_said_in_words() -> None:
    assert set(judged.REASONS) <= set(REASONS)
