from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dashboard_house import DAY, DETECTOR, READER, DashboardHouse, attack

from bartizan import jobs
from bartizan.store.audit import load_audit
from bartizan.store.detectors import DetectorStatus, load_detector
from bartizan.store.incidents import replace_incidents
from bartizan.ui import Visitor

SPAN = {"start": "2026-11-14T00:00:00Z", "end": "2026-11-16T00:00:00Z"}


def found(house: DashboardHouse) -> dict[str, dict[str, Any]]:
    shown = house.client.get("/api/v1/detectors").json()
    return {one["name"]: one for one in shown["detectors"]}


def test_all_detectors_are_listed_those_that_watch_first(house: DashboardHouse) -> None:
    house.found(attack(12), attack(60, "blog"))
    replace_incidents(house.store, DETECTOR, DAY, [attack(12)])
    house.watches(DETECTOR, series=73, series_ready=70)
    listed = found(house)
    assert set(listed) == set(jobs.connector_names())
    one = next(iter(listed.values()))
    assert (one["name"], one["state"], one["promoted"]) == (DETECTOR, "ACTIVE", True)
    assert (one["series_ready"], one["series"], one["open"], one["over"]) == (70, 73, 1, 0)
    assert (one["every"], one["threshold"], one["dimensions"]) == ("PT5M", 70, ["webacl", "rule"])
    others = [other for name, other in listed.items() if name != DETECTOR]
    assert {other["state"] for other in others} == {"INACTIVE"}
    assert not any(other["promoted"] for other in others)


def test_a_connector_that_cannot_be_read_is_named_with_what_is_wrong(
    house: DashboardHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = tmp_path / "sql"
    shutil.copytree(jobs.settings().sql, sql)
    (sql / "connectors" / DETECTOR / "connector.yaml").write_text("frequency: never")
    monkeypatch.setenv("BARTIZAN_SQL", str(sql))
    broken = house.client.get("/api/v1/detectors").json()["broken"]
    assert [name for name, _ in broken] == [DETECTOR]
    assert "cannot be read" in house.page("/detectors").text


def test_a_backfill_is_noted_and_left_to_airflow(house: DashboardHouse) -> None:
    asked = house.post(f"/api/v1/detectors/{DETECTOR}/backfill", SPAN).json()
    unpause, trigger = asked["calls"]
    assert (unpause["method"], unpause["path"]) == ("PATCH", f"dags/backfill_{DETECTOR}")
    assert (trigger["method"], trigger["path"]) == ("POST", f"dags/backfill_{DETECTOR}/dagRuns")
    assert trigger["body"]["conf"] == {**SPAN, "dry_run": True, "backtest": False}
    assert trigger["body"]["dag_run_id"] == asked["run_id"]
    (noted,) = load_audit(house.store)
    assert (noted.by, noted.action, noted.subject) == ("anna", "backfill", f"detector {DETECTOR}")
    assert noted.outcome == f"run {asked['run_id']}"
    assert noted.after == trigger["body"]["conf"]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nothing", SPAN, 400),
        (DETECTOR, {"start": SPAN["end"], "end": SPAN["start"]}, 400),
        (DETECTOR, {"start": SPAN["start"], "end": "2027-01-01T00:00:00Z"}, 400),
        (DETECTOR, {"start": "0001-01-01T00:00:00+10:00", "end": SPAN["end"]}, 400),
        (DETECTOR, {"start": "yesterday", "end": SPAN["end"]}, 422),
    ],
)
def test_a_backfill_that_cannot_be_is_refused(
    house: DashboardHouse, name: str, body: dict[str, str], status: int
) -> None:
    assert house.post(f"/api/v1/detectors/{name}/backfill", body).status_code == status
    assert load_audit(house.store) == []


def test_watching_live_activates_and_unpauses_and_can_be_ended(house: DashboardHouse) -> None:
    house.watches(DETECTOR, series=2, series_ready=2)
    ended = house.post(f"/api/v1/detectors/{DETECTOR}/deactivate").json()
    assert ended["calls"] == []
    assert load_detector(house.store, DETECTOR).state is DetectorStatus.DEACTIVATED
    assert not found(house)[DETECTOR]["promoted"]
    house.now += timedelta(minutes=1)
    asked = house.post(f"/api/v1/detectors/{DETECTOR}/promote").json()
    assert [(one["method"], one["path"], one["body"]) for one in asked["calls"]] == [
        ("PATCH", f"dags/crawl_{DETECTOR}", {"is_paused": False}),
        ("PATCH", f"dags/detect_{DETECTOR}", {"is_paused": False}),
    ]
    assert load_detector(house.store, DETECTOR).state is DetectorStatus.ACTIVE
    noted = house.client.get("/api/v1/audit").json()
    assert [(one["action"], one["before"], one["after"]) for one in noted] == [
        ("promote", "DEACTIVATED", "ACTIVE"),
        ("deactivate", "ACTIVE", "DEACTIVATED"),
    ]


@pytest.mark.parametrize(
    ("action", "rights"),
    [
        ("promote", {f"crawl_{DETECTOR}"}),
        ("promote", {f"detect_{DETECTOR}"}),
        ("deactivate", {f"crawl_{DETECTOR}", f"backfill_{DETECTOR}"}),
        ("backfill", {f"crawl_{DETECTOR}", f"detect_{DETECTOR}"}),
    ],
)
def test_who_may_only_answer_incidents_has_nothing_run(
    house: DashboardHouse, action: str, rights: set[str]
) -> None:
    state = DetectorStatus.ACTIVE if action == "deactivate" else DetectorStatus.DEACTIVATED
    house.watches(DETECTOR, state)
    house.visitor = Visitor("anna", may_write=True, may_run=rights.__contains__)
    answer = house.post(f"/api/v1/detectors/{DETECTOR}/{action}", SPAN)
    assert (answer.status_code, "may not edit the DAG" in answer.json()["detail"]) == (403, True)
    assert load_detector(house.store, DETECTOR).state is state
    assert load_audit(house.store) == []


def test_who_may_only_look_is_offered_no_run(house: DashboardHouse) -> None:
    assert len(house.page("/detectors").all("form")) >= 2
    house.visitor = READER
    assert house.page("/detectors").all("form") == []


@pytest.mark.parametrize(
    ("dag_id", "view"),
    [
        ("waf_land", "health"),
        ("lake_maintenance", "health"),
        (f"detect_{DETECTOR}", f"detectors#{DETECTOR}"),
        (f"backfill_{DETECTOR}", f"detectors#{DETECTOR}"),
        ("crawl_a\r\nX: 1", "detectors#a%0D%0AX%3A%201"),
        ("dispatch", "./"),
    ],
)
def test_a_run_leads_to_the_view_of_what_came_of_it(
    house: DashboardHouse, dag_id: str, view: str
) -> None:
    answer = house.client.get("/run", params={"dag_id": dag_id, "run_id": "manual__1"})
    assert (answer.status_code, answer.headers["location"]) == (303, view)
