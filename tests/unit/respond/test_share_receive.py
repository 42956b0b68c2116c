"""Events of other accounts: taken in once, or set aside with the reason; nothing is ever listed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_postgresql import database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sharing import BOUNDS, HOUR, NOON, OTHER, SENDER, STRANGER, body, envelope, indicator

from bartizan.respond.candidates import score
from bartizan.respond.share.event import MOST_BYTES
from bartizan.respond.share.heard import MOST, hear
from bartizan.respond.share.receive import Fault, judge, take
from bartizan.store import Store
from bartizan.store import intel_sharing as sharing_store
from bartizan.store.intel_sharing import load_listed, load_rejected, load_said

ONE, TWO = "203.0.113.7/32", "2001:db8:7::/64"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.db'}")


def test_what_an_allowed_account_says_is_evidence_until_it_ends(store: Store) -> None:
    event = body(envelope([indicator(ONE, hours=4), indicator(TWO, hours=24 * 99)]))
    assert judge(store, event, BOUNDS, NOON).fault is None
    assert load_said(store, NOON) == []
    verdict = take(store, event, BOUNDS, NOON)
    assert (verdict.account, verdict.fault, len(verdict.said)) == (SENDER, None, 2)

    said = {str(one.candidate.network): one for one in load_said(store, NOON)}
    assert said[ONE].until == NOON + 4 * HOUR
    assert said[TWO].until == NOON + timedelta(days=14)
    evidence = said[ONE].candidate.evidence
    assert (evidence.requests, evidence.blocked, evidence.uris, evidence.hours) == (
        *(1000, 900),
        *(40, 7),
    )
    assert evidence.rules == ("other", "sqli")
    assert evidence.reasons == (f"account {SENDER}",)
    assert said[ONE].candidate.score == score(evidence) > 0
    assert [str(one.candidate.network) for one in load_said(store, NOON + 4 * HOUR)] == [TWO]
    assert load_listed(store) == {}
    assert load_rejected(store, 9) == []


def altered(**detail: Any) -> bytes:
    event = envelope([indicator(ONE)])
    event["detail"].update(detail)
    return body(event)


BAD: dict[str, tuple[Fault, str, Callable[[], bytes]]] = {
    "nobody's account": (
        Fault.FORGED,
        f"account {STRANGER} is not among `accounts`",
        lambda: body(envelope([indicator(ONE)], STRANGER)),
    ),
    "one account in the name of another": (
        Fault.FORGED,
        f"account {OTHER} speaks for {SENDER}",
        lambda: body(envelope([indicator(ONE)], account=SENDER) | {"account": OTHER}),
    ),
    "content changed on the way": (
        Fault.FORGED,
        "the event id is not that of its content",
        lambda: altered(tlp="clear"),
    ),
    "from last week": (
        Fault.REPLAYED,
        "is of 2026-11-13T12:00:00Z, longer ago than `max_age`",
        lambda: body(envelope([indicator(ONE)], at=NOON - timedelta(days=7))),
    ),
    "too much": (
        Fault.OVERSIZED,
        f"{MOST_BYTES + 1} bytes are more than {MOST_BYTES}",
        lambda: body(envelope([indicator(ONE)])).ljust(MOST_BYTES + 1),
    ),
    "another source": (
        Fault.MALFORMED,
        "source: Input should be 'custom.waflogs'",
        lambda: body(envelope([indicator(ONE)], source="aws.waf")),
    ),
    "another type": (
        Fault.MALFORMED,
        "detail-type: Input should be 'Bartizan Blocked Addresses v1'",
        lambda: body(envelope([indicator(ONE)], **{"detail-type": "v2"})),
    ),
    "no JSON": (Fault.MALFORMED, "it: Invalid JSON", lambda: b"\xff\xfe<xml/>"),
    "nothing": (Fault.MALFORMED, "it: Invalid JSON", lambda: b""),
    "a tower of brackets": (Fault.MALFORMED, "it: Invalid JSON", lambda: b"[" * MOST_BYTES),
    "a number without end": (
        Fault.MALFORMED,
        "it: Invalid JSON: number out of range",
        lambda: body(envelope([indicator(ONE)])).replace(b": 1000,", b": " + b"9" * 9999 + b","),
    ),
    "a key that hides": (
        Fault.MALFORMED,
        "detail.\\u202e\\x1b".replace("\\x1b", "\\u001b"),
        lambda: altered(**{"\u202e\x1b[2J": 1}),
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_forged_replayed_oversized_or_malformed_is_set_aside(
    store: Store, what: str
) -> None:
    fault, why, make = BAD[what]
    verdict = take(store, make(), BOUNDS, NOON)
    assert verdict.fault is fault
    assert verdict.why.startswith(why)
    assert verdict.said == ()
    assert load_said(store, NOON) == []
    (row,) = load_rejected(store, 9)
    assert (row["fault"], row["why"], row["times"]) == (fault, verdict.why, 1)
    assert (row["size"], len(row["raw"]) <= 4096, row["raw"].isprintable()) == (
        *(len(make()), True),
        True,
    )
    take(store, make(), BOUNDS, NOON + HOUR / 12)
    (row,) = load_rejected(store, 9)
    assert row["times"] == 2


def test_the_same_event_counts_once(store: Store) -> None:
    event = body(envelope([indicator(ONE)]))
    assert take(store, event, BOUNDS, NOON).fault is None
    again = take(store, event, BOUNDS, NOON + HOUR)
    assert again.fault is Fault.REPLAYED
    assert "was received before" in again.why
    assert len(load_said(store, NOON)) == 1


def test_a_run_of_yesterday_that_is_made_again_loses_nothing_of_today(store: Store) -> None:
    today = body(envelope([indicator(ONE)], at=NOON))
    assert take(store, today, BOUNDS, NOON - timedelta(days=1)).fault is None
    assert take(store, today, BOUNDS, NOON + timedelta(days=400)).fault is Fault.REPLAYED
    assert len(load_said(store, NOON)) == 1


def test_an_account_holds_no_more_than_its_share_of_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing_store, "MOST_SAID", 3)
    weak = [indicator(f"203.0.113.{n}/32", blocked=n) for n in range(1, 6)]
    take(store, body(envelope(weak)), BOUNDS, NOON)
    take(store, body(envelope([indicator(TWO)], OTHER)), BOUNDS, NOON)
    kept = [str(one.candidate.network) for one in load_said(store, NOON)]
    assert kept == [TWO, "203.0.113.3/32", "203.0.113.4/32", "203.0.113.5/32"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_receivers_take_an_event_in_once(
    store: Store, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing_store, "MOST_SAID", 2)
    monkeypatch.setattr(sharing_store, "MOST_REJECTED", 1)
    told = [indicator(ONE), indicator(TWO), indicator("203.0.113.8/32", blocked=1)]
    event, both = body(envelope(told)), threading.Barrier(2)
    found: list[Fault | None] = []

    def work(store: Store) -> None:
        both.wait(10)
        found.append(take(store, event, BOUNDS, NOON).fault)

    with ExitStack() as stack:
        if kind == "postgresql":
            url = stack.enter_context(database())
            store = Store.open(url.replace("postgresql://", "postgresql+psycopg://"))
            stack.callback(store.engine.dispose)
        workers = [threading.Thread(target=work, args=(store,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sorted(found, key=str) == [None, Fault.REPLAYED]
        assert [str(one.candidate.network) for one in load_said(store, NOON)] == [TWO, ONE]
        assert take(store, b"{}", BOUNDS, NOON + HOUR).fault is Fault.MALFORMED
        assert [row["fault"] for row in load_rejected(store, 9)] == ["malformed"]


def test_what_was_said_later_stays_whatever_comes_later(store: Store) -> None:
    later = envelope([indicator(ONE, hours=9)], at=NOON)
    earlier = envelope([indicator(ONE, hours=2), indicator(TWO, hours=2)], at=NOON - HOUR)
    for event in (later, earlier):
        assert take(store, body(event), BOUNDS, NOON).fault is None
    until = {str(one.candidate.network): one.until for one in load_said(store, NOON)}
    assert until == {ONE: NOON + 9 * HOUR, TWO: NOON + 2 * HOUR}
    take(
        store,
        body(envelope([indicator(TWO, hours=99)], at=NOON + 3 * HOUR)),
        BOUNDS,
        NOON + 10 * HOUR,
    )
    assert [str(one.candidate.network) for one in load_said(store, NOON)] == [TWO]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_nothing_that_arrives_stops_a_receiver(store: Store, data: st.DataObject) -> None:
    good = body(envelope([indicator(ONE)]))
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    bad = good[:start] + data.draw(st.binary(max_size=20)) + good[end:]
    verdict = take(store, bad, BOUNDS, NOON)
    assert verdict.fault is not None or verdict.account == SENDER


def test_only_the_newest_that_were_set_aside_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing_store, "MOST_REJECTED", 3)
    for number in range(5):
        take(store, b"no event %d" % number, BOUNDS, NOON + number * HOUR)
    assert [row["raw"] for row in load_rejected(store, 9)] == [
        *["no event 4", "no event 3", "no event 2"]
    ]


def test_an_account_that_says_much_crowds_out_nobody(store: Store) -> None:
    flood = [indicator(f"198.18.{n}.1/32", blocked=1000, hours=200) for n in range(MOST + 30)]
    take(store, body(envelope(flood)), BOUNDS, NOON)
    take(store, body(envelope([indicator(ONE), indicator(TWO)], OTHER)), BOUNDS, NOON)
    heard = hear(store, [], NOON)
    by_account = [one.evidence.reasons for one in heard.candidates]
    assert by_account.count((f"account {SENDER}",)) == MOST
    assert by_account.count((f"account {OTHER}",)) == 2


def test_accounts_that_agree_are_each_a_reason(store: Store) -> None:
    take(store, body(envelope([indicator(ONE, hours=2)])), BOUNDS, NOON)
    take(store, body(envelope([indicator(ONE, hours=6, blocked=950)], OTHER)), BOUNDS, NOON)
    (candidate,) = hear(store, [], NOON).candidates
    assert candidate.evidence.blocked == 950
    assert candidate.evidence.reasons == (f"account {SENDER}", f"account {OTHER}")
    assert hear(store, [], NOON).until[candidate.network] == NOON + 6 * HOUR
    assert hear(store, [candidate], NOON).candidates == ()
