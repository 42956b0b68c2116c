"""What is not one plain SELECT over known tables is refused before an engine sees it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakes import SmallLake, requests
from sqlglot import exp

from bartizan.config import PROJECT
from bartizan.engines import SQL_ENGINES, EngineName, render
from bartizan.engines.allowed import PORTABLE, allowed
from bartizan.engines.guard import admit, tables_of, unportable
from bartizan.errors import ConfigError
from bartizan.model.window import DAY, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + DAY)

REFUSED = [
    ("duckdb", "select * from read_csv('/etc/passwd')", "reads from read_csv(…)"),
    ("duckdb", "select * from '/etc/passwd'", "'/etc/passwd' is no table name"),
    ("duckdb", 'select * from "/etc/passwd"', "'/etc/passwd' is no table name"),
    ("duckdb", "select * from a, '/etc/passwd'", "'/etc/passwd' is no table name"),
    ("duckdb", "select * from a where x in (select * from glob('*'))", "reads from glob(…)"),
    ("duckdb", "select getenv('HOME')", "getenv() is not allowed in a query of duckdb"),
    ("duckdb", "select * from query('select 1')", "reads from query(…)"),
    ("duckdb", "select read_text('/etc/passwd')", "read_text() is not allowed"),
    ("duckdb", "copy (select 1) to '/tmp/x'", "begins with 'copy'"),
    ("duckdb", "attach '/tmp/x.db'", "begins with 'attach'"),
    ("duckdb", "select 1; drop table a", "several statements"),
    ("duckdb", "pragma database_list", "begins with 'pragma'"),
    ("duckdb", "set threads = 1", "begins with 'set'"),
    ("postgresql", "select pg_read_file('/etc/passwd')", "pg_read_file() is not allowed"),
    ("postgresql", "select pg_sleep(1000)", "pg_sleep() is not allowed"),
    ("postgresql", "select * from dblink('x', 'y')", "reads from dblink(…)"),
    ("postgresql", "select 1 into b", "into is not allowed"),
    ("postgresql", "with x as (delete from a returning *) select * from x", "delete is not"),
    ("postgresql", "select * from a for update", "lock is not allowed"),
    ("redshift", "unload ('select 1') to 's3://x' iam_role 'y'", "begins with 'unload'"),
    ("athena", "insert into a select 1", "begins with 'insert'"),
    ("athena", "", "begins with nothing"),
    ("athena", "select 'never closed", "correct the query for athena"),
    ("athena", "select from where", "correct the query for athena"),
    ("athena", "select " + "(" * 101 + "1" + ")" * 101, "101 parentheses inside each other"),
    ("athena", "select 1 -- " + "x" * 200_000, "has 200,012 characters"),
]


@pytest.mark.parametrize(
    ("engine", "query", "text"),
    REFUSED,
    ids=[case[1][:40] for case in REFUSED],
)
def test_refused(engine: str, query: str, text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)) as caught:
        admit(query, WINDOW, EngineName(engine), "my/query.sql", given=["a"])

    assert str(caught.value).startswith("my/query.sql: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", SQL_ENGINES)
def test_admitted_text_is_the_query_with_its_window(engine: EngineName) -> None:
    query = """
        with w as (select x, count(*) as n from waf.requests
            where event_time >= {{ start }} and event_time < {{ end }} group by x)
        select a.x, w.n, row_number() over (order by w.n) from w, agg.b as a where a.x = w.x
    """

    admitted = admit(query, WINDOW, engine)

    assert admitted.text == render(query, WINDOW)
    assert admitted.tables == ("agg.b", "waf.requests")


def test_every_table_is_found() -> None:
    query = """
        select 1 from s.a, s.b as x join s.c on true
        where exists (select 1 from "s"."D" union select 2 from s.e where 1 in (select f from s.f))
    """

    assert tables_of(query, EngineName.DUCKDB) == ("s.a", "s.b", "s.c", "s.d", "s.e", "s.f")


def test_a_query_without_its_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="placeholder 'end' is not used"):
        admit("select 1 from a where t >= {{ start }}", WINDOW, EngineName.DUCKDB)


def test_only_duckdb_has_a_view_of_the_window_alone() -> None:
    query = "select count(*) from waf_logs"

    assert admit(query, WINDOW, EngineName.DUCKDB).tables == ("waf_logs",)
    for engine in (EngineName.ATHENA, EngineName.REDSHIFT):
        with pytest.raises(ConfigError, match="placeholder 'end' is not used"):
            admit(query, WINDOW, engine)


def test_clock_and_dialect_of_the_original_connector_are_known() -> None:
    query = "select top 3 nvl(x, 1), dateadd(hour, -1, getdate()) from a.b where ts < sysdate"

    assert tables_of(query, EngineName.REDSHIFT) == ("a.b",)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select a / b from t", "write cast(a as double precision) / b"),
        ("select x::bigint from t", "`::` is not Trino's"),
        ("select count(*) filter (where a) from t", "filter is not the same"),
        ("select distinct on (a) a from t", "distinct on is not the same"),
        ("select a, count(*) from t group by all", "group by all is not the same"),
        ("select approx_count_distinct(a) from t", "approx_distinct is not the same"),
        ("select time_bucket(interval '5 minute', a) from t", "is not the same"),
        ("select concat(a, b) from t", "concat is not the same"),
        ("select current_timestamp from t", "current_timestamp is not the same"),
        ("select a from t, unnest(t.b) as u (x)", "unnest is not the same"),
    ],
)
def test_not_portable(query: str, reason: str) -> None:
    found = unportable(query)

    assert any(reason in one for one in found), found


def test_what_one_of_them_cannot_read_is_not_portable() -> None:
    with pytest.raises(ConfigError, match="correct the query for athena"):
        unportable("select a from t qualify row_number() over (order by a) = 1")


def test_portable() -> None:
    query = """
        select cast(a as double precision) / b, a || b, sum(case when a = 1 then 1 else 0 end),
            cast(count(*) as bigint), date_trunc('hour', ts) - interval '1' hour
        from t where ts >= {{ start }} group by a, b, date_trunc('hour', ts)
    """

    assert unportable(query) == []
    assert unportable("select a from t, unnest(t.b) as u (x)", [EngineName.ATHENA]) == []


def test_every_allowed_key_is_one_of_the_parser() -> None:
    classes = (one for one in vars(exp).values() if isinstance(one, type))
    keys = {one.key for one in classes if issubclass(one, exp.Expr)}

    assert len(PORTABLE) > 80 and keys >= PORTABLE
    for engine in SQL_ENGINES:
        assert allowed(engine)[0] <= keys


def test_lists_of_names_reach_no_further_than_they_say() -> None:
    """No function that reads or changes something outside has got into a list by mistake."""
    with duckdb.connect() as connection:
        names = {
            row[0]
            for row in connection.execute(
                "select distinct function_name from duckdb_functions() where function_type in"
                " ('table', 'pragma', 'table_macro')"
            ).fetchall()
        }
    assert {"read_csv", "read_parquet", "glob", "duckdb_settings"} <= names
    harmless = {"unnest", "generate_series", "range", "histogram", "histogram_values"}

    for name in sorted(names - harmless):
        with pytest.raises(ConfigError):
            tables_of(f"select {name}('x') from a.b", EngineName.DUCKDB)
        with pytest.raises(ConfigError):
            tables_of(f"select 1 from {name}('x')", EngineName.DUCKDB)


def test_the_engine_itself_opens_nothing_but_the_files_of_its_tables(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    small.land("a", requests=requests([START]))
    secret = tmp_path / "secret.csv"
    secret.write_text("x\n1\n")
    with small.engine.session(["waf.requests"], WINDOW) as connection:
        assert connection.sql("select count(*) from waf.requests").fetchall() == [(1,)]
        for query in (
            f"select * from read_csv('{secret}')",
            f"select * from '{secret}'",
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            "set enable_external_access = true",
            f"attach '{tmp_path / 'x.db'}'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(query)
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["secret.csv"]


def test_a_python_variable_is_no_table(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    given = pa.table({"x": [1]})

    assert small.engine.query("select x from r", WINDOW, given={"r": given}).num_rows == 1
    with pytest.raises(ConfigError, match="no table 'given' in the lake"):
        small.engine.query("select x from given", WINDOW, given={"r": given})


@given(st.text(max_size=40), st.sampled_from(SQL_ENGINES))
def test_any_text_is_admitted_or_refused_on_one_line(text: str, engine: EngineName) -> None:
    try:
        tables_of(f"select 1 from a.b where {text}", engine)
    except ConfigError as error:
        assert str(error).isprintable()


def test_shipped_queries_are_admitted() -> None:
    paths = sorted((PROJECT / "include" / "sql").glob("*/*/query*.sql"))
    assert len(paths) >= 14
    for path in paths:
        engine = path.name.split(".")[1]
        name = EngineName(engine) if engine != "sql" else EngineName.DUCKDB
        assert tables_of(path.read_text(), name, str(path))
