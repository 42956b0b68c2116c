"""The store: what is written twice is there once, and what is refused leaves no trace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from incidents import DAY_START, STEP, anomaly, incident
from sqlalchemy import create_engine, select, update

from bartizan.config import store_in
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.landing import Batch, BatchCounts, LogObject
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store import Store
from bartizan.store.aggregates import mark_built, pending_hours
from bartizan.store.database import insert_new, upsert
from bartizan.store.incidents import (
    IncidentChange,
    load_incidents,
    oldest_open,
    replace_incidents,
    save_explanation,
    unexplained,
)
from bartizan.store.landing import (
    add_batches,
    changed_within,
    finish,
    known_versions,
    load_batch,
    totals,
    unpublished,
)
from bartizan.store.messages import entries
from bartizan.store.outbox import Message
from bartizan.store.tables import built_hours, schema_version

TODAY = Window(DAY_START, DAY_START + DAY)
DETECTOR = "waf_blocked_requests"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(store_in(tmp_path))


def batch(*names: str) -> Batch:
    return Batch.of(LogObject(f"file:///raw/{name}", "1", 10) for name in names)


def built(store: Store) -> dict[str, int]:
    with store.transaction() as connection:
        return {row.hour: row.sequence for row in connection.execute(select(built_hours))}


def hour_row(hour: str, sequence: int) -> dict[str, object]:
    return {"table_name": "agg", "hour": hour, "sequence": sequence}


def changes(store: Store) -> dict[str, int]:
    return {one.incident.id: one.change for one in load_incidents(store)}


def found(position: int, measure: str = "blocked", **of_anomaly: float) -> Incident:
    return incident([anomaly(position, {"country": "NL"}, **of_anomaly)], measure=measure)


# --- writing twice ---------------------------------------------------------------------------


def test_insert_new_keeps_what_is_there_and_counts_the_rest(store: Store) -> None:
    with store.transaction() as connection:
        assert insert_new(connection, built_hours, []) == 0
        assert insert_new(connection, built_hours, [hour_row("a", 1), hour_row("b", 1)]) == 2
        assert insert_new(connection, built_hours, [hour_row("b", 9), hour_row("c", 9)]) == 1
    assert built(store) == {"a": 1, "b": 1, "c": 9}


def test_upsert_replaces_what_is_there(store: Store) -> None:
    with store.transaction() as connection:
        upsert(connection, built_hours, [])
        upsert(connection, built_hours, [hour_row("a", 1), hour_row("b", 1)])
        upsert(connection, built_hours, [hour_row("b", 9), hour_row("c", 9)])
    assert built(store) == {"a": 1, "b": 9, "c": 9}


def test_a_transaction_that_fails_leaves_no_trace(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        upsert(connection, built_hours, [hour_row("a", 1)])
        _ = 1 / 0
    assert built(store) == {}


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    url = store_in(tmp_path)
    with Store.open(url).transaction() as connection:
        connection.execute(update(schema_version).values(version=2))
    with pytest.raises(UsageError, match="has schema version 2, this release reads 1"):
        Store.open(url)


# --- landing ---------------------------------------------------------------------------------


def test_registered_batches_come_back_as_they_were(store: Store) -> None:
    one, two = batch("a", "b"), batch("c")
    add_batches(store, [one, two])
    assert unpublished(store) == sorted([one.id, two.id])
    assert load_batch(store, one.id) == one
    wanted = [item.uri for item in batch("b", "c", "d").objects]
    assert known_versions(store, wanted) == {"file:///raw/b": "1", "file:///raw/c": "1"}
    with pytest.raises(UsageError, match="'nowhere' is not registered"):
        load_batch(store, "nowhere")


def test_batches_with_an_object_that_is_taken_change_nothing(store: Store) -> None:
    add_batches(store, [batch("a", "b")])
    with pytest.raises(UsageError, match="registered one of its objects first"):
        add_batches(store, [batch("c"), batch("b", "d")])
    assert unpublished(store) == [batch("a", "b").id]
    assert known_versions(store, ["file:///raw/c", "file:///raw/d"]) == {}


def test_of_two_workers_that_plan_the_same_objects_one_wins(store: Store) -> None:
    together = Barrier(2, timeout=30)

    def work(names: str) -> str:
        together.wait()
        try:
            add_batches(store, [batch(*names)])
        except UsageError:
            return "lost"
        return names

    with ThreadPoolExecutor(2) as pool:
        outcome = set(pool.map(work, ("abc", "cde")))
    assert "lost" in outcome
    (winner,) = outcome - {"lost"}
    assert unpublished(store) == [batch(*winner).id]


def test_a_finished_batch_announces_its_hours_once(store: Store) -> None:
    one = batch("a")
    hours = [DAY_START, DAY_START + HOUR]
    add_batches(store, [one])
    done = replace(one, counts=BatchCounts(records=10, requests=7, duplicates=1, quarantined=2))
    finish(store, done, hours)
    first = pending_hours(store, "agg")
    finish(store, done, hours)
    assert pending_hours(store, "agg") == first
    assert list(first) == hours
    assert changed_within(store, Window(DAY_START, DAY_START + HOUR)) == hours[:1]
    assert unpublished(store) == []
    assert totals(store) == done.counts


def test_an_hour_is_due_again_only_after_another_batch_changed_it(store: Store) -> None:
    one, two = batch("a"), batch("b")
    add_batches(store, [one, two])
    finish(store, one, [DAY_START, DAY_START + HOUR])
    mark_built(store, "agg", pending_hours(store, "agg"))
    assert pending_hours(store, "agg") == {}
    finish(store, two, [DAY_START + HOUR])
    assert list(pending_hours(store, "agg")) == [DAY_START + HOUR]
    assert list(pending_hours(store, "agg", built_too=True)) == [DAY_START, DAY_START + HOUR]
    assert list(pending_hours(store, "other")) == [DAY_START, DAY_START + HOUR]


# --- incidents -------------------------------------------------------------------------------


def test_an_incident_found_as_it_was_keeps_its_number_and_explanation(store: Store) -> None:
    one, two = found(10), found(20)
    assert replace_incidents(store, DETECTOR, TODAY, [one, two]) == [one.id, two.id]
    assert save_explanation(store, one, 1)
    assert replace_incidents(store, DETECTOR, TODAY, [two, one]) == []
    assert changes(store) == {one.id: 1, two.id: 1}
    assert [known.incident.id for known in unexplained(store)] == [two.id]
    assert load_incidents(store)[0].incident == one


def test_a_changed_incident_gets_the_next_number_and_awaits_its_explanation(store: Store) -> None:
    one, two = found(10), found(20)
    replace_incidents(store, DETECTOR, TODAY, [one, two])
    save_explanation(store, one, 1)
    worse = found(10, value=240.0)
    assert worse.id == one.id
    assert replace_incidents(store, DETECTOR, TODAY, [worse, two]) == [one.id]
    assert changes(store) == {one.id: 2, two.id: 1}
    assert one.id in {known.incident.id for known in unexplained(store)}
    assert not save_explanation(store, one, 1)  # explained too late: it is another one now
    assert one.id in {known.incident.id for known in unexplained(store)}
    assert replace_incidents(store, DETECTOR, TODAY, [one, two]) == [one.id]
    assert changes(store) == {one.id: 3, two.id: 1}


def test_a_change_of_the_state_alone_keeps_the_explanation(store: Store) -> None:
    one = found(10)
    replace_incidents(store, DETECTOR, TODAY, [one])
    save_explanation(store, one, 1)
    assert oldest_open(store, DETECTOR) == one.window.start
    resolved = replace(one, state=IncidentState.RESOLVED)
    for window, expected in ((TODAY, [one.id]), (TODAY, [])):
        assert replace_incidents(store, DETECTOR, window, [resolved]) == expected
    (known,) = load_incidents(store)
    assert known == IncidentChange(resolved, 2, explained=True)
    assert oldest_open(store, DETECTOR) is None


def test_only_incidents_of_the_detector_that_start_in_the_window_are_withdrawn(
    store: Store,
) -> None:
    early, late = found(0), found(12)
    other = replace(found(0, measure="bytes"), detector="other")
    replace_incidents(store, DETECTOR, TODAY, [early, late])
    replace_incidents(store, "other", TODAY, [other])

    second_hour = Window(DAY_START + 12 * STEP, DAY_START + 24 * STEP)
    assert replace_incidents(store, DETECTOR, second_hour, []) == [late.id]
    assert set(changes(store)) == {early.id, other.id}
    before = Window(DAY_START - HOUR, DAY_START)
    replace_incidents(store, DETECTOR, before, [])
    assert set(changes(store)) == {early.id, other.id}
    everything = load_incidents(store, withdrawn=True)
    assert {one.incident.id: one.change for one in everything} == {
        early.id: 1,
        other.id: 1,
        late.id: 2,
    }


def test_a_store_of_an_earlier_build_gains_columns_and_keeps_its_rows(tmp_path: Path) -> None:
    url = store_in(tmp_path)
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql(
            "create table outbox (incident_id varchar(36) not null, change integer not null, "
            "channel varchar(32) not null, state varchar(16) not null, attempts integer not null, "
            "payload_id varchar(512) not null, receipt text not null, "
            "primary key (incident_id, change, channel))"
        )
        connection.exec_driver_sql(
            "insert into outbox values ('i', 1, 'slack', 'delivered', 1, 'slack/i/1.json', 'r')"
        )
    for _ in range(2):
        found = entries(Store.open(url))
        assert [(one.message, one.receipt, one.reason) for one in found] == [
            (Message("i", 1, "slack"), "r", "")
        ]


@pytest.mark.parametrize(
    "url", ["nonsense", "nobody://x", "postgresql+nodriver://x/y", "sqlite:////no/such/folder/x.db"]
)
def test_a_store_that_cannot_be_opened(url: str) -> None:
    with pytest.raises(UsageError, match="BARTIZAN_STORE: cannot be opened"):
        Store.open(url)
