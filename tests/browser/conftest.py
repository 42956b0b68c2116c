"""One Airflow and one browser for the tests of a file; a window of its own for each person."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_server import AirflowServer, airflow_server
from browser_windows import DESKTOP, Open
from dashboard_house import DETECTOR, DashboardHouse
from dashboard_scene import scene
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bartizan.config import PROJECT

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
PATIENCE_MS = 20_000  # on a busy machine
ALERTS = """\
channels:
  chat: {kind: folder, of: slack}
  pager: {kind: folder, of: pagerduty}
rules:
  - channels: [chat] # people
  - channels: [pager]
    min_severity: 95 # at night too
"""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session", autouse=True)
def executable() -> str:
    """The browser, looked for before anything is started for it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser on PATH: install one of {', '.join(NAMES)}")
    return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardHouse]:
    """A home with the scene in its store, and only two connectors: DAGs are read faster."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(PROJECT / "include" / "sql" / "aggregates", home / "sql" / "aggregates")
    for name in (DETECTOR, "waf_blocked_share"):
        source = PROJECT / "include" / "sql" / "connectors" / name
        shutil.copytree(source, home / "sql" / "connectors" / name)
    (home / "alerts.yaml").write_text(ALERTS)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
            patch.delenv(name)
        patch.setenv("BARTIZAN_HOME", str(home))
        patch.setenv("BARTIZAN_SQL", str(home / "sql"))
        patch.setenv("BARTIZAN_ALERTS", str(home / "alerts.yaml"))
        made = DashboardHouse()
        scene(made)
        yield made


@pytest.fixture(scope="module")
def airflow(
    house: DashboardHouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowServer]:
    home = Path(os.environ["BARTIZAN_HOME"])
    alerts = {"BARTIZAN_ALERTS": str(home / "alerts.yaml"), "BARTIZAN_ALERTS_IN_PLACE": "true"}
    folder = tmp_path_factory.mktemp("airflow")
    with airflow_server(folder, home, home / "sql", **alerts) as server:
        yield server


@pytest.fixture(scope="module")
def browser(executable: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def open_page(airflow: AirflowServer, browser: Browser) -> Iterator[Open]:
    """Opens a page of the dashboard as somebody, or as nobody."""
    windows = []

    def open_one(
        path: str, name: str | None = "anna", size: tuple[int, int] = DESKTOP, theme: str = "light"
    ) -> Page:
        window = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        windows.append(window)
        if name is not None:
            cookie = {"name": "_token", "value": airflow.token(name), "url": airflow.url}
            window.add_cookies([cookie])  # type: ignore[list-item]
        page = window.new_page()
        page.goto(f"{airflow.url}/{path}")
        return page

    yield open_one
    for window in windows:
        window.close()
