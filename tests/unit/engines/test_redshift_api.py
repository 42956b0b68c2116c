"""The operations of the stand-in of the Redshift Data API, and the files it leaves in S3."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from engine_redshift import BUCKET, House, open_house

from bartizan.config import PROJECT

NOW = datetime(2026, 11, 3, 12, 30, tzinfo=UTC)
TABLES = {
    "agg.agg_country_1h": pa.table(
        {
            "bucket": pa.array(
                [datetime(2026, 11, 3, hour) for hour in (9, 10, 11, 12, 12)], pa.timestamp("us")
            ),
            "webacl": ["shop", "shop-eu", "shop", "shop", "other"],
            "country": ["DE", "FR", "CN", "DE", "DE"],
            "requests": pa.array([7, 2, 5, 9, 1], pa.int64()),
            "blocked": pa.array([1, 2, 0, 3, 4], pa.int64()),
        }
    ),
}
ROLE = "iam_role 'arn:aws:iam::111122223333:role/unload'"
WHERE = {"ClusterIdentifier": "shop-cluster", "Database": "shop"}
EXAMPLES = PROJECT / "examples/lookout/requests_by_country/lambdas/redshift"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house(TABLES, clock=lambda: NOW, page_rows=3) as opened:
        yield opened


def test_parameters_are_values_and_must_fit(house: House) -> None:
    where = "webacl = :acl and country <> :other"
    sql = f"select country from agg.agg_country_1h where {where} order by 1"
    given = [{"name": "acl", "value": "shop"}, {"name": "other", "value": "x' or '1'='1"}]
    assert house.rows(sql, Parameters=given) == [["CN"], ["DE"], ["DE"]]
    for wrong in (given[:1], [*given, {"name": "more", "value": "1"}]):
        with pytest.raises(ClientError, match="Parameters list"):
            house.run(sql, Parameters=wrong)


@pytest.mark.parametrize(
    "members",
    [
        {
            "ClusterIdentifier": "shop-cluster",
            "WorkgroupName": "shop-workgroup",
            "Database": "shop",
        },
        {"Database": "shop"},
        {"ClusterIdentifier": "shop-cluster"},
        {"ClusterIdentifier": "no-such-cluster", "Database": "shop"},
        {"WorkgroupName": "shop-workgroup", "Database": "shop", "DbUser": "reader"},
        {**WHERE, "DbUser": "reader", "SecretArn": "shop"},
    ],
)
def test_where_and_as_whom_must_be_clear(house: House, members: dict[str, str]) -> None:
    with pytest.raises(ClientError) as raised:
        house.client.execute_statement(Sql="select 1", **members)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_a_token_starts_once(house: House) -> None:
    started = len(house.api.started)
    first, again = (
        house.client.execute_statement(Sql="select 1", ClientToken="t1", **WHERE) for _ in range(2)
    )
    assert first["Id"] == again["Id"] and len(house.api.started) == started + 1


def test_a_batch_is_one_transaction_and_one_session(house: House) -> None:
    create = "create table agg.batch as select 1 as n"
    described = house.ended(house.client.batch_execute_statement(
        Sqls=[create, "select n from agg.batch", "select nope from agg.batch"], **WHERE
    ))  # fmt: skip
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith("Query #3 failed with ERROR: ")
    assert [part["Status"] for part in described["SubStatements"]] == [
        "FINISHED",
        "FINISHED",
        "FAILED",
    ]
    assert house.run("select n from agg.batch")["Status"] == "FAILED"  # rolled back

    described = house.ended(house.client.batch_execute_statement(
        Sqls=["create temp table mine (n bigint)",
              "insert into mine select 3 / 2 union all select 2",
              "update mine set n = 5 where n = 1", "delete from mine where n = 2",
              "select n from mine"], **WHERE
    ))  # fmt: skip
    assert described["Status"] == "FINISHED"
    assert [part["ResultRows"] for part in described["SubStatements"][1:]] == [2, 1, 1, 1]
    result = house.client.get_statement_result(Id=f"{described['Id']}:5")
    assert result["Records"] == [[{"longValue": 5}]]
    assert house.run("select n from mine")["Status"] == "FAILED"  # gone with its session


def test_merge_and_list(house: House) -> None:
    for sql in (
        "create table agg.kept (k varchar(9), n bigint)",
        "insert into agg.kept (k, n) values ('a', 1), ('b', 2)",
        "merge into agg.kept using (select 'b' as k, 7 as n union all select 'c', 8) s"
        " on kept.k = s.k when matched then update set n = s.n"
        " when not matched then insert (k, n) values (s.k, s.n)",
    ):
        described = house.run(sql, StatementName="merging")
        assert described["Status"] == "FINISHED", described["Error"]
    assert house.rows("select k, n from agg.kept order by k") == [["a", 1], ["b", 7], ["c", 8]]
    listed = house.client.list_statements(StatementName="merg", MaxResults=2)
    assert len(listed["Statements"]) == 2
    last = house.client.list_statements(
        StatementName="merg", MaxResults=2, NextToken=listed["NextToken"]
    )
    assert len(last["Statements"]) == 1 and "NextToken" not in last


def test_unload_and_copy_carry_rows_both_ways(house: House) -> None:
    table, objects = TABLES["agg.agg_country_1h"], house.warehouse.objects
    to = f"s3://{BUCKET}/out/"
    query = "select * from agg.agg_country_1h where webacl <> ''x'' order by bucket"
    options = "format as parquet parallel off"
    assert house.run(f"unload ('{query}') to '{to}one/' {ROLE} {options}")["ResultRows"] == 5
    assert objects.list(f"{to}one/") == [f"{to}one/000.parquet"]
    refused = house.run(f"unload ('{query}') to '{to}one/' {ROLE} {options}")
    assert "destination on S3 is not empty" in refused["Error"]
    house.run(f"unload ('{query}') to '{to}one/' {ROLE} {options} allowoverwrite")
    house.run(f"unload ('{query}') to '{to}two/' {ROLE} csv header gzip")
    parts = objects.list(f"{to}two/")
    assert parts == [f"{to}two/0000_part_00.gz", f"{to}two/0001_part_00.gz"]
    texts = [gzip.decompress(objects.get(part)).decode() for part in parts]
    lines = [list(csv.reader(io.StringIO(text))) for text in texts]
    assert [line[0] for line in lines] == [table.column_names] * 2
    assert sorted(line[2] for part in lines for line in part[1:]) == ["CN", "DE", "DE", "DE", "FR"]

    create = "create table agg.copied (bucket timestamp, webacl varchar(99), country varchar(2), "
    house.run(f"{create} requests bigint, blocked bigint)")
    copied = house.run(f"copy agg.copied from '{to}one/' {ROLE} format as parquet")
    assert (copied["Status"], copied["ResultRows"]) == ("FINISHED", 5)
    copied = house.run(f"copy agg.copied from '{to}two/' {ROLE} csv gzip ignoreheader 1")
    assert (copied["Status"], copied["ResultRows"]) == ("FINISHED", 5)
    twice = house.warehouse.run("select * from agg.copied order by all")
    in_order = table.sort_by([(name, "ascending") for name in table.column_names])
    assert twice.to_pylist() == [r for row in in_order.to_pylist() for r in (row, row)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("unload ('select 1 as n limit 1') to 's3://{b}/no/' {r} parquet", "Limit clause"),
        ("unload ('select 'a' as n') to 's3://{b}/no/' {r} parquet", "syntax error"),
        ("unload ('select 1 as n') to 's3://no-such-bucket/no/' {r} parquet", "NoSuchBucket"),
        ("unload ('select 1 as n') to 's3://{b}/no/' {r} format orc", "syntax error"),
        ("unload ('delete from agg.agg_country_1h') to 's3://{b}/no/' {r} parquet", "SELECT"),
        ("copy agg.agg_country_1h from 's3://{b}/nothing/' {r} parquet", "does not exist"),
    ],
)
def test_unload_and_copy_refuse(house: House, sql: str, error: str) -> None:
    described = house.run(sql.format(b=BUCKET, r=ROLE))
    assert described["Status"] == "FAILED"
    assert error in described["Error"]
    assert house.objects(f"s3://{BUCKET}/no/") == []


def test_an_unload_without_rows_writes_no_file(house: House) -> None:
    sql = f"unload ('select 1 as n where 1 = 2') to 's3://{BUCKET}/no/' {ROLE} parquet"
    described = house.run(sql)
    assert described["Status"] == "FINISHED"
    assert house.objects(f"s3://{BUCKET}/no/") == []


def test_a_cancelled_statement_ends(house: House) -> None:
    slow = "select count(*) from " + ", ".join(f"agg.agg_country_1h t{i}" for i in range(24))
    started = house.client.execute_statement(Sql=slow, **WHERE)  # 4^24 rows: hours
    assert house.client.cancel_statement(Id=started["Id"])["Status"]
    assert house.ended(started)["Status"] == "ABORTED"
    with pytest.raises(ClientError, match="already in ABORTED state"):
        house.client.cancel_statement(Id=started["Id"])


def test_the_original_connectors_run_unchanged(house: House) -> None:
    """As the original made them: the file's text, quotes doubled in it, put into an UNLOAD."""
    expected = {
        "redshift-continuous-crawl": [["2026-11-03 12:00:00", "shop", "DE", "9", "3"]],
        "redshift-historical-crawl": [
            ["2026-11-03 09:00:00", "shop", "DE", "7", "1"],
            ["2026-11-03 10:00:00", "shop-eu", "FR", "2", "2"],
            ["2026-11-03 11:00:00", "shop", "CN", "5", "0"],
        ],
    }
    for crawl, lines in expected.items():
        to = f"s3://{BUCKET}/original/{crawl}/"
        query = (EXAMPLES / crawl / "query.sql").read_text()
        described = house.run(f"unload ('{query}') to '{to}' {ROLE} header CSV;")
        assert described["Status"] == "FINISHED", described["Error"]
        texts = [house.warehouse.objects.get(part).decode() for part in house.objects(to)]
        found = [line for text in texts for line in list(csv.reader(io.StringIO(text)))[1:]]
        assert sorted(found) == lines
