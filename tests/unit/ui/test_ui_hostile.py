"""What attackers wrote into a request, and what people typed, stays text in every view."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dashboard_house import DashboardHouse, attack

from bartizan.model.anomaly import Explanation, RootCause
from bartizan.model.evidence import Evidence, FirstSeen, Query
from bartizan.model.landing import BatchState
from bartizan.store.audit import load_audit
from bartizan.store.incidents import save_explanation
from bartizan.store.landing import set_state
from bartizan.store.validations import CheckResult, save_results
from bartizan.ui import Visitor

SCRIPT, IMAGE = "\"'><script>alert(1)</script>", "<img src=x onerror=alert(1)>"
HOSTILE = f"{SCRIPT}{IMAGE}{{{{ 7 * 7 }}}}\u202e\x1b[31m\u2028&amp;"
SAMPLE = dict.fromkeys(("client_ip", "country", "action", "rule", "uri", "args", "host"), HOSTILE)


def incidents(house: DashboardHouse) -> str:
    """Two open ones, every text of them hostile; returns the id of the first."""
    cause = RootCause((("webacl", HOSTILE), ("rule", HOSTILE)), 360.0, 18.0, 93)
    first, second = attack(12, HOSTILE, HOSTILE), attack(80, HOSTILE, "other")
    seen, query = FirstSeen(HOSTILE, HOSTILE, 30, True), Query(HOSTILE, HOSTILE)
    house.found(first, second)
    explained = replace(
        first,
        samples=(SAMPLE,),
        explanation=Explanation((cause,), 50.0, 49.0, True),
        evidence=Evidence(None, (seen,), (query,)),
    )
    save_explanation(house.store, explained, 1)
    return first.id


def batch(house: DashboardHouse) -> str:
    uri = f"s3://logs/WAFLogs/{HOSTILE}/2026/11/16/05/00/{HOSTILE}.gz"
    found = house.lands((uri, 10, 0, 0), publish=False)
    save_results(house.store, found.id, [CheckResult(HOSTILE, HOSTILE, "fail", False, HOSTILE)])
    set_state(house.store, found, BatchState.REJECTED, HOSTILE)
    return found.id


def test_it_is_shown_as_text_and_nothing_of_it_becomes_an_element(house: DashboardHouse) -> None:
    incident, rejected = incidents(house), batch(house)
    house.visitor = Visitor(HOSTILE, may_write=True)
    for said in ("acknowledge", "confirmed"):
        answer = {"kind": said, "why": HOSTILE}
        assert house.post(f"/api/v1/incidents/{incident}/answers", answer).status_code == 200
    shown = 0
    for path in (
        "/",
        f"/incident?id={incident}",
        f"/answer?id={incident}&kind=expected",
        "/health?day=2026-11-16",
        f"/batch?id={rejected}",
        "/detectors",
        "/audit",
    ):
        page = house.page(path)
        for one in (*page.all("script"), *page.all("img")):
            assert (one["src"] or "").startswith("static/"), path
        assert not {"\u202e", "\x1b", "\u2028"} & set(page.text), path
        shown += page.text.count(SCRIPT)
    assert shown >= 20
    assert load_audit(house.store)[0].by == HOSTILE


@pytest.mark.parametrize("path", ["/incident", "/batch", "/answer", "/run", "/health", "/nothing"])
def test_what_stands_in_an_address_stays_text(house: DashboardHouse, path: str) -> None:
    incident = incidents(house)
    for name in ("id", "kind", "dag_id", "done", "day"):
        usual = {"id": incident, "kind": "confirmed"}
        answer = house.client.get(path, params=usual | {name: HOSTILE})
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
