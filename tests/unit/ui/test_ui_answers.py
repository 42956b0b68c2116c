"""What an answer changes is shown first; giving it does that, and is noted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dashboard_house import READER, WRITER, DashboardHouse, attack

from bartizan import jobs
from bartizan.store.audit import load_audit
from bartizan.store.feedback import load_feedback
from bartizan.store.handling import load_handling
from bartizan.ui import Visitor

SQLI, AGAIN, LOGIN = attack(12), attack(100), attack(60, "blog", "Login")


def answers(of: str) -> str:
    return f"/api/v1/incidents/{of}/answers"


def test_looking_at_what_an_answer_changes_changes_nothing(house: DashboardHouse) -> None:
    house.found(SQLI, AGAIN, LOGIN)
    found = house.client.get(f"{answers(SQLI.id)}/false_alarm").json()
    assert {name for name, _ in found["removed"]} == {SQLI.id, AGAIN.id}
    assert (found["altered"], found["refused"]) == (0, "")
    page = house.page(f"/answer?id={SQLI.id}&kind=false_alarm")
    assert found["effect"] in page.text
    assert f"incident?id={AGAIN.id}" in [one["href"] for one in page.all("a")]
    assert load_feedback(house.store) == []
    assert load_audit(house.store) == []


@pytest.mark.parametrize("kind", ["confirmed", "expected", "false_alarm", "new_normal"])
def test_feedback_is_saved_as_the_visitor_and_audited(house: DashboardHouse, kind: str) -> None:
    house.found(SQLI)
    body = {"kind": kind, "why": "a release", "cause": "software"}
    assert house.post(answers(SQLI.id), body).status_code == 200
    (said,) = load_feedback(house.store)
    assert (said.incident, said.kind, said.by, said.note) == (SQLI.id, kind, "anna", "a release")
    assert (said.cause, said.at) == ("software", house.now)
    (noted,) = load_audit(house.store)
    assert (noted.at, noted.by, noted.action) == (house.now, "anna", kind)
    assert (noted.subject, noted.outcome) == (f"incident {SQLI.id}", "done")
    assert (noted.before["feedback"], noted.after["feedback"]) == ("none", kind)


def test_withdrawn_feedback_stays_in_the_history(house: DashboardHouse) -> None:
    house.found(SQLI)
    house.post(answers(SQLI.id), {"kind": "false_alarm"})
    house.now += timedelta(hours=1)
    assert "Withdraw feedback" in house.page(f"/incident?id={SQLI.id}").text
    house.post(answers(SQLI.id), {"kind": "none"})
    assert [one.kind for one in load_feedback(house.store)] == ["false_alarm", "none"]
    assert "Withdraw feedback" not in house.page(f"/incident?id={SQLI.id}").text


def test_feedback_that_would_hide_a_confirmed_incident_is_refused_and_noted(
    house: DashboardHouse,
) -> None:
    house.found(SQLI, AGAIN)
    house.post(answers(AGAIN.id), {"kind": "confirmed"})
    assert "confirmed" in house.client.get(f"{answers(SQLI.id)}/false_alarm").json()["refused"]
    buttons = house.page(f"/answer?id={SQLI.id}&kind=false_alarm").all("button")
    assert ["disabled" in one for one in buttons] == [True]
    refused = house.post(answers(SQLI.id), {"kind": "false_alarm"})
    assert refused.status_code == 400
    assert AGAIN.id in refused.json()["detail"]
    assert [one.kind for one in load_feedback(house.store)] == ["confirmed"]
    noted = load_audit(house.store)[0]
    assert noted.outcome.startswith("refused: ")
    assert noted.after is None


def test_an_acknowledgement_and_a_snooze_hold_until_taken_back(house: DashboardHouse) -> None:
    house.found(SQLI)
    house.post(answers(SQLI.id), {"kind": "acknowledge", "why": "on it"})
    house.post(answers(SQLI.id), {"kind": "snooze", "why": "a test", "hours": 12})
    until = house.now + timedelta(hours=12)
    assert [(one.kind, one.by, one.why, one.until) for one in load_handling(house.store)] == [
        ("acknowledge", "anna", "on it", None),
        ("snooze", "anna", "a test", until),
    ]
    assert "Take back" in house.page(f"/incident?id={SQLI.id}").text
    house.post(answers(SQLI.id), {"kind": "resume"})
    shown = jobs.show_incident(SQLI.id, house.now)
    assert (shown["acknowledged"], shown["snoozed"]) == (None, None)
    newest = load_audit(house.store)[0]
    assert newest.action == "resume"
    assert newest.before["snoozed"]["why"] == "a test"
    assert newest.after["snoozed"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "snooze", "hours": 4}, 400),  # without a reason
        ({"kind": "snooze", "why": "x"}, 400),  # for no time
        ({"kind": "snooze", "why": "x", "hours": 90 * 24 + 1}, 422),
        ({"kind": "nothing"}, 400),
        ({"kind": "confirmed", "cause": "nothing"}, 400),
        ({"kind": "confirmed", "why": "x" * 501}, 422),
        ({"kind": "confirmed", "why": "a\0b"}, 422),
        ({}, 422),
    ],
)
def test_what_cannot_be_said_changes_nothing(
    house: DashboardHouse, body: dict[str, object], status: int
) -> None:
    house.found(SQLI)
    assert house.post(answers(SQLI.id), body).status_code == status
    assert load_handling(house.store) == []
    assert load_feedback(house.store) == []
    assert "done" not in [one.outcome for one in load_audit(house.store)]


@pytest.mark.parametrize("kind", ["resume", "confirmed"])
def test_an_answer_is_refused_where_somebody_else_answered_since_it_was_looked_at(
    house: DashboardHouse, kind: str
) -> None:
    house.found(SQLI)
    page = house.page(f"/answer?id={SQLI.id}&kind={kind}")
    form = {one["name"]: one["value"] for one in page.all("input") if "value" in one}
    house.visitor = Visitor("bela", may_write=True)
    snooze = {"kind": "snooze", "why": "a test", "hours": 12}
    assert house.post(answers(SQLI.id), snooze).status_code == 200
    house.visitor = WRITER
    refused = house.client.post("/answer", data=form)
    assert (refused.status_code, "somebody else" in refused.text) == (400, True)
    assert [one.kind for one in load_handling(house.store)] == ["snooze"]
    assert load_feedback(house.store) == []
    assert "somebody else" in load_audit(house.store)[0].outcome
    known = house.client.get(f"{answers(SQLI.id)}/{kind}").json()["others"]
    for _ in range(2):  # pressed twice
        assert house.client.post("/answer", data=form | {"others": known}).status_code == 303


def test_only_who_gave_an_answer_is_told_that_it_was_given(house: DashboardHouse) -> None:
    house.found(SQLI)
    done = f"/incident?id={SQLI.id}&done=acknowledge"
    assert "Acknowledged." not in house.page(done).text
    given = house.client.post(
        "/answer", data={"id": SQLI.id, "kind": "acknowledge", "token": house.token()}
    )
    assert f"/{given.headers['location']}" == done
    assert "Acknowledged." in house.page(done).text
    assert "Snoozed." not in house.page(done.replace("acknowledge", "snooze")).text
    house.visitor = READER
    assert "Acknowledged." not in house.page(done).text


def test_an_unknown_incident_is_told_so(house: DashboardHouse) -> None:
    assert house.post(answers("nothing"), {"kind": "acknowledge"}).status_code == 400
    assert house.client.get(f"{answers('nothing')}/confirmed").status_code == 400


def test_who_may_only_look_is_offered_nothing(house: DashboardHouse) -> None:
    house.found(SQLI)
    offered = [one["value"] for one in house.page(f"/incident?id={SQLI.id}").all("button")]
    assert {"acknowledge", "snooze", "confirmed", "false_alarm"} <= set(offered)
    house.visitor = READER
    for path in (f"/incident?id={SQLI.id}", f"/answer?id={SQLI.id}&kind=confirmed"):
        page = house.page(path)
        assert page.all("button") == []
        assert "the right to edit the DAG" in page.text


def test_the_audit_shows_who_changed_what_the_newest_first(house: DashboardHouse) -> None:
    assert "Nothing was changed yet" in house.page("/audit").text
    house.found(SQLI)
    house.post(answers(SQLI.id), {"kind": "acknowledge", "why": "on it"})
    house.now += timedelta(minutes=1)
    house.post(answers(SQLI.id), {"kind": "snooze", "hours": 4})
    page = house.page("/audit")
    assert page.text.index("snooze: has no reason") < page.text.index("acknowledge")
    assert f"incident?id={SQLI.id}" in [one["href"] for one in page.all("a")]
    found = house.client.get("/api/v1/audit?most=1").json()
    assert [one["action"] for one in found] == ["snooze"]
    assert house.client.get("/api/v1/audit?most=0").status_code == 422
