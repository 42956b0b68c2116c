from __future__ import annotations

import pandas as pd
import pytest
from dashboard_house import DAY, DETECTOR, DashboardHouse, attack
from incidents import scores

from bartizan import jobs
from bartizan.detect.scores import save_scores

STRONG, WEAK = attack(12, severity=97), attack(60, "blog", "Login", 75)


def scored(house: DashboardHouse) -> None:
    frame = pd.concat([scores(one, hours=12) for one in (STRONG, WEAK)], ignore_index=True)
    save_scores(jobs.settings().lake, jobs.load_connector(DETECTOR), DAY, frame)
    house.watches(DETECTOR)
    house.found(STRONG, WEAK)


@pytest.fixture(autouse=True)
def no_alerts_file(monkeypatch: pytest.MonkeyPatch, house: DashboardHouse) -> None:
    monkeypatch.setenv("BARTIZAN_ALERTS", "")


def test_without_scores_it_says_what_to_do(house: DashboardHouse) -> None:
    page = house.page("/tuning")
    assert "Nothing was scored yet" in page.text
    assert page.all("form") == []


def test_another_threshold_shows_what_would_have_been_told(house: DashboardHouse) -> None:
    scored(house)
    jobs.give_feedback(WEAK.id, "confirmed", house.now)
    assert "2 → 2 alerts" in house.page("/tuning").text
    page = house.page(f"/tuning?detector={DETECTOR}&threshold=90&days=7")
    assert "Last 7 days: 2 → 1 alerts" in page.text
    assert "Confirmed as real, and no longer told" in page.text
    assert "+alert: {threshold: 90}" in page.text
    chosen = {one["name"]: one.get("value") for one in page.all("input")}
    assert (chosen["threshold"], chosen["among"]) == ("90", "1")


def test_the_diff_is_downloaded_and_the_api_says_the_same(house: DashboardHouse) -> None:
    scored(house)
    page = house.page(f"/tuning?detector={DETECTOR}&threshold=90")
    (link,) = [one["href"] for one in page.all("a") if "download" in one]
    answer = house.client.get(f"/{link}")
    assert answer.headers["content-disposition"] == 'attachment; filename="bartizan.diff"'
    found = house.client.get(f"/api/v1/tuning/{DETECTOR}?threshold=90").json()
    assert answer.text == found["diff"] != ""
    assert (found["before"], found["after"]) == (2, 1)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("detector=nothing", 400),
        (f"detector={DETECTOR}&threshold=10", 400),
        (f"detector={DETECTOR}&days=1000", 400),
        (f"detector={DETECTOR}&at_least=4", 400),
        (f"detector={DETECTOR}&absolute=nan", 422),
        ("detector=waf_labels", 400),
    ],
)
def test_what_cannot_be_tried_is_refused(house: DashboardHouse, query: str, status: int) -> None:
    scored(house)
    assert house.client.get(f"/tuning?{query}").status_code == status
