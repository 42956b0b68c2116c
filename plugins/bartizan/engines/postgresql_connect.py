"""Connections to PostgreSQL, and what its errors mean to people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from bartizan.errors import BartizanError, ConfigError, TransientError, UsageError
from bartizan.model.text import short

# What a server says to those who will not get in however often they try.
_SHUT_OUT = re.compile(
    r"authentication failed|password|does not exist|no pg_hba.conf entry|permission denied"
    r"|not permitted|not currently accepting|no encryption|certificate"
)


@contextmanager
def session(url: str, origin: str, timeout: timedelta) -> Iterator[psycopg.Connection[Any]]:
    """A connection in one transaction, rolled back at the end unless it was committed.

    A statement is ended on the server after `timeout`, and when the block is left while it runs.
    Raises, naming `origin`, ConfigError for a statement that the server refuses, UsageError for
    what the role may not do, TransientError for what may work later.
    """
    connection = connect(url)
    try:
        _settle(connection, timeout)
        yield connection
    except psycopg.Error as error:
        raise explained(error, origin) from error
    finally:
        if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
            connection.cancel_safe(timeout=5)
        connection.close()


def _settle(connection: psycopg.Connection[Any], timeout: timedelta) -> None:
    """Values are written the one way that is read here, whatever the role's own settings."""
    settings = {
        "statement_timeout": str(round(timeout.total_seconds() * 1000)),
        "timezone": "UTC",
        "datestyle": "ISO, YMD",
        "extra_float_digits": "1",
    }
    connection.execute(
        "select set_config(name, value, true) from unnest(%s::text[], %s::text[]) s (name, value)",
        [list(settings), list(settings.values())],
    )


def connect(url: str) -> psycopg.Connection[Any]:
    """Raises UsageError for a wrong set-up and TransientError when the server cannot be reached;
    neither holds the password."""
    parts = _parts(url)
    try:
        return psycopg.connect(
            url,
            client_encoding="utf8",
            connect_timeout=int(parts.get("connect_timeout", 10)),
            fallback_application_name="bartizan",
        )
    except psycopg.OperationalError as error:
        database = f"PostgreSQL database {parts.get('dbname', '')!r}"
        reason = short(" ".join(str(error).split()), 300)
        if _SHUT_OUT.search(reason):
            raise UsageError(database, reason, "correct its URL, role or password") from error
        raise TransientError(database, reason, "is the server up and reachable?") from error


def _parts(url: str) -> dict[str, Any]:
    """The parts of a libpq URI, which no error quotes: it may hold a password."""
    wrong = UsageError(
        "PostgreSQL connection",
        "is no libpq URI",
        "write postgresql://user@host:5432/database, an @ or / inside a part as %40 or %2F",
    )
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise wrong from None  # its text quotes the URI
    if any("@" in str(parts.get(part, "")) for part in ("host", "dbname")):
        raise wrong  # the rest of a password with an @ in it
    return parts


def explained(error: psycopg.Error, origin: str) -> BartizanError:
    """The error that a server's refusal of a statement is to people; `session` says which."""
    said = short(error.diag.message_primary or str(error).strip().split("\n")[0], 300)
    match error:
        case errors.QueryCanceled():
            return TransientError(origin, said, "narrow the window, or raise the timeout")
        case psycopg.OperationalError():
            return TransientError(origin, said, "run it again")
        case errors.InsufficientPrivilege():
            return UsageError(origin, said, "grant the role what it lacks")
        case errors.ReadOnlySqlTransaction():
            return UsageError(origin, said, "use a primary server, and a role that may write there")
    return ConfigError(origin, said, "correct the query")
