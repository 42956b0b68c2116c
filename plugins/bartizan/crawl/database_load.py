"""Samples what the sessions of a PostgreSQL server are at work on, into tables of its own.

The load is counted in average active sessions: how many sessions were at work, on average over the
moments at which somebody looked (with one look a second: samples / seconds). By what they waited
for it says where the time goes, as Amazon's Performance Insights and Oracle's active session
history do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from bartizan.crawl.statements import digest, without_literals
from bartizan.engines.postgresql_connect import connect, explained
from bartizan.errors import UsageError
from bartizan.model.window import DAY

_TABLES = Path(__file__).with_suffix(".sql")
_SWEEP = 600  # looks between two sweeps of what is older than is kept

_NOW = "select clock_timestamp() at time zone 'UTC'"

# A session that waits for nothing is on a processor. Idle ones wait for their client.
_SESSIONS = """
select
    coalesce(datname, ''),
    coalesce(wait_event_type || ': ' || wait_event, 'CPU'),
    query_id,
    query
from pg_stat_activity
where state in ('active', 'fastpath function call')
    and backend_type in ('client backend', 'parallel worker')
    and pid <> pg_backend_pid()
"""


def sample(
    url: str,
    seconds: float,
    every: float = 1.0,
    keep: timedelta = 7 * DAY,
    pause: Callable[[float], object] = time.sleep,
) -> int:
    """Look at the sessions of the server every so many seconds; returns how often it was done.

    Tables are made in the schema `bartizan` of the URL's database when they are not there; samples
    older than `keep` are deleted. Raises UsageError unless the role may see all sessions and write
    there, TransientError when the server goes away.
    """
    looks = max(round(seconds / every), 1)
    with connect(url) as connection:
        connection.autocommit = True
        try:
            _prepare(connection)
            begin = time.monotonic()
            for look in range(looks):
                if look % _SWEEP == 0:
                    _sweep(connection, keep)
                _look(connection)
                if look + 1 < looks:
                    pause(max(begin + (look + 1) * every - time.monotonic(), 0.0))
        except psycopg.Error as error:
            raise explained(error, "database load") from error
    return looks


def _prepare(connection: psycopg.Connection[Any]) -> None:
    connection.execute("set statement_timeout = '10s'")
    connection.execute("set synchronous_commit = off")
    sees = connection.execute("select pg_has_role('pg_read_all_stats', 'usage')").fetchone()
    if sees != (True,):
        raise UsageError(
            f"role {connection.info.user!r}",
            "sees its own sessions only",
            f"grant pg_monitor to {connection.info.user}",
        )
    there = connection.execute("select to_regclass('bartizan.activity_statement')").fetchone()
    if there == (None,):
        connection.execute(_TABLES.read_bytes())


def _look(connection: psycopg.Connection[Any]) -> None:
    """Add what the sessions are at work on now, at the server's time."""
    found: Counter[tuple[str, str, str]] = Counter()
    statements: dict[str, str] = {}
    with connection.transaction():
        ((now,),) = connection.execute(_NOW).fetchall()
        for database, wait, query_id, query in connection.execute(_SESSIONS):
            code, plain = _digested(query_id, query)
            found[database, wait, code] += 1
            statements[code] = plain
        cursor = connection.cursor()
        cursor.execute("insert into bartizan.activity_tick values (%s)", [now])
        cursor.executemany(
            "insert into bartizan.activity_statement values (%s, %s) on conflict do nothing",
            sorted(statements.items()),
        )
        cursor.executemany(
            "insert into bartizan.activity_sample values (%s, %s, %s, %s, %s)",
            [(now, *key, sessions) for key, sessions in found.items()],
        )


@lru_cache(maxsize=4096)
def _digested(query_id: int | None, query: str) -> tuple[str, str]:
    plain = without_literals(query)
    return digest(plain, query_id), plain


def _sweep(connection: psycopg.Connection[Any], keep: timedelta) -> None:
    ((now,),) = connection.execute(_NOW).fetchall()
    for table in ("activity_tick", "activity_sample"):
        connection.execute(f"delete from bartizan.{table} where ts < %s", [now - keep])
    connection.execute(
        "delete from bartizan.activity_statement"
        " where digest not in (select digest from bartizan.activity_sample)"
    )
