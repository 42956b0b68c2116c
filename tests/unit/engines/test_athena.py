"""The Athena engine against the stand-in: rows, types, tables brought along, files left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import boto3
import pyarrow as pa
import pytest
from engine_athena import BUCKET, CONNECTION, AthenaHouse, athena_house

from bartizan.engines.athena_given import DATABASE, with_tables
from bartizan.engines.athena_results import read_result
from bartizan.engines.base import Scan
from bartizan.engines.connections import Athena
from bartizan.errors import ConfigError
from bartizan.model.window import Window

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
INSIDE = "event_time >= {{ start }} and event_time < {{ end }}"
HOSTILE = [
    "it's",
    '"; drop table waf.r; --',
    "a\nb\r\nc\t\\n\x00,",
    "😀\u202e\ufeff",
    "",
    " ",
    "null",
    "\\N",
    "{{ start }}",
    None,
]
ROWS = pa.table(
    {
        "event_time": pa.array(
            [datetime(2026, 1, 1, hour, 0, 0, hour) for hour in range(len(HOSTILE))],
            pa.timestamp("us"),
        ),
        "text": HOSTILE,
        "whole": pa.array([2**63 - 1, -(2**63), *range(7), None], pa.int64()),
        "exact": pa.array(
            [Decimal("0.10"), *[Decimal("-99999999.99")] * 8, None], pa.decimal128(10, 2)
        ),
        "real": [0.1, 1e300, 5e-324, -1.5, 1e7, 123456789.125, 1e-3, 2.0, float("inf"), None],
        "flag": [True, False] * 4 + [None, True],
        "day": pa.array([date(1969, 12, 31)] * 9 + [None]),
    }
)
LATE = pa.table(
    {
        "event_time": pa.array([datetime(2026, 1, 2)], pa.timestamp("us")),
        **{name: pa.nulls(1, ROWS[name].type) for name in ROWS.column_names[1:]},
    }
)


@pytest.fixture(scope="module")
def house() -> Iterator[AthenaHouse]:
    lists = pa.table({"event_time": ROWS["event_time"][:1], "tags": [["a"]]})
    tables = {"waf.r": pa.concat_tables([ROWS, LATE]), "waf.lists": lists}
    with athena_house(tables) as opened:
        yield opened


def test_rows_come_back_exactly_as_they_are(house: AthenaHouse) -> None:
    read = house.engine().query(f"select * from waf.r where {INSIDE} order by event_time", WINDOW)

    assert read.equals(ROWS)
    assert house.files() == []


def test_no_rows_have_types_too(house: AthenaHouse) -> None:
    read = house.engine().query(f"select * from waf.r where {INSIDE} and whole = 12345", WINDOW)

    assert read.equals(ROWS.slice(0, 0))


def test_types_are_those_of_the_protocol(house: AthenaHouse) -> None:
    read = house.engine().query(
        "select cast(1 as smallint) as a, cast(0.5 as real) as b, null as c, sum(whole) as d, "
        "count(*) as e, avg(whole) as f, event_time at time zone 'UTC' as g, 'x' as h, 'y' as h "
        f"from waf.r where {INSIDE} and whole = 3 group by event_time",
        WINDOW,
    )

    at = datetime(2026, 1, 1, 5, 0, 0, 5)
    whole, real, text, moment = pa.int64(), pa.float64(), pa.string(), pa.timestamp("us")
    assert read.schema.types == [whole, real, text, whole, whole, real, moment, text, text]
    assert read.column_names == [*"abcdefghh"]
    assert [column[0].as_py() for column in read.columns] == [1, 0.5, None, 3, 1, 3.0, at, "x", "y"]


def test_zones_are_converted_and_what_is_ambiguous_is_refused() -> None:
    column = [{"Name": "at", "Type": "timestamp with time zone", "Precision": 3, "Scale": 0}]
    local = datetime(2026, 7, 20, 10, 0, 0, 123000, ZoneInfo("Europe/Berlin"))
    body = (
        '"at"\n"2026-07-20 10:00:00.123 Europe/Berlin"\n\n"2026-07-20 10:00:00.1234567 UTC"\n'
        '"2026-07-20 10:00:00 +05:30"\n'
    )

    read = read_result(body.encode(), column, "query.sql")

    assert read["at"].to_pylist() == [
        local.astimezone(UTC).replace(tzinfo=None),
        None,
        datetime(2026, 7, 20, 10, 0, 0, 123456),
        datetime(2026, 7, 20, 4, 30),
    ]
    with pytest.raises(ConfigError, match=r"query\.sql: .*ambiguous.*at_timezone"):
        read_result(b'"at"\n"2026-10-25 02:30:00 Europe/Berlin"\n', column, "query.sql")


@pytest.mark.parametrize(
    ("kind", "text"), [("date", "+20000-01-01"), ("timestamp", "+20000-01-01 00:00:00.000")]
)
def test_a_value_that_has_no_place_here_is_an_error(kind: str, text: str) -> None:
    column = [{"Name": "at", "Type": kind, "Precision": 0, "Scale": 0}]

    with pytest.raises(ConfigError, match=r"query\.sql: .*\+20000-01-01.* cast it to varchar"):
        read_result(f'"at"\n"{text}"\n'.encode(), column, "query.sql")


def test_values_as_long_as_athena_allows_are_read() -> None:
    column = [{"Name": "text", "Type": "varchar", "Precision": 0, "Scale": 0}]
    text = "a\n" * 12_000_000

    body = '"text"\n' + f'"{text}"\n' * 4
    read = read_result(body.encode(), column, "query.sql")

    assert read["text"].to_pylist() == [text] * 4


def test_an_array_is_refused_by_name(house: AthenaHouse) -> None:
    with pytest.raises(ConfigError, match=r"q\.sql: column 'tags' has type array .* cast it to"):
        house.engine().query(f"select tags from waf.lists where {INSIDE}", WINDOW, "q.sql")


def test_given_tables_are_brought_and_taken_away(house: AthenaHouse) -> None:
    given = {"result": ROWS, "other": pa.table({"real": pa.array([0.1], pa.float32())})}

    read = house.engine().query(
        "with picked as (select * from result) select picked.* from picked "
        "where real < (select max(real) from other) order by event_time",
        WINDOW,
        given=given,
    )

    expected = [
        row for row in ROWS.to_pylist() if row["real"] is not None and row["real"] < 0.10000000149
    ]
    assert read.to_pylist() == expected
    assert read.schema == ROWS.schema
    assert house.files() == []
    assert boto3.client("glue").get_tables(DatabaseName=DATABASE)["TableList"] == []


def test_given_tables_are_taken_away_after_a_failure(house: AthenaHouse) -> None:
    with pytest.raises(ConfigError, match="nope"):
        house.engine().query("select nope from result", WINDOW, given={"result": ROWS})

    assert house.files() == []
    assert boto3.client("glue").get_tables(DatabaseName=DATABASE)["TableList"] == []


def test_a_given_list_is_refused(house: AthenaHouse) -> None:
    with pytest.raises(ConfigError, match="column 'a' of type list"):
        house.engine().query("select a from g", WINDOW, given={"g": pa.table({"a": [["x"]]})})


@pytest.mark.parametrize(
    ("query", "merged"),
    [
        ("select 1", 'with "g" as (T)\nselect 1'),
        ("with a as (select 1) select 2", 'with "g" as (T), a as (select 1) select 2'),
        ("-- with\nWITH a as (x) select", '-- with\nWITH "g" as (T), a as (x) select'),
        ("with recursive a (n) as (x) y", 'with recursive "g" as (T), a (n) as (x) y'),
        ("/* with */ select 'with'", "with \"g\" as (T)\n/* with */ select 'with'"),
    ],
)
def test_given_tables_join_the_querys_own_with(query: str, merged: str) -> None:
    assert with_tables(query, {"g": "T"}) == merged


def test_scans_check_the_query_and_leave_nothing(house: AthenaHouse) -> None:
    engine = house.engine()

    assert engine.scans(f"select text from waf.r where {INSIDE}", WINDOW) == [
        Scan("waf.r", None, None, None)
    ]
    with pytest.raises(ConfigError, match="Column 'nope' cannot be resolved"):
        engine.scans(f"select nope from waf.r where {INSIDE}", WINDOW)
    assert house.files() == []


def test_a_workgroups_own_place_is_read(house: AthenaHouse) -> None:
    place = {"OutputLocation": f"s3://{BUCKET}/enforced/"}
    house.api.workgroups["strict"] = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": place,
    }
    engine = house.engine(Athena(workgroup="strict", output=CONNECTION.output))

    execution = engine.start("select 5 as n")
    while engine.state(execution) == "running":
        pass
    assert house.files() == [
        f"s3://{BUCKET}/enforced/{execution}.csv",
        f"s3://{BUCKET}/enforced/{execution}.csv.metadata",
    ]
    assert engine.fetch(execution).to_pylist() == [{"n": 5}]
    assert house.files() == []
