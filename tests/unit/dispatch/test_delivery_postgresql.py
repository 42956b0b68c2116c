"""Delivery over a store in PostgreSQL, where transactions of dispatchers truly run at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from dispatch_house import HIGH, DispatchHouse, Recorder
from engine_postgresql import database

from bartizan.dispatch.channels.base import Outcome
from bartizan.dispatch.health import check_health
from bartizan.dispatch.rulebook import NO_CHANGE, CatchUp, Flapping, Rule
from bartizan.model.anomaly import IncidentState
from bartizan.model.handling import HandlingKind
from bartizan.model.health import HEALTH
from bartizan.model.hub_word import HubWord
from bartizan.model.period import Period
from bartizan.store import Store
from bartizan.store.hub_words import forget_words, keep_word, load_words
from bartizan.store.incidents import load_incidents

WORKERS = 4
INCIDENTS = [replace(HIGH, id=f"{number:036d}") for number in range(12)]


@pytest.fixture
def store() -> Iterator[Store]:
    with database() as url:
        opened = Store.open(url.replace("postgresql://", "postgresql+psycopg://"))
        yield opened
        opened.engine.dispose()


def test_dispatchers_at_once_send_each_message_once(store: Store, tmp_path: Path) -> None:
    houses = [DispatchHouse(tmp_path, store) for _ in range(WORKERS)]
    channels = [{"a": Recorder(), "b": Recorder()} for _ in range(WORKERS)]
    houses[0].found(*INCIDENTS)
    together = Barrier(WORKERS, timeout=30)

    def work(number: int) -> int:
        together.wait()
        return len(houses[number].dispatch(channels[number]).delivered)

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(work, range(WORKERS))) == 2 * len(INCIDENTS)
    keys = Counter(key for mine in channels for one in mine.values() for key in one.keys)
    assert keys == Counter({(1, one.id): 2 for one in INCIDENTS})


def test_what_did_not_arrive_is_superseded_or_tried_again(store: Store, tmp_path: Path) -> None:
    house = DispatchHouse(tmp_path, store)
    house.found(*INCIDENTS)
    busy = Recorder(lambda one: Outcome.transient("busy"))
    for _ in INCIDENTS:
        house.dispatch({"a": busy})
        house.clock.turn(seconds=1)
    changed = [replace(one, severity=50.0) for one in INCIDENTS[:4]]
    house.found(*changed, *INCIDENTS[4:])
    house.clock.turn(minutes=10)
    up = Recorder()
    assert len(house.dispatch({"a": up}).delivered) == len(INCIDENTS)
    assert Counter(change for change, _ in up.keys) == {1: 8, 2: 4}
    assert Counter(house.states()) == {
        (1, "superseded"): 4,
        (1, "delivered"): 8,
        (2, "delivered"): 4,
    }


def test_digests_health_and_what_waits_work_there_too(store: Store, tmp_path: Path) -> None:
    house = DispatchHouse(tmp_path, store)
    house.found(HIGH)
    rules = (
        Rule(channels=frozenset({"b"})),
        Rule(channels=frozenset({"a"}), wait=timedelta(hours=1), worse_by=NO_CHANGE),
    )
    a, broken, daily = Recorder(), Recorder(lambda one: Outcome.permanent("no")), Recorder()
    for _ in range(4):
        digests = {"daily": Period.DAILY}
        channels = {"a": a, "b": broken, "daily": daily}
        house.dispatch(channels, rules=rules, digests=digests)
        check_health(store, {}, house.clock.now)
        house.clock.turn(minutes=30)
    health = load_incidents(store, detector=HEALTH)
    assert [one.incident.measure for one in health] == ["dead_messages"]
    assert a.keys[0] == (1, HIGH.id)
    assert set(a.keys) == {(1, HIGH.id), (1, health[0].incident.id)}
    assert len(daily.sent) == 1
    assert daily.sent[0].payload["by_severity"]["CRITICAL"] == 1


def test_flapping_and_what_people_did_work_there_too(store: Store, tmp_path: Path) -> None:
    house, chat = DispatchHouse(tmp_path, store), Recorder()
    options = {"flapping": Flapping(frozenset({"a"})), "catch_up": CatchUp(), "confirms": ["a"]}
    house.clock.now = HIGH.window.end
    for state in (IncidentState.OPEN, IncidentState.RESOLVED) * 4:
        house.found(replace(HIGH, state=state))
        house.dispatch({"a": chat}, **options)
    assert [change for change, _ in chat.keys] == [1, 2, 3, 4, 5, 6, 7]
    house.found(HIGH)
    house.handle(HandlingKind.ACKNOWLEDGE)
    house.dispatch({"a": chat}, **options)
    (said,) = (one for one in chat.sent if one.about)
    assert said.payload["text"] == "Acknowledged by Ada: known scanner"

    first, second = (HubWord.of(HIGH.id, "NOTIFIED", note, "ada") for note in ("x", "y"))
    for word in (first, second):
        keep_word(store, "hub", word)
    assert load_words(store, "hub") == {HIGH.id: second}
    forget_words(store, "hub", [HIGH.id])
    assert load_words(store, "hub") == {}
