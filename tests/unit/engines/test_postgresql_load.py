"""Database load: real sessions that wait for each other on a real server, seen by the sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from threading import Thread

import psycopg
import pytest
from engine_postgresql import database, run, with_user
from hypothesis import given
from hypothesis import strategies as st

from bartizan.config import PROJECT
from bartizan.crawl import load_connector
from bartizan.crawl.database_load import sample
from bartizan.crawl.statements import digest, without_literals
from bartizan.engines.connections import PostgreSQL
from bartizan.engines.postgresql import PostgreSQLEngine
from bartizan.errors import TransientError, UsageError
from bartizan.model.window import Window

CONNECTOR = PROJECT / "examples" / "database_load" / "connectors" / "database_load"
INTERVAL = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 0, 5, tzinfo=UTC))
SECRET = "S3CRET"
WAITS = f"update orders set note = '{SECRET}' where id = 4711 /* {SECRET} */"
PLAIN = "update orders set note = ? where id = ?"


@pytest.fixture
def url() -> Iterator[str]:
    with database() as found:
        run(found, "create table orders as select 4711 as id, 'none' as note")
        yield found


class Contention:
    """A session that runs WAITS while another session has the row locked."""

    def __init__(self, url: str, options: str = "") -> None:
        self._holder = psycopg.connect(url)
        self._holder.execute("update orders set note = note")
        self._waiter = psycopg.connect(url, options=options)
        self._thread = Thread(target=self._waiter.execute, args=(WAITS,))
        self._thread.start()
        seen = "select 1 from pg_stat_activity where pid = %s and wait_event = 'transactionid'"
        with psycopg.connect(url, autocommit=True) as watch:
            waiter = [self._waiter.info.backend_pid]
            assert any(watch.execute(seen, waiter).rowcount for _ in range(100_000))

    def end(self) -> None:
        """The holder commits, and the waiter has what it waited for."""
        self._holder.commit()
        self._thread.join(timeout=30)
        self._waiter.commit()
        self._holder.close()
        self._waiter.close()


def at_pause(number: int, action: Callable[[], object]) -> Callable[[float], None]:
    """What the sampler does instead of waiting: nothing, and at the numbered pause the action."""
    pauses = iter(range(1, 10_000))

    def pause(_: float) -> None:
        if next(pauses) == number:
            action()

    return pause


def loads(url: str) -> dict[tuple[str, str], Decimal]:
    """Average active sessions by wait and plain statement, all looks put into one interval."""
    with psycopg.connect(url) as connection:
        ((first,),) = connection.execute("select min(ts) from bartizan.activity_tick").fetchall()
        shift = first - INTERVAL.start.replace(tzinfo=None)
        for table in ("activity_tick", "activity_sample"):
            connection.execute(f"update bartizan.{table} set ts = ts - %s", [shift])
    connector = load_connector(CONNECTOR)
    found = PostgreSQLEngine(PostgreSQL(url)).query(connector.query, INTERVAL, "query.sql")
    assert set(found["timestamp"].to_pylist()) == {INTERVAL.start.replace(tzinfo=None)}
    return {
        (row["wait"], row["sql"].partition(" ")[2]): row["aas"]
        for row in found.to_pylist()
        if row["database"] in ("", url.split("/")[3].partition("?")[0])
    }


@pytest.mark.parametrize("options", ["", "-c compute_query_id=off"], ids=["by id", "by text"])
def test_a_session_that_waits_half_of_the_time_is_half_a_session(url: str, options: str) -> None:
    contention = Contention(url, options)
    assert sample(url, 40, pause=at_pause(20, contention.end)) == 40
    found = loads(url)
    assert found == {("Lock: transactionid", PLAIN): Decimal("0.5000")}


def test_no_literal_is_kept_and_both_counts_find_the_statement(url: str) -> None:
    contention = Contention(url)
    sample(url, 3, pause=at_pause(2, contention.end))
    with psycopg.connect(url) as connection:
        everything = [
            str(row)
            for table in ("activity_tick", "activity_sample", "activity_statement")
            for row in connection.execute(f"select * from bartizan.{table}")
        ]
        ids = connection.execute("select digest from bartizan.activity_statement").fetchall()
    assert len(everything) == 3 + 2 + 1
    assert not any(literal in row for row in everything for literal in (SECRET, "4711"))
    assert ids != [(digest(PLAIN, None),)]  # the server's own id was there


def test_looks_at_an_idle_server_are_a_zero_and_old_ones_go(url: str) -> None:
    contention = Contention(url)
    sample(url, 1)
    contention.end()
    sample(url, 4, every=2, keep=timedelta(0), pause=lambda _: None)
    assert loads(url) == {("Idle", ""): Decimal("0.0000")}
    with psycopg.connect(url) as connection:
        for table, left in (("tick", 2), ("sample", 0), ("statement", 0)):
            (count,) = connection.execute(
                f"select count(*) from bartizan.activity_{table}"
            ).fetchone() or (None,)
            assert (table, count) == (table, left)


def test_the_sampler_waits_between_its_looks(url: str) -> None:
    waits: list[float] = []
    sample(url, 5, every=0.5, pause=waits.append)
    assert len(waits) == 9
    assert all(0 < later - sooner <= 0.5 for sooner, later in pairwise(waits))
    assert waits[0] <= 0.5


def test_who_may_not_see_is_told_and_a_server_that_goes_is_no_end(url: str) -> None:
    run(url, "create role reader login password 'x'")
    try:
        reader = with_user(url, "reader", "x")
        with pytest.raises(UsageError, match="own sessions only — grant pg_monitor to reader"):
            sample(reader, 1)
        run(url, "grant pg_monitor to reader")
        with pytest.raises(UsageError, match="permission denied"):
            sample(reader, 1)
    finally:
        run(url, "drop role reader")
    gone = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
    mine = f"{gone} and datname = current_database()"
    with pytest.raises(TransientError, match="database load: "):
        sample(url, 5, pause=lambda _: run(url, mine))


# --- statements ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "plain"),
    [
        (
            "SELECT  a.b,\n c1::int FROM t WHERE x = 'y' -- z",
            "select a.b, c1::int from t where x = ?",
        ),
        ("select 1, -1.5e-3, .5, 0xff, 1_000, $1", "select ?, - ?"),
        ("select f(x) from t where a in (1, 2, 3)", "select f (x) from t where a in (?)"),
        ('select "A ""b", u&"c" from "S"."T"', 'select "A ""b", u&"c" from "S"."T"'),
        ("select E'a\\'b' || 'it''s' || $x$ $$ $x$", "select ? || ? || ?"),
        ("", ""),
    ],
)
def test_plain_statements(statement: str, plain: str) -> None:
    assert without_literals(statement) == plain


LITERALS = st.sampled_from(
    [
        f"'{SECRET}'",
        f"'it''s {SECRET}'",
        f"E'\\'{SECRET}'",
        f"'\\' {SECRET} '",
        f"U&'\\0041{SECRET}'",
        f"$${SECRET}$$",
        f"$q$ $$ {SECRET} $q$",
        f"/* {SECRET} /* {SECRET} */ {SECRET} */ 1",
        f"1 -- {SECRET}\n",
        f"0x{SECRET}",
        f"1{SECRET}",
        f"$1{SECRET}",
        f"N'{SECRET}\n{SECRET}'",
        "42",
        '"name"',
    ]
)


@given(st.lists(LITERALS, min_size=1, max_size=6), st.integers(0, 400))
def test_no_literal_is_shown_wherever_a_statement_is_cut(literals: list[str], cut: int) -> None:
    statement = f"select {', '.join(literals)} from t where a = {' || '.join(literals)}"[:cut]
    assert "S3" not in without_literals(statement)
    assert without_literals(statement) == without_literals(statement.replace("SECRET", "OTHER"))
