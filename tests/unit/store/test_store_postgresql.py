"""The store on a real PostgreSQL: the same as on SQLite, also when workers meet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from engine_postgresql import database, run, with_user
from incidents import DAY_START, anomaly, incident
from sqlalchemy import func, select

from bartizan.config import store_in
from bartizan.errors import UsageError
from bartizan.model.landing import Batch, BatchCounts, BatchState, LogObject
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store import Store
from bartizan.store.aggregates import mark_built, pending_hours
from bartizan.store.database import insert_new, upsert
from bartizan.store.incidents import load_incidents, replace_incidents
from bartizan.store.landing import Taken, add_batches, finish, load_batch, totals, unpublished
from bartizan.store.lock import locked
from bartizan.store.tables import built_hours, metadata

WORKERS = 6
HOLDER = """
import sys, time
from bartizan.store import Store
from bartizan.store.lock import locked
with locked(Store.open(sys.argv[1]), "shop"):
    print("held", flush=True)
    time.sleep(60)
"""
T = TypeVar("T")


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def url() -> Iterator[str]:
    with database() as found:
        yield found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(sqlalchemy_url(url))
    yield opened
    opened.engine.dispose()


def at_once(work: Callable[[int], T]) -> list[T]:
    """Results of the work of all workers, which begin together."""
    together = Barrier(WORKERS, timeout=30)

    def begin(worker: int) -> T:
        together.wait()
        return work(worker)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(begin, range(WORKERS)))


def batch(*names: str) -> Batch:
    return Batch.of(LogObject(f"s3://logs/{name}", "1", 3 * 2**30) for name in names)


@pytest.mark.parametrize("backend", ["postgresql", "sqlite"])
def test_workers_open_a_new_store_at_once(backend: str, url: str, tmp_path: Path) -> None:
    there = sqlalchemy_url(url) if backend == "postgresql" else store_in(tmp_path)
    for opened in at_once(lambda _: Store.open(there)):
        with opened.transaction() as connection:
            assert {table.name for table in metadata.sorted_tables} == set(
                opened.engine.dialect.get_table_names(connection)
            )
        opened.engine.dispose()


def test_of_many_rows_the_new_ones_are_counted(store: Store) -> None:
    def rows(first: int, last: int, sequence: int) -> list[dict[str, object]]:
        return [
            {"table_name": "agg", "hour": f"{hour:06}", "sequence": sequence}
            for hour in range(first, last)
        ]

    count = select(func.count(), func.sum(built_hours.c.sequence)).select_from(built_hours)
    with store.transaction() as connection:
        assert insert_new(connection, built_hours, rows(0, 3_000, 1)) == 3_000
        assert insert_new(connection, built_hours, rows(2_000, 5_000, 7)) == 2_000
        assert insert_new(connection, built_hours, rows(2_000, 5_000, 7)) == 0
        assert connection.execute(count).one() == (5_000, 3_000 + 7 * 2_000)
        upsert(connection, built_hours, rows(4_000, 6_000, 2))
        assert connection.execute(count).one() == (6_000, 3_000 + 7 * 1_000 + 2 * 2_000)


def test_of_workers_that_plan_the_same_objects_one_wins(store: Store) -> None:
    """Each has an object of its own and two that others want too, named in another order."""
    batches = [batch(f"own-{worker}", *("ab" if worker % 2 else "ba")) for worker in range(WORKERS)]

    def plan(worker: int) -> Batch | None:
        try:
            add_batches(store, [batches[worker]])
        except Taken:
            return None
        return batches[worker]

    (winner,) = [one for one in at_once(plan) if one]
    assert unpublished(store) == [winner.id]
    assert load_batch(store, winner.id) == winner


def test_workers_finish_batches_of_the_same_hours_at_once(store: Store) -> None:
    hours = [DAY_START + n * HOUR for n in range(24)]
    batches = [batch(f"{worker}") for worker in range(WORKERS)]
    add_batches(store, batches)
    counts = BatchCounts(records=10, requests=7, duplicates=1, quarantined=2)

    def work(worker: int) -> None:
        turned = hours if worker % 2 else hours[::-1]
        finish(store, replace(batches[worker], counts=counts), turned)
        mark_built(store, "agg", pending_hours(store, "agg"))

    at_once(work)
    mark_built(store, "agg", pending_hours(store, "agg"))
    assert pending_hours(store, "agg") == {}
    assert list(pending_hours(store, "other")) == hours
    assert totals(store) == BatchCounts(*(WORKERS * n for n in (10, 7, 0, 1, 2)))
    assert load_batch(store, batches[0].id).state is BatchState.PUBLISHED


def test_incidents_come_back_whatever_attackers_wrote(store: Store) -> None:
    hostile = "'; drop table incidents; --\x00\u202e\U0001f600\r\n\\N%s{}"
    found = incident([anomaly(3, {"uri": hostile})], samples=({"user-agent": hostile},))
    assert replace_incidents(store, found.detector, Window(DAY_START, DAY_START + DAY), [found])
    (known,) = load_incidents(store)
    assert known.incident.anomalies == found.anomalies
    assert known.incident.window.end - known.incident.window.start == timedelta(minutes=5)


def test_a_database_that_shuts_out_is_told_without_its_password(url: str) -> None:
    run(url, "create role reader login password 's3cret'")
    try:
        for password, problem in (
            ("s3cret", "permission denied for schema public"),
            ("wr0ng", "password authentication failed"),
        ):
            with pytest.raises(UsageError, match=f"cannot be opened: .*{problem}") as caught:
                Store.open(sqlalchemy_url(with_user(url, "reader", password)))
            assert password not in str(caught.value)
    finally:
        run(url, "drop role reader")


@pytest.mark.parametrize("backend", ["postgresql", "sqlite"])
def test_a_lock_has_one_holder_and_other_names_do_not_wait(
    backend: str, url: str, tmp_path: Path
) -> None:
    there = sqlalchemy_url(url) if backend == "postgresql" else store_in(tmp_path)
    inside, most = 0, 0

    def work(_worker: int) -> None:
        nonlocal inside, most
        opened = Store.open(there)
        for _ in range(5):
            with locked(opened, "shop"):
                inside += 1
                most = max(most, inside)
                with locked(opened, f"other-{_worker}"):
                    inside -= 1
        opened.engine.dispose()

    at_once(work)
    assert (inside, most) == (0, 1)


@pytest.mark.parametrize("backend", ["postgresql", "sqlite"])
def test_a_lock_outlives_no_holder(backend: str, url: str, tmp_path: Path) -> None:
    """Neither one that fails nor one that is killed."""
    there = sqlalchemy_url(url) if backend == "postgresql" else store_in(tmp_path)
    opened = Store.open(there)
    with pytest.raises(ValueError, match="within"), locked(opened, "shop"):
        raise ValueError("within")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, there], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with locked(opened, "shop"):
        pass
    opened.engine.dispose()
