"""A backfill is asked for in a real browser, and followed until a real Airflow has done it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from airflow_server import AirflowServer, airflow_server
from axe_findings import serious_findings
from browser_windows import Open
from dashboard_house import DashboardHouse
from incidents import DAY_START
from lakes import SmallLake, requests
from playwright.sync_api import expect

from bartizan import jobs
from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.model.window import DAY, HOUR

RUN_MS = 120_000
CONNECTOR, TABLE = "waf_traffic_by_country", "agg_country_1h"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardHouse]:
    """Two days of a request an hour, aggregated; one connector."""
    home = tmp_path_factory.mktemp("backfilled")
    for kept in (f"aggregates/{TABLE}", f"connectors/{CONNECTOR}"):
        shutil.copytree(PROJECT / "include" / "sql" / kept, home / "sql" / kept)
    small = SmallLake.open(home)
    times = [DAY_START - 2 * DAY + n * HOUR for n in range(48)]
    small.land("a", requests=requests(times, country="DE"))
    build(small.store, small.lake, small.engine, load_tables(home / "sql")[TABLE])
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
            patch.delenv(name)
        patch.setenv("BARTIZAN_HOME", str(home))
        patch.setenv("BARTIZAN_SQL", str(home / "sql"))
        patch.setenv("BARTIZAN_ALERTS", "")
        yield DashboardHouse()


@pytest.fixture(scope="module")
def airflow(
    house: DashboardHouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowServer]:
    """With a scheduler, so that what is asked for is done."""
    home, folder = Path(os.environ["BARTIZAN_HOME"]), tmp_path_factory.mktemp("airflow")
    with (
        airflow_server(folder, home, home / "sql") as server,
        server.scheduling(folder / "scheduler.log"),
    ):
        yield server


def test_a_backfill_is_counted_then_done_and_followed_to_its_end(
    house: DashboardHouse, open_page: Open
) -> None:
    page = open_page(f"bartizan/begin?name={CONNECTOR}")
    expect(page.get_by_label("From (UTC)")).to_have_value("2026-11-14T00:00")
    expect(page.get_by_label("To (UTC)")).to_have_value("2026-11-16T00:00")
    status = page.get_by_role("status")
    page.get_by_role("button", name="Backfill").click()
    expect(status).to_contain_text("Counting: queued")
    expect(status).to_contain_text("Counting: success", timeout=RUN_MS)
    expect(status).to_contain_text("2 chunks, 0 of them there already, 2 written")
    expect(status).to_contain_text("learn: skipped")
    chunks = Path(os.environ["BARTIZAN_HOME"]) / "metrics" / CONNECTOR / "backtest"
    assert not chunks.exists()

    page.get_by_label("Only count what it would query").uncheck()
    page.get_by_role("button", name="Backfill").click()
    expect(status).to_contain_text("Backfilling: queued")
    expect(status).to_contain_text("Backfilling: success", timeout=RUN_MS)
    expect(status).to_contain_text("2 chunks, 0 of them there already, 2 written; 48 rows.")
    expect(status).to_contain_text("learn: success")
    assert serious_findings(page) == []
    assert len(list(chunks.glob("*.csv"))) == 2
    page.reload()
    expect(page.get_by_text("2 of them done already")).to_be_visible()
    again = jobs.preview_detector(CONNECTOR, DAY_START + timedelta(minutes=5))
    assert (again["cost"]["kept"], again["backfilled"]) == (2, again["proposed"])
