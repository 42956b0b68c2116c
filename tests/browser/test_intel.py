"""A plan is approved in a real browser before a real Airflow, and the IP sets follow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow_server import AirflowServer, airflow_server
from attacked import ATTACKER, FOREIGN, PARTNER, Sets, attacked_lake
from axe_findings import serious_findings
from browser_windows import PHONE, Open
from dashboard_house import DETECTOR, DashboardHouse
from intel_scene import EDGE, heard, holds
from playwright.sync_api import Page, expect
from stand_in_aws import leading_to, stand_in

from bartizan import jobs
from bartizan.config import PROJECT
from bartizan.model.window import HOUR, floor
from bartizan.store.audit import load_audit
from bartizan.store.intel_audit import load_deeds

BLOCKED = f"{ATTACKER}/32"
BEFORE, APPLIED = [[FOREIGN]] * 2, [[FOREIGN, BLOCKED]] * 2
RUN_MS = 90_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardHouse]:
    """A home whose last hours were under attack; one connector, so that DAGs are read faster."""
    home = tmp_path_factory.mktemp("attacked")
    shutil.copytree(PROJECT / "include" / "sql", home / "sql", ignore=_but_one)
    attacked_lake(home, floor(datetime.now(UTC), HOUR))
    with pytest.MonkeyPatch.context() as patch, stand_in() as address, leading_to(address):
        for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
            patch.delenv(name)
        patch.setenv("BARTIZAN_HOME", str(home))
        patch.setenv("BARTIZAN_SQL", str(home / "sql"))
        patch.setenv("BARTIZAN_INTEL", str(home / "intel.yaml"))
        yield DashboardHouse()


def _but_one(folder: str, names: list[str]) -> set[str]:
    return {one for one in names if Path(folder).name == "connectors" and one != DETECTOR}


@pytest.fixture(scope="module")
def airflow(
    house: DashboardHouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowServer]:
    home = Path(os.environ["BARTIZAN_HOME"])
    folder, intel = tmp_path_factory.mktemp("airflow"), os.environ["BARTIZAN_INTEL"]
    with airflow_server(folder, home, home / "sql", BARTIZAN_INTEL=intel) as server:
        yield server


@pytest.fixture(scope="module")
def sets(house: DashboardHouse) -> Sets:
    made = Sets(os.environ["AWS_ENDPOINT_URL"], "bartizan")
    made.configured(Path(os.environ["BARTIZAN_INTEL"]), "block")
    return made


@pytest.fixture(scope="module")
def asking(
    airflow: AirflowServer, sets: Sets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[bytes]]:
    """A run of `respond` that waits for an answer."""
    end = floor(datetime.now(UTC), HOUR)
    window = {"start": (end - timedelta(days=1)).isoformat(), "end": end.isoformat()}
    log = tmp_path_factory.mktemp("run") / "run.log"
    with airflow.running("respond", log, "--conf", json.dumps(window)) as process:
        yield process


def plan_of(house: DashboardHouse, page: Page, asking: subprocess.Popen[bytes]) -> str:
    """The plan that a run asks about, once it does."""
    url = page.url.split("bartizan")[0]
    questions = f"{url}api/v2/dags/respond/dagRuns/~/hitlDetails?state=awaiting_input"
    for _ in range(RUN_MS // 500):
        assert asking.poll() is None
        if page.request.get(questions).json()["hitl_details"]:
            break
        page.wait_for_timeout(500)
    (deed,) = [one for one in load_deeds(house.store, 9) if one.what == "plan"]
    return deed.subject


def test_a_plan_is_approved_applied_and_taken_back(
    house: DashboardHouse, sets: Sets, asking: subprocess.Popen[bytes], open_page: Open
) -> None:
    page = open_page("bartizan/intel")
    plan = plan_of(house, page, asking)
    now = datetime.now(UTC)
    holds(house.store, EDGE, now, {"2001:db8::7/128": now + 2 * HOUR})
    heard(house.store, now, "198.51.100.9/32")
    viewed = open_page(f"bartizan/intel-plan?id={plan}", name="vera")
    expect(viewed.get_by_text(BLOCKED).first).to_be_visible()
    expect(viewed.get_by_text("You may look at this, but not answer it")).to_be_visible()
    expect(viewed.get_by_role("button")).to_have_count(0)

    page.reload()
    page.get_by_role("link", name="2 to add, 0 to remove").click()
    expect(page.get_by_text(f"{PARTNER}/32", exact=True)).to_be_visible()
    expect(page.get_by_text("requests allowed before").first).to_be_visible()
    expect(page.get_by_text("1 added, 0 removed; 2 of 10,000")).to_have_count(2)
    assert serious_findings(page) == []
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("The run ended: success", timeout=RUN_MS)
    assert sets.addresses() == APPLIED
    assert {(one.by, one.what) for one in load_deeds(house.store, 2)} == {("anna", "apply")}
    noted = load_audit(house.store)[0]
    assert (noted.by, noted.action, noted.subject) == ("anna", "approve", f"plan {plan}")

    page.get_by_role("link", name="Show what became of it").click()
    expect(page.get_by_role("heading", name="What became of it")).to_be_visible()
    page.get_by_role("link", name="Take back").first.click()
    expect(page.get_by_text("no longer blocked: 1")).to_be_visible()
    assert serious_findings(page) == []
    assert sets.addresses() == APPLIED
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status")).to_contain_text("It was taken back")
    assert sorted(sets.addresses()) == [BEFORE[0], APPLIED[0]]
    assert load_deeds(house.store, 1)[0].what == "undo"


def test_the_switch_is_thrown_and_put_back(
    house: DashboardHouse, sets: Sets, open_page: Open
) -> None:
    page = open_page("bartizan/intel")
    page.get_by_role("button", name="Stop adding addresses").click()
    expect(page.get_by_text("nothing is added to any IP set")).to_be_visible()
    assert not jobs.intel_stopped()
    page.get_by_label("Why").fill("a false alarm")
    page.get_by_role("button", name="Stop adding addresses").click()
    expect(page.get_by_text("since the switch is thrown")).to_be_visible()
    assert jobs.intel_stopped()
    page.get_by_role("button", name="Let plans be applied again").click()
    page.get_by_label("Why").fill("solved")
    page.get_by_role("button", name="Let plans be applied").click()
    expect(page.get_by_role("status")).to_contain_text("Plans can be applied again")
    assert not jobs.intel_stopped()


def test_who_may_only_look_is_refused(
    airflow: AirflowServer, house: DashboardHouse, sets: Sets, open_page: Open
) -> None:
    page = open_page("bartizan/intel", name="vera")
    expect(page.get_by_role("heading", level=1)).to_contain_text("blocked")
    expect(page.get_by_role("button")).to_have_count(0)
    me = page.request.get(f"{airflow.url}/bartizan/api/v1/me").json()
    form = {"kind": "stop", "why": "x", "token": me["token"]}
    assert page.request.post(f"{airflow.url}/bartizan/intel-deed", form=form).status == 403
    page.goto(f"{airflow.url}/bartizan/intel-deed?kind=stop")
    expect(page.get_by_role("heading")).to_have_text("Forbidden")
    assert not jobs.intel_stopped()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    airflow: AirflowServer, sets: Sets, open_page: Open, theme: str
) -> None:
    page = open_page("bartizan/intel", theme=theme)
    for path in ("intel", "intel-candidates", "intel-deed?kind=stop"):
        page.goto(f"{airflow.url}/bartizan/{path}")
        assert serious_findings(page) == []


@pytest.mark.parametrize("path", ["intel", "intel-candidates", "intel-deed?kind=stop"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    sets: Sets, open_page: Open, path: str
) -> None:
    page = open_page(f"bartizan/{path}", size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
