"""What a detector would begin with is shown before it begins, and reckoned from what landed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from commands import bartizan_command
from dashboard_house import DAY_START, READER, DashboardHouse
from lakes import SmallLake, requests

from bartizan import jobs
from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.audit import load_audit
from bartizan.store.detectors import DetectorStatus
from bartizan.ui import Visitor

NAME = "waf_traffic_by_country"
FILES = """\
description: Files of others
frequency: PT1H
timestamp: {column: ts}
dimensions: [site]
measures: [{name: n}]
source: {live: '%s/{{yyyyMMdd}}/{{HHmm}}'}
"""


@pytest.fixture
def landed(
    house: DashboardHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Two days and six hours of one country an hour, of two in the last."""
    for kept in ("aggregates/agg_country_1h", f"connectors/{NAME}"):
        shutil.copytree(PROJECT / "include" / "sql" / kept, tmp_path / "sql" / kept)
    monkeypatch.setenv("BARTIZAN_SQL", str(tmp_path / "sql"))
    small = SmallLake.open(tmp_path)
    times = [DAY_START - 2 * DAY + n * HOUR for n in range(54)]
    small.land("a", requests=requests(times, country="DE"))
    small.land("b", requests=requests(times[-1:], country="FR"))
    build(small.store, small.lake, small.engine, load_tables(tmp_path / "sql")["agg_country_1h"])
    yield tmp_path
    small.store.engine.dispose()


def test_history_and_its_cost_are_those_of_what_landed(house: DashboardHouse, landed: Path) -> None:
    found = house.client.get(f"/api/v1/detectors/{NAME}/preview").json()
    assert (found["state"], found["measures"]) == ("INACTIVE", ["requests"])
    assert (found["intervals_needed"], found["ready_after"]) == (300, "12 d 12 h")
    assert found["proposed"] == {"start": "2026-11-14T00:00:00Z", "end": "2026-11-16T06:00:00Z"}
    assert (found["cost"]["chunks"], found["cost"]["kept"]) == (3, 0)
    [read] = found["cost"]["reads"]
    assert (read["table"], read["rows"]) == ("agg.agg_country_1h", 55)
    assert (found["check"], found["backfilled"], found["problem"]) == (None, None, "")
    window = Window(DAY_START - 2 * DAY, DAY_START - DAY)
    jobs.backfill(NAME, window, dry_run=False)
    again = house.client.get(f"/api/v1/detectors/{NAME}/preview").json()
    assert again["backfilled"] == window.as_json()
    assert (again["cost"]["chunks"], again["cost"]["kept"]) == (3, 1)


def test_only_what_lies_before_the_time_is_proposed(house: DashboardHouse, landed: Path) -> None:
    at = DAY_START - DAY + timedelta(minutes=20)
    proposed = jobs.preview_detector(NAME, at)["proposed"]
    assert proposed == {"start": "2026-11-14T00:00:00Z", "end": "2026-11-15T00:00:00Z"}
    assert jobs.preview_detector(NAME, DAY_START - 9 * DAY)["proposed"] is None


def test_its_query_is_run_only_when_asked_for(house: DashboardHouse, landed: Path) -> None:
    page = house.page(f"/begin?name={NAME}")
    assert "It is inactive until it has learned" in page.text
    filled = {one["name"]: one.get("value") for one in page.all("input") if "name" in one}
    assert (filled["start"], filled["end"]) == ("2026-11-14T00:00", "2026-11-16T06:00")
    assert [one.get("data-ask") for one in page.all("form") if "data-ask" in one] == [
        f"{NAME}/backfill",
        f"{NAME}/promote",
    ]
    assert "2 rows, 2 series" not in page.text
    looked = house.page(f"/begin?name={NAME}&look=true")
    assert "2 rows, 2 series (1 of webacl, 2 of country)" in looked.text
    assert load_audit(house.store) == []


def test_without_data_it_says_what_is_lacking(house: DashboardHouse) -> None:
    page = house.page(f"/begin?name={NAME}&look=true")
    assert "Nothing has landed yet" in page.text
    assert "nothing was landed yet" in page.text
    assert [one["data-ask"] for one in page.all("form") if "data-ask" in one] == [f"{NAME}/promote"]


def test_what_landed_and_was_not_aggregated_is_told(house: DashboardHouse) -> None:
    house.lands(("s3://logs/AWSLogs/shop/2026/11/16/05/00/a.gz", 10, 0, 0))
    found = house.client.get(f"/api/v1/detectors/{NAME}/preview").json()
    assert (found["cost"], found["proposed"] is None) == (None, False)
    assert "agg.agg_country_1h: is not in the lake yet" in found["problem"]
    assert "is not in the lake yet" in house.page(f"/begin?name={NAME}").text


def test_files_of_others_have_no_backfill(
    house: DashboardHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sql" / "connectors" / "files"
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text(FILES % (tmp_path / "theirs"))
    monkeypatch.setenv("BARTIZAN_SQL", str(tmp_path / "sql"))
    found = house.client.get("/api/v1/detectors/files/preview").json()
    assert (found["from"], found["proposed"], found["cost"]) == ("files", None, None)
    assert "Others write its files" in house.page("/begin?name=files").text


def test_it_is_offered_of_those_that_have_not_begun(house: DashboardHouse) -> None:
    house.watches("waf_blocked_requests", DetectorStatus.ACTIVE, series=1, series_ready=1)
    links = [one["href"] for one in house.page("/detectors").all("a")]
    begun = {f"begin?name={name}" for name in jobs.connector_names()} & set(links)
    assert len(begun) == len(jobs.connector_names()) - 1
    assert "begin?name=waf_blocked_requests" not in links


@pytest.mark.parametrize(
    "visitor",
    [READER, Visitor("anna", may_write=True, may_run={f"crawl_{NAME}"}.__contains__)],
    ids=["reader", "writer without the DAG"],
)
def test_who_may_not_have_it_run_has_nothing_asked(house: DashboardHouse, visitor: Visitor) -> None:
    house.visitor = visitor
    for path in (f"/begin?name={NAME}", f"/api/v1/detectors/{NAME}/preview?look=true"):
        assert house.client.get(path).status_code == 403


def test_an_unknown_connector_is_refused(house: DashboardHouse) -> None:
    assert house.client.get("/begin?name=nothing").status_code == 400


def test_the_command_says_the_same(
    house: DashboardHouse,
    landed: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = bartizan_command(monkeypatch, capsys, "connector", "preview", NAME)
    code, said, _ = run("--at", "2026-11-17", "--look")
    assert code == 0
    assert "  history   2026-11-14T00:00:00Z/2026-11-16T06:00:00Z" in said.splitlines()
    assert "  backfill  3 chunks, 0 of them there already" in said.splitlines()
    assert "  rows      2 in 1 intervals" in said.splitlines()
