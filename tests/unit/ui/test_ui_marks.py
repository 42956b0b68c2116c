"""Deploys that people tell of and blocks of IP sets, beside what was unusual."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from commands import bartizan_command
from dashboard_house import DAY_START, DETECTOR, READER, DashboardHouse
from intel_scene import SHOP, holds
from score_house import HOSTILE, scored

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.audit import load_audit

WHOLE = Window(DAY_START, DAY_START + DAY)
SERIES = [("shop", "SQLi"), ("blog", "XSS")]
ODD = {(0, 30): (90.0, 95.0, "spike")}
ASKED = {"window": "2026-11-16/2026-11-17"}
ONE = {**ASKED, "detector": DETECTOR, "where": ["webacl:shop", "rule:SQLi"]}
TOLD = {"at": "2026-11-16T02:30:00Z", "what": "shop 4.2"}


@pytest.fixture(autouse=True)
def scores(house: DashboardHouse) -> None:
    scored(DETECTOR, WHOLE, SERIES, ODD)


def marks(house: DashboardHouse, view: str = "explorer", **asked: Any) -> list[tuple[str, str]]:
    """Kind and text of each mark that a view shows."""
    found = house.client.get(f"/api/v1/{view}", params=ASKED | asked).json()["marks"]
    return [(one["kind"], one["text"]) for one in found]


def test_a_deploy_is_told_once_seen_and_taken_back(house: DashboardHouse) -> None:
    told = house.post("/api/v1/marks", TOLD).json()
    again = house.post("/api/v1/marks", {**TOLD, "at": "2026-11-16T03:30:00+01:00"}).json()
    assert (told["saved"], again["saved"], again["id"]) == (True, False, told["id"])
    [listed] = house.client.get("/api/v1/marks").json()
    assert (listed["at"], listed["what"], listed["by"]) == (TOLD["at"], "shop 4.2", "anna")
    for view in ("explorer", "series"):
        assert marks(house, view, **ONE) == [("deploys", "shop 4.2, by anna")], view
    page = house.client.get("/explorer", params=ASKED).text
    assert page.count('class="mark deploys"') == 1
    assert 'class="deploys"' in house.client.get("/series", params=ONE).text
    removed = house.post(f"/api/v1/marks/{told['id']}/remove").json()
    assert removed["what"] == "shop 4.2"
    assert marks(house) == []
    assert [(one.action, one.by, one.outcome) for one in load_audit(house.store)] == [
        ("unmark", "anna", "done"),
        ("mark", "anna", "done"),
        ("mark", "anna", "done"),
    ]


def test_a_form_marks_and_leads_back_to_what_was_looked_at(house: DashboardHouse) -> None:
    query = "window=2026-11-16/2026-11-17&by=rule&where=webacl:shop"
    form = {"token": house.token(), "query": query, **TOLD, "at": "2026-11-16T02:30"}
    answer = house.client.post("/mark", data=form)
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert target.startswith("explorer?window=2026-11-16%2F2026-11-17")
    page = house.page(f"/{target.partition('#')[0]}")
    [remove] = [one for one in page.all("form") if one["action"] == "unmark"]
    assert remove["method"] == "post"
    known = jobs.list_deploys()
    assert [one["at"] for one in known] == ["2026-11-16T02:30:00Z"]
    form = {"token": house.token(), "query": query, "id": known[0]["id"]}
    assert house.client.post("/unmark", data=form).status_code == 303
    assert jobs.list_deploys() == []


def test_a_form_cannot_lead_elsewhere(house: DashboardHouse) -> None:
    for query in ("//attacker.example", "a\r\nSet-Cookie: b=c", "#x", "x" * 4000):
        form = {"token": house.token(), "query": query, **TOLD}
        answer = house.client.post("/mark", data=form)
        assert answer.headers["location"].startswith("explorer?")
        assert "set-cookie" not in answer.headers


def test_it_is_shown_with_its_own_detector_and_web_acl_only(house: DashboardHouse) -> None:
    at = DAY_START + 2 * HOUR
    jobs.mark_deploy(at, "everywhere")
    jobs.mark_deploy(at, "of the shop", webacl="shop")
    jobs.mark_deploy(at, "of the blog", webacl="blog")
    jobs.mark_deploy(at, "of another", detector="waf_labels")
    jobs.mark_deploy(at + DAY, "tomorrow")
    everywhere, shop, blog = "everywhere", "of the shop (shop)", "of the blog (blog)"
    assert [text for _, text in marks(house)] == [everywhere, blog, shop]
    assert [text for _, text in marks(house, where="webacl:shop")] == [everywhere, shop]
    assert [text for _, text in marks(house, "series", **ONE)] == [everywhere, shop]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_told_stays_text(house: DashboardHouse, text: str) -> None:
    assert house.post("/api/v1/marks", {**TOLD, "what": text, "webacl": text}).status_code == 200
    for view, asked in (("explorer", ASKED), ("series", {**ONE, "where": ()})):
        page = house.client.get(f"/{view}", params=asked).text
        assert "<script>window" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page
    assert text.strip() in marks(house)[0][1]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"what": " "}, 400),
        ({"what": "x" * 201}, 422),
        ({"what": "a\0b"}, 400),
        ({"detector": "nothing"}, 400),
        ({"at": "9999-12-31T23:59:59Z"}, 400),
        ({"at": "yesterday"}, 422),
    ],
)
def test_what_is_no_deploy_is_refused(
    house: DashboardHouse, wrong: dict[str, str], status: int
) -> None:
    assert house.post("/api/v1/marks", TOLD | wrong).status_code == status
    assert jobs.list_deploys() == []


def test_an_unknown_one_cannot_be_taken_back(house: DashboardHouse) -> None:
    answer = house.post("/api/v1/marks/nothing/remove")
    assert (answer.status_code, "is unknown" in answer.json()["detail"]) == (400, True)
    assert load_audit(house.store)[0].outcome.startswith("refused")


def test_who_may_only_look_sees_marks_and_no_form(house: DashboardHouse) -> None:
    house.post("/api/v1/marks", TOLD)
    house.visitor = READER
    page = house.page("/explorer?window=2026-11-16/2026-11-17")
    assert "shop 4.2" in page.text
    assert [one for one in page.all("form") if one.get("method") == "post"] == []


def test_what_was_blocked_is_marked(house: DashboardHouse) -> None:
    end = DAY_START + 5 * HOUR
    ends = {"203.0.113.1/32": end, "203.0.113.2/32": end}
    holds(house.store, SHOP, DAY_START + 3 * HOUR, ends)
    assert marks(house) == [("blocks", "2 blocked in shop-v4 (apply by dana)")]
    assert marks(house, window="2026-11-15/2026-11-16") == []


def test_a_column_names_the_first_marks_and_counts_the_rest(house: DashboardHouse) -> None:
    for minute in range(8):
        jobs.mark_deploy(DAY_START + timedelta(minutes=minute), f"build {minute}")
    page = house.client.get("/explorer", params=ASKED).text
    assert 'title="build 0, build 1, build 2, build 3, build 4, and 3 more"' in page


def test_the_command_marks_lists_and_removes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], house: DashboardHouse
) -> None:
    run = bartizan_command(monkeypatch, capsys, "mark")
    words = ("deploy", "--at", TOLD["at"], "--what", "shop\u202e 4.2", "--by", "ci")
    code, said, _ = run(*words)
    assert (code, said.splitlines()[1]) == (0, "saved")
    assert run(*words)[1].splitlines()[1] == "known"
    [line] = run("list")[1].splitlines()
    assert line.endswith("2026-11-16T02:30:00Z  shop\\u202e 4.2, by ci")
    assert marks(house) == [("deploys", "shop\u202e 4.2, by ci")]
    assert run("remove", line.split()[0])[0] == 0
    assert run("list")[1] == "no deploys\n"
    assert run("remove", "nothing")[0] == 2
    with pytest.raises(UsageError, match="is empty"):
        jobs.mark_deploy(DAY_START, "")
