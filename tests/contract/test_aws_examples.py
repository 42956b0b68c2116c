"""The Athena guide's queries over AWS WAF logs, on our lake: in DuckDB, and as Athena would.

Right is what the table that the guide creates would show of the same log records.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pyarrow as pa
import pytest
from engine_athena import CONNECTION, AthenaHouse, athena_house
from guide_table import PUBLISHED, RECORDS, STARTS, Row, published
from landing_house import House
from waf_logs import lines, write_object

from bartizan.config import PROJECT
from bartizan.engines import DuckDBEngine, EngineName
from bartizan.engines.guard import tables_of
from bartizan.model.window import Window

LAKE_SQL = PROJECT / "include" / "sql" / "lake"
EXAMPLES = {path.stem: path.read_text() for path in (LAKE_SQL / "examples").glob("*.sql")}
WINDOW = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
BETWEEN = "where event_time >= {{ start }} and event_time < {{ end }}"
NOW = datetime(2026, 11, 14, tzinfo=UTC)

ROWS = [published(log) for log in RECORDS]


def instant(row: Row) -> datetime:
    return datetime.fromtimestamp(row["timestamp"] / 1000, UTC)


def in_month(rows: Iterable[Row] = ROWS) -> list[Row]:
    return [row for row in rows if (instant(row).year, instant(row).month) == (2026, 11)]


def since(days: int) -> list[Row]:
    return [row for row in ROWS if instant(row) > NOW - timedelta(days=days)]


def request(row: Row, *names: str) -> Row:
    return {name: row["httprequest"][name] for name in names}


def own(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def readable(row: Row) -> Row:
    time = f"{instant(row):%Y-%m-%dT%H:%M:%S}.000Z"
    return {"time_iso_8601": time} | own(row, "httpsourcename", "httpsourceid", "httprequest")


def counted(rows: Iterable[Row], name: str = "count") -> list[Row]:
    """Each row once, with how often it is there."""
    counts = Counter(json.dumps(row) for row in rows)
    return [json.loads(row) | {name: count} for row, count in counts.items()]


def headers(rows: Iterable[Row], name: str) -> list[str]:
    values = [h for row in rows for h in row["httprequest"]["headers"] if h["name"] == name]
    return [header["value"] for header in values]


def five_minutes(row: Row) -> str:
    time = instant(row)
    return f"{time.replace(minute=time.minute // 5 * 5):%Y-%m-%d %H:%M}"


EXPECTED: Mapping[str, Callable[[], list[Row]]] = {
    "count_referrers": lambda: [
        {"referer_count": sum("amazon" in text for text in headers(in_month(), "Referer"))}
    ],
    "count_excluded_rule_addresses": lambda: counted(
        request(row, "clientip") | own(group, "excludedrules", "rulegroupid")
        for row in since(10)
        for group in row["rulegrouplist"]
        if group["excludedrules"] is not None
    ),
    "group_counted_managed_rules": lambda: counted(
        own(row, "httpsourceid")
        | request(row, "clientip")
        | own(group, "rulegroupid", "nonterminatingmatchingrules")
        for row in ROWS
        if row["action"] != "BLOCK"
        for group in row["rulegrouplist"]
        if group["nonterminatingmatchingrules"]
    ),
    "group_counted_custom_rules": lambda: counted(
        own(row, "httpsourceid") | request(row, "clientip") | own(rule, "ruleid", "action")
        for row in ROWS
        if row["action"] != "BLOCK"
        for rule in row["nonterminatingmatchingrules"]
    ),
    "readable_timestamp": lambda: [readable(row) for row in ROWS][:10],
    "last_24_hours": lambda: [readable(row) for row in since(1)][:10],
    "date_range_and_address": lambda: [
        row for row in in_month() if row["httprequest"]["clientip"] == "198.51.100.3"
    ],
    "addresses_per_five_minutes": lambda: counted(
        ({"five_minutes_ts": five_minutes(row)} | request(row, "clientip") for row in in_month()),
        "ip_count",
    ),
    "count_forwarded_for": lambda: counted(
        {"ip": value} for value in headers(since(10), "X-Forwarded-For")
    ),
    "top_addresses_by_rule_type": lambda: counted(
        request(row, "clientip")
        for row in in_month()
        if (row["terminatingruletype"], row["action"]) == ("RATE_BASED", "BLOCK")
    ),
    "count_blocks_from_country": lambda: counted(
        request(row, "country")
        for row in ROWS
        if row["terminatingruletype"] == "RATE_BASED" and row["httprequest"]["country"] == "IE"
    ),
    "count_blocks_by_attributes": lambda: counted(
        own(row, "webaclid", "terminatingruleid") | request(row, "clientip", "uri")
        for row in ROWS
        if row["action"] == "BLOCK"
    ),
    "count_rule_matches": lambda: counted(
        own(row, "webaclid", "action") | request(row, "clientip", "uri")
        for row in ROWS
        if row["terminatingruleid"] == "rate-by-ip"
    ),
    "top_blocked_addresses": lambda: counted(
        (request(row, "clientip", "country") for row in in_month() if row["action"] == "BLOCK"),
        "ipcount",
    ),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("house"))
    write_object(house.source, "logs", lines(RECORDS), STARTS[0])
    assert house.land().counts.requests == len(RECORDS)
    return house


@pytest.fixture(scope="module", params=[EngineName.DUCKDB, EngineName.ATHENA], ids=str)
def rows_of(request: pytest.FixtureRequest, lake: House) -> Iterator[Callable[[str], list[Row]]]:
    """Runs a query; rows of texts as Athena shows them."""
    engine = DuckDBEngine(lake.lake)
    if request.param is EngineName.DUCKDB:
        yield lambda text: shown(engine.query(text, WINDOW))
        return
    landed = engine.query(f"select * from waf.requests {BETWEEN}", WINDOW)
    with athena_house({"waf.requests": landed}) as house:
        athena = boto3.client("athena")
        in_console(house, athena, (LAKE_SQL / "athena" / "waf_logs.sql").read_text())
        yield lambda text: in_console(house, athena, text)


def in_console(house: AthenaHouse, athena: Any, text: str) -> list[Row]:
    """What someone gets who runs the text in the database `waf`."""
    execution = athena.start_query_execution(
        QueryString=text,
        QueryExecutionContext={"Database": "waf"},
        ResultConfiguration={"OutputLocation": CONNECTION.output},
    )["QueryExecutionId"]
    while state(athena, execution) in ("QUEUED", "RUNNING"):
        house.api.wait(1)
    found = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"]
    table = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found]
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def state(athena: Any, execution: str) -> str:
    found = athena.get_query_execution(QueryExecutionId=execution)
    return str(found["QueryExecution"]["Status"]["State"])


def shown(rows: pa.Table) -> list[Row]:
    return [{name.lower(): text(cell) for name, cell in row.items()} for row in rows.to_pylist()]


def text(value: Any, outermost: bool = True) -> str | None:
    """A value as Athena writes it."""
    if isinstance(value, list):
        return f"[{', '.join(str(text(one, False)) for one in value)}]"
    if isinstance(value, dict):
        members = (f"{name}={text(one, False)}" for name, one in value.items())
        return f"{{{', '.join(members)}}}"
    if value is None:
        return None if outermost else "null"
    return str(value)


def comparable(rows: Iterable[Row]) -> Counter[str]:
    """A list that is not there counts as an empty one: landing makes no difference."""
    texts = ({k: None if v == "[]" else v for k, v in row.items()} for row in rows)
    plain = (json.dumps(row, sort_keys=True) for row in texts)
    return Counter(row.replace("=[]", "=null") for row in plain)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(rows_of: Callable[[str], list[Row]], name: str) -> None:
    query = EXAMPLES[name].replace("now()", f"timestamp '{NOW:%Y-%m-%d %H:%M:%S} UTC'")
    expected = [{key: text(value) for key, value in row.items()} for row in EXPECTED[name]()]

    found = rows_of(query)

    assert expected
    columns = expected[0].keys()
    assert comparable({c: row[c] for c in columns} for row in found) == comparable(expected)
    if "order by" in query and "count" in columns:
        order = [int(row["count"]) for row in found]
        assert order == sorted(order, reverse="desc" in query)


def test_examples_are_those_of_the_guide() -> None:
    assert EXAMPLES.keys() == EXPECTED.keys()
    assert len(EXAMPLES) == 14


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("engine", [EngineName.DUCKDB, EngineName.ATHENA], ids=str)
def test_the_guard_lets_them_through(engine: EngineName, name: str) -> None:
    assert tables_of(EXAMPLES[name], engine) == ("waf_logs",)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "now()" in EXAMPLES[name]])
def test_now_is_the_present(rows_of: Callable[[str], list[Row]], name: str) -> None:
    later = EXAMPLES[name].replace("now()", "now() + interval '36500' day")

    assert rows_of(later) == []
    assert rows_of(EXAMPLES[name].replace("now()", "now() - interval '36500' day"))


def test_the_view_shows_what_the_guides_table_shows(rows_of: Callable[[str], list[Row]]) -> None:
    found = rows_of("select * from waf_logs")

    assert list(found[0])[: len(PUBLISHED)] == list(PUBLISHED)
    expected = [{name: text(value) for name, value in row.items()} for row in ROWS]
    assert comparable({name: row[name] for name in PUBLISHED} for row in found) == comparable(
        expected
    )
    for row in found:
        time = datetime.fromtimestamp(int(row["timestamp"]) / 1000, UTC)
        assert row["log_time"] == f"{time:%Y/%m/%d/%H/%M}"
        assert row["date"] == f"{time:%Y/%m/%d}"
        assert (row["event_date"], row["event_hour"]) == (f"{time:%Y-%m-%d}", str(time.hour))
        assert row["region"] == "cloudfront"


def test_a_log_time_is_a_filter(rows_of: Callable[[str], list[Row]]) -> None:
    first = f"{STARTS[1]:%Y/%m/%d/%H/%M}"
    last = f"{STARTS[1] + timedelta(minutes=5):%Y/%m/%d/%H/%M}"
    where = f"where log_time >= '{first}' and log_time < '{last}'"

    assert rows_of(f"select count(*) as n from waf_logs {where}") == [{"n": "5"}]
