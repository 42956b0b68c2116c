"""The stand-in for Athena: what it refuses, what it means by a query, what files it leaves."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from engine_athena import BUCKET, AthenaHouse, athena_house

OUTPUT = f"s3://{BUCKET}/stand-in/"
LONG = "select count(*) from waf.wide a cross join waf.wide b cross join waf.wide c where a.n < b.n"
TABLES = {
    "waf.r": pa.table(
        {
            "n": pa.array([7, 2, None], pa.int64()),
            "s": ['a"b', "", None],
            "x": [2.5, 1e10, float("nan")],
            "ts": pa.array([datetime(2026, 1, 1, 10, 7)] * 3, pa.timestamp("us")),
            "d": pa.array([date(2026, 1, 5)] * 3),
            "ok": [True, False, None],
            "tags": [["t1", "t2"], [], None],
            "labels": pa.array(
                [[{"name": "l1"}, {"name": "l2"}], [], None],
                pa.list_(pa.struct([("name", pa.string())])),
            ),
            "headers": pa.array(
                [[{"name": "h", "value": "v"}], [], None],
                pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())])),
            ),
        }
    ),
    "waf.wide": pa.table({"n": range(20_000)}),
}


@pytest.fixture(scope="module")
def house() -> Iterator[AthenaHouse]:
    with athena_house(TABLES) as opened:
        boto3.client("glue").create_database(DatabaseInput={"Name": "tmp"})
        yield opened


@cache
def athena() -> Any:
    """Made on first use, when the stand-in is up."""
    return boto3.client("athena")


def start(text: str, **request: Any) -> str:
    place = {"ResultConfiguration": {"OutputLocation": OUTPUT}}
    answer = athena().start_query_execution(QueryString=text, **(place | request))
    return str(answer["QueryExecutionId"])


def execution(identity: str) -> dict[str, Any]:
    answer = athena().get_query_execution(QueryExecutionId=identity)
    return dict(answer["QueryExecution"])


def ended(identity: str) -> dict[str, Any]:
    while (shown := execution(identity))["Status"]["State"] in ("QUEUED", "RUNNING"):
        pass
    return shown


def run(text: str, **request: Any) -> dict[str, Any]:
    return ended(start(text, **request))


def values(text: str) -> list[list[str | None]]:
    """Rows without the row of names; a NULL is None."""
    shown = run(text)
    assert shown["Status"]["State"] == "SUCCEEDED", shown["Status"]["StateChangeReason"]
    page = athena().get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    rows = page["ResultSet"]["Rows"][1:]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


def refusal(text: str) -> str:
    try:
        shown = run(text)
    except ClientError as error:
        assert error.response["AthenaErrorCode"] == "MALFORMED_QUERY"
        return str(error.response["Error"]["Message"])
    assert shown["Status"]["State"] == "FAILED"
    return str(shown["Status"]["StateChangeReason"])


# Each runs on DuckDB as it stands.
DUCKDB_ONLY = {
    "select n::varchar from waf.r": "mismatched input '::'",
    "select [1, 2]": "mismatched input '['",
    "select {'a': 1}": "mismatched input '{'",
    "select n, count(*) from waf.r group by all": "mismatched input 'all'",
    "select n from waf.r order by all": "mismatched input 'all'",
    "select n from waf.r qualify row_number() over () = 1": "mismatched input",
    "select regexp_replace('a', 'b', 'c', 'g')": "Unexpected parameters",
    "select string_agg(s, ',') from waf.r": "Function 'string_agg' not registered",
    "select list_contains(tags, 't1') from waf.r": "Function 'list_contains' not registered",
    "select approx_count_distinct(n) from waf.r": "'approx_count_distinct' not registered",
    "select arg_max(n, n) from waf.r": "Function 'arg_max' not registered",
    "select quantile_cont(n, 0.5) from waf.r": "Function 'quantile_cont' not registered",
    "select ifnull(n, 1) from waf.r": "Function 'ifnull' not registered",
    "select epoch(ts) from waf.r": "Function 'epoch' not registered",
    "select strftime(ts, '%Y') from waf.r": "Function 'strftime' not registered",
    "select time_bucket(interval '5' minute, ts) from waf.r": "'time_bucket' not registered",
    "select ts + interval 5 minute from waf.r": "mismatched input after 'interval'",
    "select ts + interval '5 minutes' from waf.r": "mismatched input after 'interval'",
    "select cast(n as string) from waf.r": "Unknown type: string",
    "select cast(n as int4) from waf.r": "Unknown type: int4",
    "select cast(n as text) from waf.r": "Unknown type: text",
    "select n from waf.r where n == 7": "mismatched input '=='",
    "select n from waf.r limit 1 offset 1": "mismatched input 'offset'",
    "from waf.r": "mismatched input 'from'",
    "select * exclude (n) from waf.r": "mismatched input 'exclude'",
    "select distinct on (n) n from waf.r": "mismatched input 'on'",
    "select n from waf.r using sample 10": "mismatched input 'sample'",
    "select n, from waf.r": "mismatched input after ','",
    "select n // 2 from waf.r": "mismatched input",
    "select s ilike 'A%' from waf.r": "mismatched input 'ilike'",
    "select n + 1 as b, b + 1 as c from waf.r": "line 1:20: Column 'b' cannot be resolved",
    "select n as b from waf.r where b > 1": "Column 'b' cannot be resolved",
    "select n as b, count(*) from waf.r group by b": "Column 'b' cannot be resolved",
    "select count(*) as c from waf.r having c > 0": "Column 'c' cannot be resolved",
    "select n from waf.r where ts >= '2026-01-01'": "Cannot apply operator: timestamp >= varchar",
    "select s || n from waf.r": "Unexpected parameters (varchar, number)",
    "select n from waf.r where n": "WHERE clause must evaluate to a boolean",
    "select 1 from waf.r cross join unnest(headers) as t (h, i)": "1 columns available",
    "pragma version": "Queries of this type are not supported",
}


@pytest.mark.parametrize("text", DUCKDB_ONLY)
def test_refuses_what_duckdb_runs(house: AthenaHouse, text: str) -> None:
    house.warehouse.run(text)

    assert DUCKDB_ONLY[text] in refusal(text)


# Answers as Trino's documentation gives them, or by arithmetic; DuckDB's own differ in most.
TRINO = {
    "select 7 / 2, -7 / 2, 7 / 2.5e0": ["3", "-3", "2.8"],
    "select sum(n) / count(n), cast(7 as double precision) / 2 from waf.r": ["4", "3.5"],
    "select array_join(array_sort(split('b,a,c', ',')), '-'), round(2.5e0)": ["a-b-c", "3.0"],
    "select concat('a', cast(null as varchar))": [None],
    "select greatest(1, cast(null as bigint)), least(2, 1)": [None, "1"],
    "select regexp_extract('1a 2b', 'x'), regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)": [
        None,
        "a",
    ],
    "select regexp_replace('1a 2b 14m', '\\d+[ab] ')": ["14m"],
    "select regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')": ["3ca 3cb 14m"],
    "select split_part('a/b', '/', 2), split_part('a/b', '/', 3)": ["b", None],
    "select date_diff('hour', timestamp '2026-01-01 00:59:00', timestamp '2026-01-01 01:01:00')": [
        "0"
    ],
    "select date_trunc('month', d), date_add('day', 1, d) from waf.r where n = 7": [
        "2026-01-01",
        "2026-01-06",
    ],
    "select to_unixtime(timestamp '1970-01-01 00:01:00'), from_unixtime(60)": [
        "60.0",
        "1970-01-01 00:01:00.000000 UTC",
    ],
    "select from_unixtime_nanos(1500000)": ["1970-01-01 00:00:00.001500 UTC"],
    # A row under one name stays whole, as the guide's queries over arrays of rows have it.
    "select l.name, t.l.name from waf.r cross join unnest(labels) as t (l) where l.name = 'l2'": [
        "l2",
        "l2",
    ],
    "select a.name, a.value, i from waf.r cross join unnest(headers) with ordinality as h (a, i)": [
        "h",
        "v",
        "1",
    ],
    "select count(*) filter (where ok), count_if(ok), max_by(s, n), arbitrary(d) from waf.r": [
        "1",
        "1",
        'a"b',
        "2026-01-05",
    ],
    "select listagg(t, '-') within group (order by t desc) from unnest(sequence(1, 3)) as u (i) "
    "cross join unnest(split('a,b', ',')) as v (t) where i = 1": ["b-a"],
    "select if(n > 2, 'a', 'b'), try(1 / 0), try_cast('x' as bigint) from waf.r where n = 7": [
        "a",
        None,
        None,
    ],
    "select cardinality(tags), contains(tags, 't2'), tags[2], element_at(tags, 3) from waf.r "
    "where n = 7": ["2", "true", "t2", None],
    "with a (z) as (select n from waf.r) select z from a order by z desc offset 1 limit 1": ["2"],
    'select max("waf"."r"."n") from "waf"."r"': ["7"],
}


@pytest.mark.parametrize("text", TRINO)
def test_means_what_trino_means(house: AthenaHouse, text: str) -> None:
    assert values(text) == [TRINO[text]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("select nope from waf.r", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        ("select 1 from waf.none", "Table 'awsdatacatalog.waf.none' does not exist"),
        ("select 1 from r", "Schema must be specified"),
        ("select count(distinct n, s) from waf.r", "Unexpected parameters for function count"),
        ("select n, count(*) from waf.r", "must be an aggregate expression"),
        ("select tags[1] from waf.r", "Array subscript must be less than or equal to array length"),
        ("select 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("select cast('x' as bigint)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT"),
        ("select 9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ],
)
def test_fails_in_athenas_words(house: AthenaHouse, text: str, reason: str) -> None:
    assert reason in refusal(text)


def test_a_result_is_a_csv_in_athenas_form(house: AthenaHouse) -> None:
    shown = run("select n, s, x, ts from r", QueryExecutionContext={"Database": "waf"})

    location = shown["ResultConfiguration"]["OutputLocation"]
    assert location == f"{OUTPUT}{shown['QueryExecutionId']}.csv"
    assert house.warehouse.objects.list(location) == [location, f"{location}.metadata"]
    assert house.warehouse.objects.get(location).decode().splitlines() == [
        '"n","s","x","ts"',
        '"7","a""b","2.5","2026-01-01 10:07:00.000000"',
        '"2","","1.0E10","2026-01-01 10:07:00.000000"',
        ',,"NaN","2026-01-01 10:07:00.000000"',
    ]
    assert shown["Statistics"]["DataScannedInBytes"] > 0


def test_results_come_in_pages(house: AthenaHouse) -> None:
    shown = run("select n from waf.wide order by n")
    pages = athena().get_paginator("get_query_results")
    read = list(pages.paginate(QueryExecutionId=shown["QueryExecutionId"]))

    cells = [row["Data"][0]["VarCharValue"] for page in read for row in page["ResultSet"]["Rows"]]
    assert len(read) == 21  # 1,000 a page; the header is a row of the first
    assert cells == ["n", *map(str, range(20_000))]
    column = read[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]
    assert (column["Name"], column["Type"]) == ("n", "bigint")


def test_unload_writes_files_and_refuses_a_used_place(house: AthenaHouse) -> None:
    for form, read in {"PARQUET": _parquet, "TEXTFILE": _text}.items():
        target = f"s3://{BUCKET}/unload-{form}/"
        text = f"unload (select n, s from waf.r where n = 7) to '{target}' with (format = '{form}')"
        shown = run(text)

        [uri] = house.warehouse.objects.list(target)
        manifest = f"{OUTPUT}{shown['QueryExecutionId']}-manifest.csv"
        assert house.warehouse.objects.get(manifest).decode().split() == [uri.removesuffix(".gz")]
        assert read(house, uri) == [(7, 'a"b')]
        assert refusal(text).startswith("HIVE_PATH_ALREADY_EXISTS")


def _parquet(house: AthenaHouse, uri: str) -> list[tuple[int, str]]:
    rows = pq.read_table(pa.BufferReader(house.warehouse.objects.get(uri)))
    return [(row["n"], row["s"]) for row in rows.to_pylist()]


def _text(house: AthenaHouse, uri: str) -> list[tuple[int, str]]:
    lines = gzip.decompress(house.warehouse.objects.get(uri)).decode().splitlines()
    return [(int(n), s) for n, s in (line.split("\x01") for line in lines)]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select from_unixtime(n) as ts from waf.r", "timestamp(3) with time zone"),
        ("select n + 1 from waf.r", "Column name not specified"),
        ("select n as a, s as a from waf.r", "specified more than once"),
    ],
)
def test_unload_refuses_what_files_cannot_hold(house: AthenaHouse, query: str, reason: str) -> None:
    target = f"s3://{BUCKET}/refused/"
    assert reason in refusal(f"unload ({query}) to '{target}' with (format = 'PARQUET')")
    assert house.warehouse.objects.list(target) == []


def test_tables_are_created_filled_and_dropped_in_glue(house: AthenaHouse) -> None:
    place = f"s3://{BUCKET}/made/"
    run(
        f"create table tmp.made with (format = 'PARQUET', external_location = '{place}') as "
        "select n, ts from waf.r where n = 7"
    )
    run("insert into tmp.made select 9, timestamp '2026-02-01 00:00:00.123456'")
    run(
        f"create external table tmp.beside (n bigint, more string) stored as parquet "
        f"location '{place}'"
    )

    # A Hive table keeps milliseconds.
    assert values("select n, ts from tmp.made order by n") == [
        ["7", "2026-01-01 10:07:00.000000"],
        ["9", "2026-02-01 00:00:00.123000"],
    ]
    assert values("select sum(b.n), max(b.more) from tmp.beside b") == [["16", None]]
    run("drop table tmp.made")
    assert "does not exist" in refusal("select * from tmp.made")
    assert len(house.warehouse.objects.list(place)) == 2  # Athena leaves the files


def test_a_token_starts_one_text_once(house: AthenaHouse) -> None:
    token = "t" * 32
    first = start("select 1", ClientRequestToken=token)

    assert start("select 1", ClientRequestToken=token) == first
    assert start("select 1") != first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        start("select 2", ClientRequestToken=token)


def test_results_are_reused_by_age(house: AthenaHouse) -> None:
    by_age = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    text = "select count(*) as reused from waf.r"
    first, second = (run(text, ResultReuseConfiguration=by_age) for _ in range(2))
    third = run(text)

    reused = [
        shown["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
        for shown in (first, second, third)
    ]
    assert reused == [False, True, False]
    assert second["ResultConfiguration"] == first["ResultConfiguration"]


def test_a_stopped_query_ends(house: AthenaHouse) -> None:
    identity = start(LONG)
    while execution(identity)["Status"]["State"] == "QUEUED":
        pass
    athena().stop_query_execution(QueryExecutionId=identity)

    status = ended(identity)["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        "CANCELLED",
        "Query cancelled by user",
    )


def test_workgroups_must_exist_and_can_enforce_their_place(house: AthenaHouse) -> None:
    own = f"s3://{BUCKET}/own/"
    athena().create_work_group(
        Name="strict",
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": own},
        },
    )

    assert run("select 1", WorkGroup="strict")["ResultConfiguration"]["OutputLocation"].startswith(
        own
    )
    with pytest.raises(ClientError, match="WorkGroup none is not found"):
        start("select 1", WorkGroup="none")
    with pytest.raises(ClientError, match="No output location provided"):
        start("select 1", ResultConfiguration={})


def test_duckdb_itself_is_left_as_it_was(house: AthenaHouse) -> None:
    with pytest.raises(duckdb.CatalogException):
        house.warehouse.run("select * from tmp.made")
    assert house.warehouse.run("select count(*) as n from waf.r").to_pylist() == [{"n": 3}]
