"""Threat intelligence before a stand-in of AWS: what would happen is told, then it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attacked import ATTACKER, FOREIGN, OTHER, PARTNER, SHARED, Sets, attacked_lake
from copied import store_at
from dashboard_house import DashboardHouse
from respond_house import NOON
from stand_in_aws import leading_to, stand_in

from bartizan import jobs
from bartizan.store.audit import load_audit
from bartizan.store.intel_audit import load_deeds
from bartizan.ui import Visitor

BLOCKED = f"{ATTACKER}/32"
BEFORE, APPLIED = [[FOREIGN]] * 2, [[FOREIGN, BLOCKED]] * 2


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with stand_in() as address, leading_to(address):
        yield address


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacked")
    attacked_lake(folder, NOON)
    return folder


@pytest.fixture
def house(
    house: DashboardHouse,
    attacked: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> DashboardHouse:
    """The dashboard over the lake of all tests here, with a store of its own."""
    store_at(tmp_path).engine.dispose()
    monkeypatch.setenv("BARTIZAN_HOME", str(attacked))
    monkeypatch.setenv("BARTIZAN_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setenv("BARTIZAN_INTEL", str(tmp_path / "intel.yaml"))
    return DashboardHouse(Visitor("dana", may_write=True, may_block=True), NOON)


@pytest.fixture
def sets(house: DashboardHouse, endpoint: str, tmp_path: Path) -> Sets:
    made = Sets(endpoint, tmp_path.name)
    made.configured(tmp_path / "intel.yaml", "block")
    return made


def plan(house: DashboardHouse) -> str:
    found: str = jobs.plan_intel(jobs.lookback(NOON), "respond", NOON)["id"]
    return found


def read(house: DashboardHouse, path: str) -> Any:
    answer = house.client.get(f"/api/v1/intel{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_candidates_with_evidence_and_where_they_stand(house: DashboardHouse, sets: Sets) -> None:
    assert {one["stands"] for one in read(house, "/candidates")["candidates"]} == {"not judged yet"}
    plan(house)
    found = {one["candidate"]["network"]: one for one in read(house, "/candidates")["candidates"]}
    assert found[BLOCKED]["stands"] == "planned"
    assert found[BLOCKED]["candidate"]["blocked"] == 699
    assert found[f"{PARTNER}/32"]["stands"].startswith("refused: never blocked: partner")
    assert "real users may share it" in found[f"{SHARED}/32"]["stands"]
    assert ATTACKER in house.page("/intel-candidates").text


def test_from_a_plan_to_both_accounts_and_back(house: DashboardHouse, sets: Sets) -> None:
    made = plan(house)
    (waits,) = read(house, "")["plans"]
    assert (waits["id"], waits["adds"], waits["state"]) == (made, 2, "waits")
    now = read(house, f"/plans/{made}/now")
    assert [(one["target"], one["added"], one["size"]) for one in now["outcomes"]] == [
        *[("shop", [BLOCKED], 2), ("edge", [BLOCKED], 2)]
    ]
    page = house.page(f"/intel-plan?id={made}")
    assert page.text.count("1 added, 0 removed; 2 of 10,000 in the set then") == 2
    assert "0 requests allowed before" in page.text
    given = {"option": "Approve", "run_id": "manual__1"}
    assert house.post(f"/api/v1/intel/plans/{made}/answer", given).status_code == 200
    assert sets.addresses() == BEFORE  # it is Airflow that applies

    jobs.apply_intel(made, "dana", NOON, dry_run=False)
    assert sets.addresses() == APPLIED
    found = read(house, "")
    assert [one["state"] for one in found["plans"]] == ["applied"]
    assert (found["blocked"], found["held"]) == (1, 2)
    stands = {one["account"]: one for one in found["sets"]}[OTHER]
    assert (stands["held"], stands["size"], stands["of"]) == (1, 2, 10_000)
    assert stands["entries"][0]["evidence"]["blocked"] == 699

    changes = [one["change"] for one in found["changes"]]
    (edge,) = [one["id"] for one in changes if one["target"] == "edge"]
    asked = house.page(f"/intel-deed?kind=undo&id={edge}")
    assert "no longer blocked: 1; blocked again: 0" in asked.text
    assert f"- {BLOCKED}" in asked.text
    assert sets.addresses() == APPLIED
    form = {"kind": "undo", "id": edge, "token": house.token()}
    assert house.client.post("/intel-deed", data=form).status_code == 303
    assert sets.addresses() == [APPLIED[0], BEFORE[1]]
    assert "It was taken back before" in house.page(f"/intel-deed?kind=undo&id={edge}").text
    undone = load_audit(house.store)[0]
    assert (undone.action, undone.by, undone.before, undone.outcome) == (
        *("undo", "dana", "done", "done"),
    )
    deeds = [(one.by, one.what) for one in load_deeds(house.store, 9)]
    assert deeds == [("dana", "undo"), ("dana", "apply"), ("dana", "apply"), ("respond", "plan")]


def test_what_others_did_since_shows_before_it_is_approved(
    house: DashboardHouse, sets: Sets
) -> None:
    made = plan(house)
    sets.foreign(0, BLOCKED)
    shop, edge = read(house, f"/plans/{made}/now")["outcomes"]
    assert (shop["added"], dict(shop["left_out"])) == (
        *([], {BLOCKED: "is in the set already, put there by others"}),
    )
    assert edge["added"] == [BLOCKED]


def test_a_set_that_cannot_be_read_is_named_and_holds_up_no_other(
    house: DashboardHouse, sets: Sets, tmp_path: Path
) -> None:
    made = plan(house)
    text = (tmp_path / "intel.yaml").read_text()
    (tmp_path / "intel.yaml").write_text(
        text.replace(f"ip_set_name: {sets.name}", "ip_set_name: gone", 1)
    )
    now = read(house, f"/plans/{made}/now")
    assert [one["target"] for one in now["outcomes"]] == ["edge"]
    ((target, why),) = now["failed"]
    assert (target, "'gone' is not in account" in why) == ("shop", True)


def test_without_the_lists_the_page_says_that_nothing_would_be_applied(
    house: DashboardHouse, sets: Sets, tmp_path: Path
) -> None:
    made = plan(house)
    text = (tmp_path / "intel.yaml").read_text()
    (tmp_path / "intel.yaml").write_text(text.replace("ranges: []", "files: [gone.txt]", 1))
    assert "gone.txt cannot be read" in read(house, f"/plans/{made}/now")["problem"]
    assert "Nothing would be" in house.page(f"/intel-plan?id={made}").text
    house.now += timedelta(hours=2)
    assert read(house, f"/plans/{made}/now") is None
