"""What the stand-in of Redshift refuses, and what its texts mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from aws_sql.redshift_dialect import Refused
from aws_sql.redshift_results import plain, records
from aws_sql.redshift_session import RedshiftSession
from aws_sql.warehouse import Warehouse

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
    "main.ecommerce": pa.table(
        {
            "ts": pa.array([datetime(2026, 11, 3, hour) for hour in (10, 11, 12, 13)]),
            "platform": [1, 2, 1, 2],
            "marketplace": [1, 1, 2, 2],
            "views": [4, 5, 6, 7],
        }
    ),
    "main.platform": pa.table({"id": [1, 2], "name": ["pc_web", "mobile_app"]}),
    "main.marketplace": pa.table({"id": [1, 2], "name": ["it", "fr"]}),
}


@pytest.fixture(scope="module")
def session() -> Iterator[RedshiftSession]:
    nowhere = "http://127.0.0.1:1"  # nothing here reads or writes S3
    with (
        Warehouse(TABLES, nowhere) as warehouse,
        closing(RedshiftSession(warehouse, lambda: NOW)) as opened,
    ):
        yield opened


def rows(session: RedshiftSession, sql: str) -> list[list[Any]]:
    """Rows as the Data API gives them."""
    answer, count = session.run(sql, {})
    assert answer is not None and answer.num_rows == count
    return [plain(record) for record in records(answer)]


# A text that Redshift refuses beside one that it runs: were the stand-in to refuse all, or nothing,
# one of the two would show it.
T = "from agg.agg_country_1h"
REFUSED = [
    (f"select count(*) filter (where blocked > 1) {T}", f"select count(*) {T} where blocked > 1"),
    (f"select x.n {T} t, lateral (select t.blocked as n) x", f"select t.blocked {T} t"),
    ("select array[1, 2]", "select 1, 2"),
    ("select [1, 2]", "select 1 + 2"),
    ("select {'a': 1}", "select 1 as a"),
    ("select unnest(split_part('a,b', ',', 1))", "select split_part('a,b', ',', 1)"),
    (
        f"select country, sum(blocked) {T} group by all",
        f"select country, sum(blocked) {T} group by 1",
    ),
    ("select * from generate_series(1, 3)", f"select row_number() over (order by country) {T}"),
    (
        f"select date_bin(interval '5 minutes', bucket, bucket) {T}",
        f"select date_trunc('hour', bucket) {T}",
    ),
    (f"select time_bucket(interval '5 minutes', bucket) {T}", f"select trunc(bucket) {T}"),
    (f"select array_agg(country) {T}", f"select listagg(country, ',') {T}"),
    (f"select string_agg(country, ',') {T}", f"select listagg(distinct country, ',') {T}"),
    ("select * from (values (1), (2)) v (a)", "select * from (select 1 as a union all select 2) v"),
    (f"select arg_max(country, requests) {T}", f"select max(country) {T}"),
    ("select list_sum(list_value(1, 2))", "select nvl(null, 2)"),
    ("select regexp_replace('aa', 'a', 'b', 'g')", "select regexp_replace('aa', 'a', 'b')"),
    (f"select distinct on (country) * {T}", f"select distinct country {T}"),
    (f"select cast(blocked as double) {T}", f"select cast(blocked as double precision) {T}"),
    (f"select blocked::hugeint {T}", f"select blocked::bigint {T}"),
    (f"select country::string {T}", f"select country::varchar(20) {T}"),
    (f"select country is distinct from 'DE' {T}", f"select country <> 'DE' {T}"),
    (f"select strftime(bucket, '%Y') {T}", f"select to_char(bucket, 'YYYY') {T}"),
    (
        "select list_transform(x, y -> y + 1) from (select 1 as x)",
        "select x + 1 from (select 1 as x)",
    ),
    ("from agg.agg_country_1h", f"select * {T}"),
    ("select epoch_ms(bucket) from agg.agg_country_1h", f"select extract(epoch from bucket) {T}"),
    (f"select * {T}; select 1", f"select * {T};"),
    ("pragma version", "select 1"),
    (
        "select nope from agg.agg_country_1h",
        f"select country {T} qualify row_number() over (order by country) = 1",
    ),
    ("select 1 from agg.nope", f"select top 1 country {T} order by country"),
    (f"select concat('a', country, 'b') {T}", f"select concat('a', country) {T}"),
]


@pytest.mark.parametrize(("refused", "runs"), REFUSED)
def test_refuses_what_redshift_refuses(session: RedshiftSession, refused: str, runs: str) -> None:
    with pytest.raises(Refused):
        session.run(refused, {})
    session.run(runs, {})


MEANING = [
    ("select 7 / 2, -7 / 2, 7 / 2.0", [[3, -3, 3.5]]),
    (
        f"select avg(requests), sum(requests) / count(*) {T}",
        [[4, 4.8]],
    ),  # the average of integers is one
    (f"select sum(requests) {T}", [["24"]]),  # numeric, which comes as text
    (
        "select getdate(), sysdate, dateadd(day, -1, current_date)",
        [["2026-11-03 12:30:00", "2026-11-03 12:30:00", "2026-11-02 00:00:00"]],
    ),
    ("select datediff(hour, timestamp '2026-11-03 09:59:00', getdate())", [[3]]),
    ("select nvl(null, 'a'), nvl2(null, 1, 2), decode(3, 1, 'x', 3, 'y', 'z')", [["a", 2, "y"]]),
    (f"select top 2 country {T} order by requests desc", [["DE"], ["DE"]]),
    (
        f"select listagg(distinct country, '|') within group (order by country desc) {T}",
        [["FR|DE|CN"]],
    ),
    (f"select listagg(country) within group (order by requests) {T}", [["DEFRCNDEDE"]]),
    (
        "select concat('a', null), 'a' || null, regexp_replace('a-b-c', '-', '+')",
        [[None, None, "a+b+c"]],
    ),
    (f"select country {T} where webacl like 'shop\\\\_%'", []),
    (f"select country {T} where webacl like 'shop\\\\-%'", [["FR"]]),
    (
        r"select 'it''s', 'it\'s', 'a\\b', 'tab\tend', '\d'",
        [["it's", "it's", "a\\b", "tab\tend", "d"]],
    ),
    (f"select country, requests {T} order by requests desc, country limit 1 offset 1", [["DE", 7]]),
    (
        f"select country, sum(requests) {T} group by country having sum(requests) > 6",
        [["DE", "17"]],
    ),
    (f"select approximate count(distinct country) {T}", [[3]]),
    (f"select percentile_cont(0.5) within group (order by requests) {T}", [[5.0]]),
    (
        "select date_part('hour', timestamp '2026-11-03 09:59'), len('äb'), charindex('b', 'abb')",
        [[9, 2, 2]],
    ),
    (
        "select convert_timezone('UTC', 'Europe/Berlin', timestamp '2026-07-01 12:00:00')",
        [["2026-07-01 14:00:00"]],
    ),
]


@pytest.mark.parametrize(("sql", "expected"), MEANING)
def test_texts_mean_what_redshift_means(
    session: RedshiftSession, sql: str, expected: list[list[Any]]
) -> None:
    assert rows(session, sql) == expected


def test_the_e_commerce_query_of_the_original_runs(session: RedshiftSession) -> None:
    sql = """select ecommerce.ts as timestamp, ecommerce.views, platform.name as platform,
        marketplace.name as marketplace
    from ecommerce, platform, marketplace
    where ecommerce.platform = platform.id
    \tand ecommerce.marketplace = marketplace.id
        and ecommerce.ts < DATEADD(hour, 0, getdate())
        and ecommerce.ts > DATEADD(hour, -2, getdate())
    order by 1"""
    assert rows(session, sql) == [
        ["2026-11-03 11:00:00", 5, "mobile_app", "it"],
        ["2026-11-03 12:00:00", 6, "pc_web", "fr"],
    ]
