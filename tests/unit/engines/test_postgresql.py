"""PostgreSQL as an engine, on a real server: values come as they are, or it is told why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pyarrow as pa
import pytest
from engine_postgresql import database, load, open_postgresql, run
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

from bartizan.engines import postgresql
from bartizan.engines.base import Scan
from bartizan.engines.connections import PostgreSQL
from bartizan.engines.postgresql import PostgreSQLEngine
from bartizan.errors import ConfigError
from bartizan.model.window import Window

DAY = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
IN_DAY = "where ts >= {{ start }} and ts < {{ end }}"
GIVEN = "select * from result order by 1"

NASTY = [
    None,
    "",
    " ",
    "\\N",
    "\\.",
    "NULL",
    '"',
    '""",',
    "a,b",
    "a\r\nb\n\n\\.\nc\rd",
    "\t\\t\x01\x7f\x1b[31m",
    "'; drop table waf.requests; --",
    "%s %(x)s {{ start }}",
    "\U0001f600\u202e\ufeff\u2028",
    "x" * 70_000,
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database() as found:
        yield found


@pytest.fixture(scope="module")
def engine(url: str) -> PostgreSQLEngine:
    return PostgreSQLEngine(PostgreSQL(url))


def selected(engine: PostgreSQLEngine, expression: str) -> pa.ChunkedArray:
    """The only column of one expression over a table that a query is given."""
    one = {"result": pa.table({"n": [1]})}
    return engine.query(f"select {expression} as x from result", DAY, "q.sql", one)["x"]


# --- values ----------------------------------------------------------------------------------


def test_values_of_every_type_come_as_they_are() -> None:
    rows = pa.table(
        {
            "small": pa.array([-(2**15), None], pa.int16()),
            "big": pa.array([2**63 - 1, -(2**63)], pa.int64()),
            "real": pa.array([0.1 + 0.2, float("-inf")], pa.float64()),
            "exact": pa.array([Decimal("-9999999999.99"), None], pa.decimal128(12, 2)),
            "yes": pa.array([True, False], pa.bool_()),
            "day": pa.array([date(1, 1, 1), date(9999, 12, 31)], pa.date32()),
            "time": pa.array([datetime(2026, 11, 1, 5, 4, 3, 210), None], pa.timestamp("us")),
            "instant": pa.array(
                [datetime(2026, 11, 1, 0, 30, tzinfo=UTC), None], pa.timestamp("us", "UTC")
            ),
        }
    )
    with open_postgresql({"waf.facts": rows}) as engine:
        query = (
            "select * from waf.facts where day < {{ end }} or day >= {{ start }} order by big desc"
        )
        found = engine.query(query, DAY)
    wanted = rows.schema.set(0, pa.field("small", pa.int64()))
    wanted = wanted.set(7, pa.field("instant", pa.timestamp("us")))
    assert found == rows.cast(wanted)


@pytest.mark.parametrize("in_memory", [64 * 2**20, 1_000], ids=["in memory", "in a file"])
def test_no_text_is_taken_for_another(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_IN_MEMORY", in_memory)
    rows = pa.table({"n": range(len(NASTY)), "text": pa.array(NASTY, pa.string())})
    with open_postgresql({"waf.texts": rows}) as engine:
        window = "timestamp '2026-11-01' between {{ start }} and {{ end }}"
        there = engine.query(f"select n, text from waf.texts where {window} order by n", DAY)
        alone = engine.query(f"select text from waf.texts where {window} order by n", DAY)
        back = engine.query(GIVEN, DAY, given={"result": rows})
    assert there["text"].to_pylist() == alone["text"].to_pylist() == NASTY
    assert back["text"].to_pylist() == NASTY


@settings(max_examples=25)
@generated(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
            st.none() | st.floats(),
            st.none() | st.datetimes(),
        ),
        max_size=20,
    )
)
def test_given_rows_come_back(
    engine: PostgreSQLEngine, rows: list[tuple[str | None, float | None, datetime | None]]
) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    table = pa.table(
        {
            "n": pa.array(range(len(rows)), pa.int64()),
            "text": pa.array(columns[0], pa.string()),
            "number": pa.array(columns[1], pa.float64()),
            "time": pa.array(columns[2], pa.timestamp("us")),
        }
    )
    found = engine.query(GIVEN, DAY, given={"result": table})
    assert found.schema == table.schema
    assert repr(found.to_pylist()) == repr(table.to_pylist())  # NaN is no equal of itself


def test_types_of_the_database_own_and_an_instant_elsewhere(
    url: str, engine: PostgreSQLEngine
) -> None:
    run(
        url,
        "create type mood as enum ('ok', 'not, \"ok\"')",
        "create domain positive as integer check (value > 0)",
        "create table moods (mood mood, many positive, address inet, at timestamptz)",
        "set timezone = 'Asia/Kathmandu'",
        "insert into moods values ('not, \"ok\"', 7, '2001:db8::1', '2026-11-01 05:45:00+05:45')",
    )
    (row,) = engine.query(
        "select * from moods where at >= {{ start }} and at < {{ end }}", DAY
    ).to_pylist()
    assert row == {
        "mood": 'not, "ok"',
        "many": 7,
        "address": "2001:db8::1",
        "at": datetime(2026, 11, 1),
    }


def test_no_row_has_the_same_types(engine: PostgreSQLEngine) -> None:
    rows = pa.table({"a": pa.array([1], pa.int64()), "b": pa.array(["x"])})
    query = "select a, b, cast(a as decimal(9, 3)) as c from result where a > {}"
    empty = engine.query(query.format(1), DAY, given={"result": rows})
    full = engine.query(query.format(0), DAY, given={"result": rows})
    assert (empty.num_rows, full.num_rows) == (0, 1)
    assert empty.schema == full.schema
    assert full.schema.types == [pa.int64(), pa.string(), pa.decimal128(9, 3)]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("sum(n)", r"column 'x' is numeric without a precision — cast it to bigint"),
        ("cast(1 as decimal(40, 2))", r"column 'x' is numeric\(40, 2\)"),
        ("cast('NaN' as decimal(4, 2))", r"column 'x' holds 'NaN', which decimal128\(4, 2\) does"),
        ("cast('infinity' as timestamp)", r"holds 'infinity', which timestamp\[us\] does not have"),
        ("cast('-infinity' as date)", r"column 'x' holds '-infinity', which date32\[day\]"),
        ("interval '1' hour", r"column 'x' has type interval, which no engine answers"),
        ("n as x, n", r"column 'x' is there twice"),
        ("cast('abc' as integer)", r"q.sql: invalid input syntax for type integer: \"abc\""),
        ("n / 0", r"q.sql: division by zero — correct the query"),
        ("missing", r"q.sql: column \"missing\" does not exist — correct the query"),
        ("repeat('x', 40000000)", r"straddling .* a row has 16,777,216 bytes at most"),
    ],
)
def test_what_has_no_answer_says_why(
    engine: PostgreSQLEngine, expression: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        selected(engine, expression)


def test_scans_are_of_the_tables_that_the_query_reads(url: str, engine: PostgreSQLEngine) -> None:
    with psycopg.connect(url) as connection:
        many = pa.table(
            {
                "ts": pa.array([datetime(2026, 11, 1 + n % 4) for n in range(4_000)]),
                "site": pa.array(range(4_000), pa.int64()),
            }
        )
        load(
            connection,
            "shop.visits",
            many.cast(pa.schema({"ts": pa.timestamp("us"), "site": pa.int64()})),
        )
        load(connection, "shop.sites", pa.table({"id": pa.array(range(10), pa.int64())}))
    run(url, "analyze")
    query = f"select v.site from shop.visits v join shop.sites s on s.id = v.site {IN_DAY}"
    assert engine.scans(query, DAY) == [
        Scan("shop.sites", None, 10, 80),
        Scan("shop.visits", None, pytest.approx(1000, rel=0.05), pytest.approx(8000, rel=0.05)),
    ]
    with pytest.raises(ConfigError, match=r'relation "shop\.nothing" does not exist'):
        engine.scans(f"select n from shop.nothing {IN_DAY}", DAY)
