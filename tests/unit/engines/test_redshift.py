"""The Redshift engine before the stand-in of the Data API: rows, errors, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import boto3
import pyarrow as pa
import pytest
from aws_sql.redshift_unload import unload_of
from engine_redshift import BUCKET, CONNECTION, UNLOAD, House, open_house
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bartizan.engines.redshift_text import unload, unload_prefix
from bartizan.errors import ConfigError, TransientError, UsageError
from bartizan.model.window import Window

DAY = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
NASTY = ["a", "", None, "it's", "\\", "\\'; drop table agg.t --", 'q"q', "tab\tline\nend", "😀é,|"]
TABLE = pa.table(
    {
        "ts": pa.array(
            [datetime(2026, 11, 1, 23, 59, 59, 999999)] + [datetime(2026, 11, 1)] * 8,
            pa.timestamp("us"),
        ),
        "k": pa.array(NASTY, pa.string()),
        "n": pa.array([2**63 - 1, -(2**63), None, 0, 1, 2, 3, 4, 5], pa.int64()),
        "d": pa.array([Decimal("12345678901234567890.12"), None, *[Decimal("-0.01")] * 7]),
        "x": pa.array([0.1, None, 1e308, float("inf"), -0.0, 1.0, 2.0, 3.0, 4.0], pa.float64()),
        "b": pa.array([True, None, False, True, True, True, True, True, True], pa.bool_()),
        "day": pa.array([date(2026, 11, 1), None, *[date(1970, 1, 1)] * 7], pa.date32()),
    }
)
IN_DAY = "where ts >= {{ start }} and ts < {{ end }}"
MANY = ", ".join(f"agg.t t{number}" for number in range(14))  # 9^14 rows: days
SLOW = f"select count(*) as n from {MANY} where t0.ts >= {{{{ start }}}} and t1.ts < {{{{ end }}}}"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house({"agg.t": TABLE}) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_is_left(house: House) -> Iterator[None]:
    """Whatever a test does, no file stays at the unload prefix."""
    yield
    assert house.objects() == []


def finished(house: House, statement: str) -> pa.Table:
    assert house.ended({"Id": statement})["Status"] == "FINISHED"
    assert house.engine().state(statement) == "finished"
    return house.engine().fetch(statement)


def test_every_type_and_character_arrives_exactly(house: House) -> None:
    rows = house.engine().query(f"select * from agg.t {IN_DAY}", DAY)
    assert rows.schema == TABLE.schema
    assert sorted(map(str, rows.to_pylist())) == sorted(map(str, TABLE.to_pylist()))


def test_types_are_those_of_the_contract(house: House) -> None:
    text = f"""
        select cast(n as smallint) as small, cast(n as integer) as mid, cast(x as real) as half,
        sum(n) as total, cast(ts as timestamptz) as instant, 'x' as literal
        from agg.t {IN_DAY} and n = 2 group by 1, 2, 3, 5"""
    rows = house.engine().query(text, DAY)
    assert [field.type for field in rows.schema] == [
        pa.int64(), pa.int64(), pa.float64(), pa.decimal128(38, 0), pa.timestamp("us"), pa.string(),
    ]  # fmt: skip
    assert rows.to_pylist() == [
        {
            "small": 2,
            "mid": 2,
            "half": 1.0,
            "total": Decimal(2),
            "instant": datetime(2026, 11, 1),
            "literal": "x",
        }
    ]


def test_no_rows_have_their_columns_nevertheless(house: House) -> None:
    rows = house.engine().query(f"select k, d, ts from agg.t {IN_DAY} and k = 'none'", DAY)
    assert rows.num_rows == 0
    assert rows.schema == TABLE.select(["k", "d", "ts"]).schema


def test_an_outermost_limit_is_put_inside(house: House) -> None:
    engine = house.engine()
    text = f"select n from agg.t {IN_DAY} and n < 9 order by n desc limit 2 -- the two largest"
    assert sorted(engine.query(text, DAY)["n"].to_pylist()) == [4, 5]


@settings(max_examples=300)
@example(") to 's3://elsewhere/' iam_role 'x' --")
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_is_quoted_whole_in_an_unload(text: str) -> None:
    statement = unload(f"select {text}", f"{UNLOAD}t/rows/", CONNECTION.role)
    subject = unload_of(statement).subject.removeprefix("select * from (\n")
    assert subject.removesuffix("\n) as limited") == f"select {text}"
    assert unload_prefix(statement) == f"{UNLOAD}t/rows/"


def test_quotes_and_backslashes_of_a_query_keep_their_meaning(house: House) -> None:
    values = {
        "it''s": "it's",
        "\\\\": "\\",
        r"\\''; drop table agg.t --": "\\'; drop table agg.t --",
    }
    for written, meant in values.items():
        rows = house.engine().query(f"select k from agg.t {IN_DAY} and k = '{written}'", DAY)
        assert rows["k"].to_pylist() == [meant]
    assert house.warehouse.run("select count(*) from agg.t")[0][0].as_py() == 9


def test_given_tables_come_first_and_go(house: House) -> None:
    house.warehouse.create("main.result", pa.table({"other": [1]}))
    given = {"result": TABLE.drop_columns("ts"), "empty": TABLE.slice(0, 0)}
    text = "select k, n, d, x, b, day from result union all select k, n, d, x, b, day from empty"
    rows = house.engine().query(text, DAY, given=given)
    assert sorted(map(str, rows.to_pylist())) == sorted(map(str, given["result"].to_pylist()))
    with pytest.raises(ConfigError, match='column "nope" does not exist'):
        house.engine().query("select nope from result", DAY, given=given)
    assert house.warehouse.run("select * from main.result").to_pydict() == {"other": [1]}
    with pytest.raises(ConfigError, match="column 'l' of type list"):
        house.engine().query("select 1 as n", DAY, given={"result": pa.table({"l": [[1]]})})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"select nope from agg.t {IN_DAY}", 'column "nope" does not exist'),
        (f"select k from agg.nope {IN_DAY}", 'relation "nope" does not exist'),
        (f"select cast(k as integer) as n from agg.t {IN_DAY}", "Could not convert"),
        (f"select cast(ts as time) as at, n from agg.t {IN_DAY}", "column 'at' is of type time"),
        ("select k from agg.t", "'end' is not used"),
        (f"delete from agg.t {IN_DAY}", "it must be one SELECT"),
    ],
)
def test_a_query_at_fault_is_named(house: House, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        house.engine().query(text, DAY, origin="shop/query.sql")
    assert str(raised.value).startswith("shop/query.sql: ")


def test_scans_checks_the_query_and_claims_nothing(house: House) -> None:
    engine = house.engine()
    [scan] = engine.scans(f"select k from agg.t {IN_DAY}", DAY)
    assert (scan.table, scan.files, scan.rows, scan.bytes) == ("agg.t", None, None, None)
    with pytest.raises(ConfigError, match="nope"):
        engine.scans(f"select nope from agg.t {IN_DAY}", DAY)


def test_a_query_that_takes_too_long_is_cancelled(house: House) -> None:
    seconds = count(step=400.0)  # each look at the clock is 400 s after the last
    engine = house.engine(clock=lambda: next(seconds))
    with pytest.raises(TransientError, match=r"not ready after 0:15:00"):
        engine.query(SLOW, DAY)
    assert house.ended({"Id": house.api.started[-1]})["Status"] == "ABORTED"


def test_an_interrupted_wait_cancels_too(house: House) -> None:
    def killed(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.engine(pause=killed).query(SLOW, DAY)
    assert house.ended({"Id": house.api.started[-1]})["Status"] == "ABORTED"


def test_a_full_service_is_asked_again(house: House) -> None:
    pauses: list[float] = []
    started = len(house.api.started)
    house.api.refusals[:] = ["ActiveStatementsExceededException"] * 2
    engine = house.engine(pause=pauses.append)
    statement = engine.start("select 1 as n")
    assert pauses == [0.2, pytest.approx(0.3)]
    assert house.api.started[started:] == [statement]
    assert finished(house, statement)["n"].to_pylist() == [1]

    house.api.refusals[:] = ["ActiveSessionsExceededException"] * 99
    seconds = count(step=400.0)
    with pytest.raises(TransientError, match="ActiveSessionsExceeded"):
        house.engine(clock=lambda: next(seconds)).start("select 1 as n")
    house.api.refusals.clear()
    assert len(house.api.started) == started + 1


def test_a_run_starts_once_and_any_process_can_go_on(house: House) -> None:
    text = "select n from agg.t where n between 1 and 3"
    statement = house.engine().start(text, run="crawl-1")
    assert house.engine().start(text, run="crawl-1") == statement  # as after a lost answer
    other = house.engine().start(text, run="crawl-2")
    assert other != statement
    for each in (statement, other):
        assert sorted(finished(house, each)["n"].to_pylist()) == [1, 2, 3]
    with pytest.raises(TransientError, match="3 rows were unloaded, 0 are at s3://"):
        house.engine().fetch(statement)


def test_files_of_others_among_the_rows_are_noticed(house: House) -> None:
    engine = house.engine()
    statement = engine.start("select n from agg.t where n = 1")
    assert house.ended({"Id": statement})["Status"] == "FINISHED"
    engine.cancel(statement)  # too late: nothing happens
    [written] = house.objects()
    house.warehouse.objects.put_parquet(written.replace("000", "001"), pa.table({"n": [9]}))
    with pytest.raises(TransientError, match="1 rows were unloaded, 2 are at"):
        engine.fetch(statement)
    s3 = boto3.client("s3")
    for uri in house.objects():
        s3.delete_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))


def test_only_its_own_statements_are_fetched(house: House) -> None:
    elsewhere = f"unload ('select 1 as n') to 's3://{BUCKET}/mine/' iam_role default parquet"
    where = {"ClusterIdentifier": "shop-cluster", "Database": "shop"}
    texts = ["select 1 as n", elsewhere, "select pg_last_unload_count()"]
    statement = house.client.batch_execute_statement(Sqls=texts, **where)["Id"]
    assert house.ended({"Id": statement})["Status"] == "FINISHED"
    with pytest.raises(UsageError, match="is no query of this engine"):
        house.engine().fetch(statement)
    assert len(house.objects(f"s3://{BUCKET}/mine/")) == 1
