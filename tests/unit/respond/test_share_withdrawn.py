"""What another account takes back: heard no more, in whatever order its events come."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from engine_postgresql import database
from sharing import (
    BOUNDS,
    HOUR,
    NOON,
    OTHER,
    SENDER,
    STRANGER,
    body,
    envelope,
    indicator,
    withdrawal,
)

from bartizan.respond.share.receive import Fault, judge, take
from bartizan.store import Store
from bartizan.store import intel_sharing as sharing_store
from bartizan.store import intel_withdrawn as withdrawn_store
from bartizan.store.intel_sharing import load_said
from bartizan.store.intel_withdrawn import load_withdrawn

ONE, TWO = "203.0.113.7/32", "2001:db8:7::/64"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.db'}")


def heard(store: Store) -> set[tuple[str, str]]:
    return {(str(one.candidate.network), one.account) for one in load_said(store, NOON)}


def test_only_what_the_account_itself_said_goes_and_once(store: Store) -> None:
    for account in (SENDER, OTHER):
        take(store, body(envelope([indicator(ONE), indicator(TWO)], account)), BOUNDS, NOON)
    back = body(withdrawal([ONE], at=NOON + HOUR))
    assert judge(store, back, BOUNDS, NOON + HOUR).withdrawn is not None
    assert len(heard(store)) == 4
    assert take(store, back, BOUNDS, NOON + HOUR).fault is None
    assert heard(store) == {(TWO, SENDER), (TWO, OTHER), (ONE, OTHER)}
    assert take(store, back, BOUNDS, NOON + HOUR).fault is Fault.REPLAYED
    assert len(heard(store)) == 3


def altered(**detail: object) -> bytes:
    event = withdrawal([ONE])
    return body(event | {"detail": event["detail"] | detail})


WRONG = {
    "a stranger": (Fault.FORGED, body(withdrawal([ONE], STRANGER))),
    "in the name of another": (Fault.FORGED, body(withdrawal([ONE]) | {"account": OTHER})),
    "changed on the way": (Fault.FORGED, altered(networks=[TWO, ONE])),
    "of last week": (Fault.REPLAYED, body(withdrawal([ONE], at=NOON - timedelta(days=7)))),
    "of nothing": (Fault.MALFORMED, altered(networks=[])),
    "of no network": (Fault.MALFORMED, altered(networks=["0/0"])),
    "with a word more": (Fault.MALFORMED, altered(entries=[])),
    "as the other type": (
        Fault.MALFORMED,
        body(withdrawal([ONE], **{"detail-type": "Bartizan Blocked Addresses v1"})),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_takes_nothing_back(store: Store, what: str) -> None:
    take(store, body(envelope([indicator(ONE)])), BOUNDS, NOON)
    fault, event = WRONG[what]
    assert take(store, event, BOUNDS, NOON).fault is fault
    assert heard(store) == {(ONE, SENDER)}


@pytest.mark.parametrize("order", permutations(range(3)), ids=str)
def test_the_last_word_holds_in_whatever_order_they_come(
    store: Store, order: tuple[int, ...]
) -> None:
    said = [
        envelope([indicator(ONE), indicator(TWO)], at=NOON - 3 * HOUR),
        withdrawal([ONE, TWO], at=NOON - 2 * HOUR),
        envelope([indicator(TWO)], at=NOON - HOUR),
    ]
    for number in order:
        assert take(store, body(said[number]), BOUNDS, NOON).fault is None
    assert heard(store) == {(TWO, SENDER)}


@pytest.mark.parametrize("seed", range(8))
def test_a_network_is_heard_of_when_that_was_said_last(store: Store, seed: int) -> None:
    """Each word, to list or to take back, is an hour later than the one before."""
    chance = random.Random(seed)
    words = [chance.random() < 0.5 for _ in range(6)]
    times = [NOON - (9 - number) * HOUR for number in range(len(words))]
    events = [
        envelope([indicator(ONE)], at=at) if lists else withdrawal([ONE], at=at)
        for lists, at in zip(words, times, strict=True)
    ]
    for event in chance.sample(events, len(events)):
        take(store, body(event), BOUNDS, NOON)
    assert bool(heard(store)) is words[-1]


def test_two_receivers_do_not_pass_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """One takes in an old word, and while it does, another what takes it back."""
    old = body(envelope([indicator(ONE)], at=NOON - HOUR))
    back = body(withdrawal([ONE]))
    with database() as url:
        store = Store.open(url.replace("postgresql://", "postgresql+psycopg://"))
        other = threading.Thread(target=take, args=(store, back, BOUNDS, NOON))
        looks = sharing_store.withdrawn_at

        def meanwhile(*asked: Any) -> dict[str, str]:
            found = looks(*asked)
            other.start()
            other.join(0.5)
            return found

        monkeypatch.setattr(sharing_store, "withdrawn_at", meanwhile)
        assert take(store, old, BOUNDS, NOON).fault is None
        other.join()
        assert heard(store) == set()
        store.engine.dispose()


def test_it_is_remembered_as_long_as_older_words_may_come(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawn_store, "MOST_KEPT", 2)
    take(store, body(withdrawal([ONE])), BOUNDS, NOON)
    assert {str(one) for one in load_withdrawn(store, NOON + 23 * HOUR)} == {ONE}
    assert load_withdrawn(store, NOON + 24 * HOUR) == {}
    later = withdrawal([f"203.0.113.{n}/32" for n in range(20, 25)], at=NOON + HOUR)
    take(store, body(later), BOUNDS, NOON + HOUR)
    assert len(load_withdrawn(store, NOON + HOUR)) == 2
