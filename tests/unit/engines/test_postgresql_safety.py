"""What a query of PostgreSQL cannot do, and what those are told who are shut out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pyarrow as pa
import pytest
from engine_postgresql import database, run, with_user

from bartizan.engines import postgresql
from bartizan.engines.connections import PostgreSQL
from bartizan.engines.guard import Admitted
from bartizan.engines.postgresql import PostgreSQLEngine
from bartizan.errors import ConfigError, TransientError, UsageError
from bartizan.model.window import Window

DAY = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
GIVEN = "select * from result order by 1"
IN_DAY = "where ts >= {{ start }} and ts < {{ end }}"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database() as found:
        yield found


@pytest.fixture(scope="module")
def engine(url: str) -> PostgreSQLEngine:
    return PostgreSQLEngine(PostgreSQL(url))


def test_given_hides_a_table_of_its_name_and_is_gone_afterwards(
    url: str, engine: PostgreSQLEngine
) -> None:
    run(url, "create table result as select 99 as n")
    rows = pa.table({"n": pa.array([1, 2], pa.int64())})
    assert engine.query(GIVEN, DAY, given={"result": rows}) == rows
    with pytest.raises(ConfigError, match="division by zero"):
        engine.query("select 1 / (n - 2) as x from result", DAY, given={"result": rows})
    assert engine.query(GIVEN, DAY, given={"other": rows})["n"].to_pylist() == [99]
    run(url, "drop table result")


def test_nothing_is_written_even_past_the_guard(
    url: str, engine: PostgreSQLEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(url, "create table kept as select 1 as n", "create sequence numbers")
    monkeypatch.setattr(postgresql, "admit", lambda query, *_: Admitted(query, ()))
    for query in (
        "delete from kept returning n",
        "with gone as (delete from kept returning n) select n from gone",
        "select n from kept; drop table kept",
        "select n from kept; commit; drop table kept",
        "select 1) x limit 0; drop table kept; select * from (select 1",
        "select 1) to stdout; drop table kept; --",
        "select nextval('numbers')",
        "select set_config('transaction_read_only', 'off', false)",
    ):
        with pytest.raises((ConfigError, UsageError)):
            engine.query(query, DAY)
        if ";" in query:
            with pytest.raises(ConfigError, match=r"multiple commands|syntax error"):
                engine.scans(query, DAY)
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (1,)
        assert connection.execute("select is_called from numbers").fetchone() == (False,)


def test_a_query_that_takes_too_long_is_ended_on_the_server(url: str) -> None:
    impatient = PostgreSQLEngine(PostgreSQL(url, timeout=timedelta(milliseconds=300)))
    with pytest.raises(TransientError, match="statement timeout — narrow the window"):
        impatient.query(_endless(), DAY, given=_many())
    assert not _runs_on(url)


def test_an_interrupted_query_is_ended_on_the_server(url: str, engine: PostgreSQLEngine) -> None:
    class TooLong(Exception):
        """What a scheduler's time limit raises from its signal handler."""

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TooLong):
            engine.query(_endless(), DAY, given=_many())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not _runs_on(url)


def test_a_session_that_the_server_ends_may_be_tried_again(
    url: str, engine: PostgreSQLEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended() -> None:
        run(
            url,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()",
        )

    copy = postgresql._copy
    monkeypatch.setattr(postgresql, "_copy", lambda *args: (ended(), copy(*args)))
    with pytest.raises(TransientError, match=r"terminating connection .* — run it again"):
        engine.query(GIVEN, DAY, given={"result": pa.table({"n": [1]})})


def _many() -> dict[str, pa.Table]:
    return {"many": pa.table({"n": pa.array(range(5_000), pa.int64())})}


def _endless() -> str:
    return "select count(*) as n from many a cross join many b cross join many c"


def _runs_on(url: str) -> bool:
    """Whether another session of this database is still at work; one that was ended may need a
    moment to go, one that was not needs hours."""
    with psycopg.connect(url, autocommit=True) as connection:
        return all(
            connection.execute(
                "select 1 from pg_stat_activity, pg_sleep(0.02) where state = 'active'"
                " and datname = current_database() and pid <> pg_backend_pid()"
            ).rowcount
            for _ in range(200)
        )


# --- set-up ----------------------------------------------------------------------------------

SECRET = "p@ss/w:rd%?#"


@pytest.fixture(scope="module")
def reader(url: str) -> Iterator[str]:
    """The URL of a role with a password that may read schema `open` alone."""
    run(
        url,
        f"create role reader login password '{SECRET}'",
        "create schema open",
        "create schema closed",
        "create table open.t as select timestamp '2026-11-01 05:00' as ts, 1 as n",
        "create table closed.t as select * from open.t",
        "grant usage on schema open, closed to reader",
        "grant select on open.t to reader",
    )
    yield with_user(url, "reader", SECRET)
    run(url, "drop owned by reader", "drop role reader")


def test_a_role_reads_what_it_may(reader: str) -> None:
    engine = PostgreSQLEngine(PostgreSQL(reader))
    assert engine.query(f"select n from open.t {IN_DAY}", DAY)["n"].to_pylist() == [1]
    with pytest.raises(UsageError, match="q: permission denied for table t — grant the role"):
        engine.query(f"select n from closed.t {IN_DAY}", DAY, "q")


def test_who_is_shut_out_is_told_why_and_never_the_password(url: str, reader: str) -> None:
    hostless = "postgresql://reader:{}@127.0.0.1:1/shop"
    for wrong, kind, problem in (
        (url.replace("/test_", "/nowhere_"), UsageError, 'database "nowhere_.*" does not exist'),
        (with_user(url, "nobody-here", SECRET), UsageError, 'role "nobody-here" does not exist'),
        (hostless.format("p%40ssword"), TransientError, "'shop'.*Connection refused"),
        (hostless.format("s3cret@word"), UsageError, "no libpq URI"),
        (hostless.format("s3cret word"), UsageError, "no libpq URI"),
        (url.replace("host=", "hosts=/s3cret&host="), UsageError, "no libpq URI"),
    ):
        with pytest.raises(kind, match=problem) as caught:
            PostgreSQLEngine(PostgreSQL(wrong)).query(f"select n from open.t {IN_DAY}", DAY)
        told = f"{caught.value} {caught.value.__cause__}"
        assert not any(part in told for part in (SECRET, "p%40ss", "p@ss", "s3cret", "word@"))


def test_a_wrong_password_is_no_reason_to_try_again(url: str, reader: str) -> None:
    for password in ("wr0ng", ""):
        engine = PostgreSQLEngine(PostgreSQL(with_user(url, "reader", password)))
        with pytest.raises(UsageError, match="password") as caught:
            engine.query(f"select n from open.t {IN_DAY}", DAY)
        assert "wr0ng" not in f"{caught.value} {caught.value.__cause__}"
