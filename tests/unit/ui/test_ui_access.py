"""Who may read and who may write: nobody without being let in, no write without a token of ours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dashboard_house import READER, WRITER, DashboardHouse, Page, attack
from fastapi import FastAPI
from fastapi.routing import APIRoute

from bartizan.store.audit import load_audit
from bartizan.store.handling import load_handling
from bartizan.ui.guard import HEADER

STORY = attack()
ACKNOWLEDGE = f"/api/v1/incidents/{STORY.id}/answers"
BODY = {"kind": "acknowledge", "why": "on it"}


def addresses(house: DashboardHouse) -> list[tuple[str, str]]:
    """Method and path of everything that is not a file of ours."""
    app = house.client.app
    assert isinstance(app, FastAPI)
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ]


def test_nobody_reads_or_writes_anything(house: DashboardHouse) -> None:
    house.visitor = None
    found = addresses(house)
    assert len(found) >= 15
    for method, path in found:
        assert house.client.request(method, path, json=BODY).status_code == 401, path


@pytest.mark.parametrize("path", ["/health/", "/api/v1/now/", "/static"])
def test_nobody_is_led_to_a_host_that_a_request_named(house: DashboardHouse, path: str) -> None:
    answer = house.client.get(path, headers={"Host": "attacker.example"})
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


def test_every_write_asks_for_the_right_and_a_token(house: DashboardHouse) -> None:
    """A read-only visitor has a token, and it does not help."""
    house.found(STORY)
    house.visitor = READER
    token = house.token()
    writes = [path for method, path in addresses(house) if method == "POST"]
    assert len(writes) >= 5
    for path in writes:
        answer = house.client.post(path, json=BODY, headers={HEADER: token})
        assert answer.status_code == 403, path
    house.visitor = WRITER
    for path in writes:
        assert house.client.post(path, json=BODY).status_code == 403, path
    assert load_audit(house.store) == []
    assert load_handling(house.store) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_cannot_write_with_a_good_token(
    house: DashboardHouse, headers: dict[str, str]
) -> None:
    house.found(STORY)
    answer = house.client.post(ACKNOWLEDGE, json=BODY, headers={HEADER: house.token(), **headers})
    assert answer.status_code == 403
    assert load_handling(house.store) == []


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}]
)
def test_our_own_page_can(house: DashboardHouse, headers: dict[str, str]) -> None:
    house.found(STORY)
    answer = house.client.post(ACKNOWLEDGE, json=BODY, headers={HEADER: house.token(), **headers})
    assert answer.status_code == 200
    assert [one.by for one in load_handling(house.store)] == ["anna"]


def test_tokens_of_others_and_old_ones_are_refused(house: DashboardHouse) -> None:
    house.found(STORY)
    house.visitor = READER
    of_another = house.token()
    house.visitor = WRITER
    old = house.token()
    assert house.post(ACKNOWLEDGE, BODY, of_another).status_code == 403
    assert house.post(ACKNOWLEDGE, BODY, "").status_code == 403
    house.now += timedelta(days=1, minutes=1)
    assert house.post(ACKNOWLEDGE, BODY, old).status_code == 403
    assert house.post(ACKNOWLEDGE, BODY).status_code == 200


def test_only_who_lacks_a_role_is_sent_to_ask_for_one(house: DashboardHouse) -> None:
    house.found(STORY)
    form = {"id": STORY.id, "kind": "acknowledge"}
    too_old = house.client.post("/answer", data=form)
    house.visitor = READER
    may_not = house.client.post("/answer", data=form)
    assert (too_old.status_code, may_not.status_code) == (403, 403)
    assert ("load its page again" in too_old.text, "role" in Page(too_old).text) == (True, False)
    assert "role" in Page(may_not).text


def test_a_form_carries_its_token_itself(house: DashboardHouse) -> None:
    house.found(STORY)
    form = {"id": STORY.id, "kind": "acknowledge"}
    assert house.client.post("/answer", data=form).status_code == 403
    answer = house.client.post("/answer", data=form | {"token": house.token()})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"incident?id={STORY.id}&done=acknowledge",
    )


def test_nobody_has_the_server_read_much(house: DashboardHouse) -> None:
    house.found(STORY)
    large = {"kind": "confirmed", "why": "x" * 20_000}
    for visitor in (None, READER, WRITER):
        house.visitor = visitor
        assert house.client.post(ACKNOWLEDGE, json=large).status_code == 413
        assert house.client.post("/answer", data=large).status_code == 413
        parts = (b"x" * 1000 for _ in range(20))  # without a length
        assert house.client.post("/answer", content=parts).status_code in (401, 403, 413)
