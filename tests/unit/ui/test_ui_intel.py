from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from dashboard_house import READER, WRITER, DashboardHouse
from intel_scene import ACCOUNT, EDGE, SHOP, TELLS, heard, holds, planned

from bartizan import jobs
from bartizan.orchestration import approval
from bartizan.store.audit import load_audit
from bartizan.store.intel_audit import Deed, is_stopped, load_deeds, save_deed
from bartizan.ui import Visitor
from bartizan.ui.data.intel_answers import Option
from bartizan.ui.guard import HEADER

ENTITLED = Visitor("dana", may_write=True, may_block=True)
HOUR = timedelta(hours=1)
RUN = "scheduled__2026-11-16T12:40:00+00:00"


def answer_path(plan_id: str) -> str:
    return f"/api/v1/intel/plans/{plan_id}/answer"


def view(house: DashboardHouse) -> dict[str, Any]:
    found: dict[str, Any] = house.client.get("/api/v1/intel").json()
    return found


@pytest.fixture
def house(house: DashboardHouse, monkeypatch: pytest.MonkeyPatch) -> DashboardHouse:
    house.visitor = ENTITLED
    return house


def test_without_a_file_it_says_how_to_begin(house: DashboardHouse) -> None:
    page = house.page("/intel")
    assert "Blocking is off" in page.text
    assert "Nothing is blocked by us" in page.text
    assert view(house)["sets"] == []


def test_entries_of_every_account_with_what_expires_first(house: DashboardHouse) -> None:
    now, one, two, three = house.now, "203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32"
    ends = {one: now + 4 * HOUR, two: now + HOUR / 2, three: now - HOUR / 6}
    holds(house.store, SHOP, now - HOUR, ends)
    holds(house.store, EDGE, now - HOUR, {"2001:db8::7/128": now + HOUR})
    found = view(house)
    edge, shop = found["sets"]
    assert [(entry["network"], entry["state"]) for entry in shop["entries"]] == [
        *[(three, "overdue"), (two, "expiring"), (one, "active")]
    ]
    assert (shop["account"], shop["held"], shop["of"], shop["size"]) == (ACCOUNT, 3, 10_000, 4)
    assert (shop["expiring"], shop["overdue"], edge["expiring"]) == (1, 1, 1)
    assert (edge["region"], edge["mode"], edge["changes"]) == ("global", "dry-run", False)
    assert (found["blocked"], found["held"], found["expiring"]) == (4, 4, 3)
    page = house.page("/intel")
    assert "4 addresses are blocked for a while" in page.text
    assert page.text.index(three) < page.text.index(two) < page.text.index(one)


def test_what_others_say_is_told_apart(house: DashboardHouse) -> None:
    ours, held, only = "203.0.113.7/32", "203.0.113.1/32", "198.51.100.9/32"
    planned(house.store, house.now, (ours, only))
    holds(house.store, SHOP, house.now, {held: house.now + HOUR})
    heard(house.store, house.now, held, only)
    said = {one["network"]: one for one in view(house)["heard"]}
    assert {name: one["listed"] for name, one in said.items()} == {held: True, only: False}
    assert (said[only]["account"], said[only]["blocked"]) == (TELLS, 300)
    (plan,) = view(house)["plans"]
    (diff,) = house.client.get(f"/api/v1/intel/plans/{plan['id']}").json()["diffs"]
    assert [(line["network"], line["heard_from"]) for line in diff["lines"]] == [
        *[(ours, []), (only, [TELLS])]
    ]
    house.now += 6 * HOUR
    assert view(house)["heard"] == []


def test_a_plan_shows_its_diff_with_evidence_and_what_it_refused(house: DashboardHouse) -> None:
    why = "never blocked: partner 203.0.113.9/32"
    plan = planned(house.store, house.now, refused={"203.0.113.9/32": why})
    page = house.page(f"/intel-plan?id={plan.id}")
    for text in (
        "203.0.113.7/32",
        "3 requests allowed before",
        "1,200 of 1,212 requests stopped, in 9 h, on 41 paths",
        "0.0012% of last week's allowed requests",
        why,
    ):
        assert text in page.text
    assert [one["src"] for one in page.all("script")][-2:] == [
        *["static/intel.js", "static/dashboard.js"]
    ]


def test_a_plan_waits_for_two_hours_unless_rejected(house: DashboardHouse) -> None:
    first = planned(house.store, house.now)
    empty = planned(house.store, house.now + HOUR / 60, add=())
    second = planned(house.store, house.now + HOUR)
    jobs.reject_intel(second.id, "dana", house.now, "no")

    def states() -> dict[str, str]:
        return {one["id"]: one["state"] for one in view(house)["plans"]}

    usual = {second.id: "rejected", empty.id: "nothing to do"}
    assert states() == {**usual, first.id: "waits"}
    house.now += 2 * HOUR
    assert states() == {**usual, first.id: "lapsed"}
    assert list(states()) == [second.id, empty.id, first.id]
    page = house.page(f"/intel-plan?id={first.id}")
    assert "Nobody approved it within two hours" in page.text
    assert page.all("form") == []


@pytest.mark.parametrize("option", list(Option))
def test_an_answer_is_noted_and_given_by_airflow(house: DashboardHouse, option: Option) -> None:
    plan = planned(house.store, house.now)
    body = {"option": option.value, "run_id": RUN}
    given = house.post(answer_path(plan.id), body).json()
    assert given["call"] == {
        "method": "PATCH",
        "path": "dags/respond/dagRuns/scheduled__2026-11-16T12%3A40%3A00%2B00%3A00"
        "/taskInstances/approve/-1/hitlDetails",
        "body": {"chosen_options": [option.value], "params_input": {}},
    }
    (noted,) = load_audit(house.store)
    assert (noted.by, noted.action, noted.subject) == (
        "dana",
        option.value.lower(),
        f"plan {plan.id}",
    )
    assert (noted.before, noted.outcome) == ("waits", f"answer to run {RUN}")
    assert [one.what for one in load_deeds(house.store, 9)] == ["plan"]


def test_the_options_are_those_of_the_dag() -> None:
    assert {one.value for one in Option} == {approval.APPROVE, approval.REJECT}


def test_a_run_id_cannot_name_another_call(house: DashboardHouse) -> None:
    plan = planned(house.store, house.now)
    body = {"option": "Approve", "run_id": "../../variables/x?a=b#"}
    path = house.post(answer_path(plan.id), body).json()["call"]["path"]
    assert path.split("/")[2:4] == ["dagRuns", "..%2F..%2Fvariables%2Fx%3Fa%3Db%23"]


def test_what_does_not_wait_cannot_be_answered(house: DashboardHouse) -> None:
    plan = planned(house.store, house.now)
    approve = {"option": "Approve", "run_id": RUN}
    for body in ({"option": "Maybe", "run_id": RUN}, {"option": "Approve", "run_id": ""}, {}):
        assert house.post(answer_path(plan.id), body).status_code == 422
    assert house.post(answer_path("nothing"), approve).status_code == 400
    assert load_audit(house.store) == []
    jobs.switch_intel(True, "dana", "why", house.now)
    refused = house.post(answer_path(plan.id), approve)
    assert (refused.status_code, "the switch is thrown" in refused.text) == (400, True)
    assert house.post(answer_path(plan.id), approve | {"option": "Reject"}).status_code == 200
    jobs.switch_intel(False, "dana", "why", house.now)
    house.now += 2 * HOUR
    assert house.post(answer_path(plan.id), approve).status_code == 400
    assert [one.outcome.split(":")[0] for one in load_audit(house.store)] == [
        *["refused", f"answer to run {RUN}".split(":")[0], "refused"]
    ]


def test_the_switch_says_what_it_changes_then_does_it(house: DashboardHouse) -> None:
    planned(house.store, house.now)
    holds(house.store, SHOP, house.now, {"203.0.113.1/32": house.now + HOUR})
    asked = house.page("/intel-deed?kind=stop")
    assert "Plans that wait now (1) cannot be applied" in asked.text
    assert "What is blocked (1) stays until it expires" in asked.text
    assert not is_stopped(house.store)
    form = {"kind": "stop", "why": "false alarms"}
    assert house.client.post("/intel-deed", data=form).status_code == 403
    done = house.client.post("/intel-deed", data=form | {"token": house.token()})
    assert (done.status_code, done.headers["location"]) == (303, "intel?done=stop")
    assert is_stopped(house.store)
    assert "since the switch is thrown" in house.page("/intel?done=stop").text
    assert "stopped already" in house.page("/intel-deed?kind=stop").text
    house.post("/api/v1/intel/deeds/resume", {"why": "solved"})
    assert not is_stopped(house.store)
    deeds = [(one.by, one.what, one.detail) for one in load_deeds(house.store, 2)]
    assert deeds == [("dana", "resume", "solved"), ("dana", "stop", "false alarms")]
    noted = [(one.action, one.by, one.outcome) for one in load_audit(house.store)]
    assert noted == [("resume", "dana", "done"), ("stop", "dana", "done")]


def test_a_setting_that_stops_it_is_named(
    house: DashboardHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_RESPOND", "Of")
    assert view(house)["stopped"] == "BARTIZAN_RESPOND says 'Of'"
    assert not view(house)["switched_off"]


@pytest.mark.parametrize("visitor", [READER, WRITER])
def test_who_may_not_answer_respond_changes_nothing_and_asks_nobody(
    house: DashboardHouse, visitor: Visitor
) -> None:
    """Not even who may write: what is blocked is another right."""
    plan = planned(house.store, house.now)
    change = holds(house.store, SHOP, house.now, {"203.0.113.1/32": house.now + HOUR})
    house.visitor = visitor
    headers = {HEADER: house.token()}
    for path, body in (
        (answer_path(plan.id), {"option": "Approve", "run_id": RUN}),
        ("/api/v1/intel/deeds/undo", {"id": change}),
        ("/api/v1/intel/deeds/stop", {}),
        ("/api/v1/intel/deeds/resume", {}),
    ):
        assert house.client.post(path, json=body, headers=headers).status_code == 403
    form = {"kind": "stop", "token": house.token()}
    assert house.client.post("/intel-deed", data=form).status_code == 403
    for path in (
        "/intel-deed?kind=stop",
        f"/intel-deed?kind=undo&id={change}",
        "/intel-candidates",
        f"/api/v1/intel/plans/{plan.id}/now",
    ):
        assert house.client.get(path).status_code == 403
    for path in ("/intel", f"/intel-plan?id={plan.id}"):
        assert house.page(path).all("form") == []
    assert not is_stopped(house.store)
    assert load_audit(house.store) == []


def test_what_is_unknown_is_told_so(house: DashboardHouse) -> None:
    for path, status in (
        ("/intel-plan?id=nothing", 400),
        ("/intel-deed?kind=undo&id=nothing", 400),
        ("/intel-deed?kind=nothing", 422),
        ("/intel-plan", 422),
    ):
        assert house.client.get(path).status_code == status
    assert house.post("/api/v1/intel/deeds/undo", {"id": "nothing"}).status_code == 400
    assert load_audit(house.store)[0].outcome.startswith("refused: ")


def test_texts_of_others_stay_text(house: DashboardHouse) -> None:
    script = "\"'><script>alert(1)</script>"
    hostile = f"{script}<img src=x onerror=alert(1)>{{{{ 7 * 7 }}}}\u202e\x1b[31m"
    plan = planned(house.store, house.now, refused={"203.0.113.9/32": hostile}, rules=(hostile,))
    holds(house.store, SHOP, house.now, {"203.0.113.7/32": house.now + HOUR})
    heard(house.store, house.now, "203.0.113.8/32", families=(hostile,))
    save_deed(house.store, Deed(house.now, hostile, "reject", hostile, hostile))
    house.visitor = Visitor(hostile, may_write=True, may_block=True)
    shown = 0
    for path in ("/intel", f"/intel-plan?id={plan.id}", "/intel-deed?kind=stop"):
        page = house.page(path)
        for one in (*page.all("script"), *page.all("img")):
            assert (one["src"] or "").startswith("static/"), path
        assert not {"\u202e", "\x1b"} & set(page.text), path
        shown += page.text.count(script)
    assert shown >= 8
    for name in ("id", "kind", "done"):
        for path in ("/intel", "/intel-plan", "/intel-deed"):
            answer = house.client.get(path, params={"kind": "undo", "id": plan.id, name: hostile})
            assert "<script>alert" not in answer.text
