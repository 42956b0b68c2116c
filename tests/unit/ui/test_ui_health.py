from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pytest
from dashboard_house import DETECTOR, DashboardHouse

from bartizan import jobs
from bartizan.lake.schemas import QUARANTINE
from bartizan.model.landing import BatchState
from bartizan.model.reconciliation import Verdict
from bartizan.store.detectors import DetectorStatus
from bartizan.store.landing import set_state
from bartizan.store.reconciliation import ComparedHour, save_hours
from bartizan.store.validations import CheckResult, save_results

ROOT = "s3://logs/AWSLogs/111122223333/WAFLogs/eu-west-1"


def grid(house: DashboardHouse, day: str = "") -> dict[str, dict[int, tuple[str, int]]]:
    """Word and requests of every cell with objects, by web ACL and hour."""
    found = house.client.get(f"/api/v1/health{day}").json()
    return {
        place["name"]: {
            hour: (_word(cell), cell["requests"])
            for hour, cell in enumerate(place["cells"])
            if cell["objects"]
        }
        for place in found["places"]
    }


def _word(cell: dict[str, int]) -> str:
    return next((name for name in ("quarantined", "waiting", "duplicates") if cell[name]), "fine")


def test_what_was_delivered_is_shown_by_web_acl_and_hour(house: DashboardHouse) -> None:
    house.lands(
        (f"{ROOT}/shop/2026/11/16/05/00/a.gz", 10, 0, 0),
        (f"{ROOT}/shop/2026/11/16/05/55/b.gz", 5, 0, 0),
        (f"{ROOT}/shop/2026/11/16/06/00/c.gz", 4, 2, 0),
        (f"{ROOT}/2026/year=2026/month=11/day=16/hour=23/d.gz", 1, 1, 3),  # a web ACL named 2026
        (f"{ROOT}/shop/2026/11/17/00/00/e.gz", 8, 0, 0),
        (f"{ROOT}/shop/2026/11/15/23/55/f.gz", 9, 0, 0),
        ("s3://logs/none/2026-11-16.gz", 7, 0, 0),
    )
    house.lands((f"{ROOT}/blog/2026/11/16/07/00/g.gz", 6, 0, 0), publish=False)
    assert grid(house) == {
        "2026": {23: ("quarantined", 1)},
        "blog": {7: ("waiting", 6)},
        "shop": {5: ("fine", 15), 6: ("duplicates", 4)},
    }
    assert grid(house, "?day=2026-11-15") == {"shop": {23: ("fine", 9)}}
    assert grid(house, "?day=2026-11-14") == {}
    page = house.page("/health")
    assert "Delivered on 16 November 2026" in page.text
    assert len(page.all("td")) >= 4 * 24


def test_hours_that_a_web_acl_was_silent_are_counted_up_to_what_landed(
    house: DashboardHouse,
) -> None:
    house.lands((f"{ROOT}/shop/2026/11/16/05/00/a.gz", 10, 0, 0))
    assert "Hours without a delivery: shop 5." in house.page("/health").text


def test_the_steps_say_how_far_they_are(house: DashboardHouse) -> None:
    house.lands((f"{ROOT}/shop/2026/11/16/05/00/a.gz", 10, 0, 0))
    house.watches(DETECTOR)
    house.watches("waf_labels", DetectorStatus.FAILED)
    steps = {one["name"]: one for one in house.client.get("/api/v1/health").json()["steps"]}
    assert list(steps) == [
        "land", "aggregate", f"detect {DETECTOR}", "detect waf_labels", "dispatch",
    ]  # fmt: skip
    assert steps["land"]["through"] == "2026-11-16T06:00:00Z"
    assert steps["land"]["behind"] == "PT7H"
    assert steps["aggregate"]["through"] is None
    assert [one["trouble"] for one in steps.values()] == [False, False, False, True, False]


def test_checks_are_counted_over_batches_and_a_batch_shows_its_own(house: DashboardHouse) -> None:
    good = house.lands((f"{ROOT}/shop/2026/11/16/05/00/a.gz", 10, 0, 0))
    bad = house.lands((f"{ROOT}/shop/2026/11/16/06/00/b.gz", 1, 0, 9), publish=False)
    passed = CheckResult("expect_it", "action", "fail", True, "0 unexpected")
    save_results(house.store, good.id, [passed])
    save_results(house.store, bad.id, [replace(passed, passed=False, observed="9 unexpected")])
    set_state(house.store, bad, BatchState.REJECTED, "9 of 10 are bad")
    found = house.client.get("/api/v1/health").json()
    assert found["rejected"] == {bad.id: "9 of 10 are bad"}
    assert found["batches"] == {"published": 1, "rejected": 1}
    (check,) = found["checks"]
    assert (check["passed"], check["observed"]) == (
        False,
        "passed in 1 of 2 batches; 9 unexpected",
    )
    page = house.page(f"/batch?id={bad.id}")
    assert "9 unexpected" in page.text
    assert f"batch?id={bad.id}" in [one["href"] for one in house.page("/health").all("a")]
    assert house.client.get("/batch?id=nothing").status_code == 400


def test_reconciliation_names_the_worst_hours(house: DashboardHouse) -> None:
    assert "Not done" in house.page("/health").text
    hour = datetime.fromisoformat("2026-11-16T05:00:00+00:00")
    arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1"
    save_hours(
        house.store,
        [ComparedHour(arn, hour, {"ALLOW": 90}, {"ALLOW": 100}, Verdict.MISSING, "shop", "arn")],
    )
    page = house.page("/health")
    assert arn in page.text
    assert "1 hours missing" in page.text


def test_quarantine_is_counted_by_reason(house: DashboardHouse) -> None:
    assert "could be read" in house.page("/quarantine").text
    rows = [{"reason": reason} for reason in ["not JSON"] * 3 + ["no timestamp"] * 5]
    jobs.open_lake().table("waf.quarantine").append(pa.Table.from_pylist(rows, schema=QUARANTINE))
    found = house.client.get("/api/v1/quarantine").json()
    assert found == {"records": 8, "reasons": [["no timestamp", 5], ["not JSON", 3]]}
    assert "8 records in quarantine" in house.page("/quarantine").text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "nothing"])
def test_a_day_without_neighbours_is_refused(house: DashboardHouse, day: str) -> None:
    assert house.client.get(f"/health?day={day}").status_code == 422
    assert house.client.get(f"/api/v1/health?day={day}").status_code == 422
    assert house.client.get("/health?day=0001-01-02").status_code == 200
