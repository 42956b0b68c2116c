"""Connector files: what is wrong is one line; what the two that come with Bartizan measure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lakes import SmallLake, landed, requests
from upath import UPath

from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.crawl import check, crawl, load_connector, load_connectors
from bartizan.errors import ConfigError
from bartizan.model.connector import Aggregation, Measure, Missing
from bartizan.model.source import FileFormat, FileKind, FolderLabel, Source
from bartizan.model.window import HOUR, Window

SQL = PROJECT / "include" / "sql"
START = datetime(2026, 11, 1, tzinfo=UTC)
GOOD = """\
description: Logins
frequency: PT1H
offset: 300
timestamp: {column: at, format: yyyy-MM-dd HH:mm:ss}
dimensions: [site]
measures:
  - {name: logins, aggregation: AVG, missing: gap}
alert: {threshold: 85}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "connectors" / "logins"
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text(GOOD)
    (folder / "query.sql").write_text("select 1")
    return folder


def test_every_key_reaches_the_connector(folder: Path) -> None:
    connector = load_connectors(folder.parents[1])["logins"]

    assert (connector.name, connector.description) == ("logins", "Logins")
    assert (connector.frequency, connector.offset) == (HOUR, timedelta(minutes=5))
    assert connector.columns == ("at", "site", "logins")
    assert connector.measures == (Measure("logins", Aggregation.AVG, Missing.GAP),)
    assert (connector.alert_threshold, connector.query) == (85.0, "select 1")
    assert (connector.engine, connector.connection, connector.reads_lake) == ("duckdb", None, True)


WIDE = """\
description: Latency
engine: redshift
connection: shop
frequency: PT15M
timestamp: {column: at}
dimensions: [site]
measures:
  - {name: p95, aggregation: P95, of: [latency]}
  - {name: slowest, aggregation: MAX, of: [latency], missing: carry, carry_for: PT1H}
  - {name: errors}
  - {name: users, aggregation: COUNT_DISTINCT, of: [user]}
  - {name: error_rate, aggregation: RATIO, of: [errors, requests]}
filters: {country: [DE, FR], action: [BLOCK]}
"""


def test_every_further_key_reaches_the_connector(folder: Path) -> None:
    (folder / "connector.yaml").write_text(WIDE)
    (folder / "query.redshift.sql").write_text("select 2")
    connector = load_connector(folder)

    assert connector.columns == ("at", "site", "latency", "errors", "user", "requests")
    assert connector.text_columns == {"user"}
    hour, gap = HOUR, Missing.GAP
    assert connector.measures == (
        Measure("p95", Aggregation.P95, gap, ("latency",)),
        Measure("slowest", Aggregation.MAX, Missing.CARRY, ("latency",), hour),
        Measure("errors", Aggregation.SUM, Missing.ZERO),
        Measure("users", Aggregation.COUNT_DISTINCT, Missing.ZERO, ("user",)),
        Measure("error_rate", Aggregation.RATIO, gap, ("errors", "requests")),
    )
    assert connector.filters == (("country", ("DE", "FR")), ("action", ("BLOCK",)))
    assert (connector.engine, connector.connection, connector.reads_lake) == (
        "redshift", "shop", False,
    )  # fmt: skip
    assert (connector.query, connector.origin) == ("select 2", "logins/query.redshift.sql")


def test_an_engines_own_query_wins_and_a_misspelt_one_is_told(folder: Path) -> None:
    (folder / "query.redshift.sql").write_text("select 2")
    assert load_connector(folder).query == "select 1"
    (folder / "query.redshft.sql").write_text("select 3")
    with pytest.raises(ConfigError, match=r"query\.redshft\.sql: is of no engine — engines are"):
        load_connector(folder)


SOURCE = """\
description: Shop
frequency: PT1H
timestamp: {column: ts, format: UNIX}
measures: [{name: n}]
source:
  live: s3://amzn-s3-demo-bucket/live/{{yyyyMMdd}}/{{HHmm}}/
  history: s3://amzn-s3-demo-bucket/backtest
  folder_label: end
  timezone: America/New_York
  format: {header: false, columns: [ts, n], delimiter: ";", quote: "", charset: latin-1}
"""


def test_files_of_others_need_no_query(folder: Path) -> None:
    (folder / "connector.yaml").write_text(SOURCE)
    with pytest.raises(ConfigError, match=r"query\.sql: stands beside source:"):
        load_connector(folder)
    (folder / "query.sql").unlink()
    source = load_connector(folder).source
    assert source == Source(
        live="s3://amzn-s3-demo-bucket/live/{{yyyyMMdd}}/{{HHmm}}/",
        history="s3://amzn-s3-demo-bucket/backtest",
        format=FileFormat(FileKind.CSV, "latin-1", False, ("ts", "n"), ";", ""),
        folder_label=FolderLabel.END,
        timezone="America/New_York",
        timestamp_format="UNIX",
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("{{yyyyMMdd}}/{{HHmm}}/", "x", "source.live: 's3://amzn-s3-demo-bucket/live/x': is no"),
        ("{{HHmm}}", "{{HHmq}}", "'q' is not known — docs/connectors.md lists what is"),
        ("backtest", "{{yyyy}}", "is a template — write one folder"),
        ("America/New_York", "Mars/Base", "source.timezone: 'Mars/Base' is no time zone"),
        ("America/New_York", "../../etc/passwd", "is no time zone"),
        ("frequency: PT1H", "frequency: P1D", "intervals of America/New_York do not begin where"),
        ("columns: [ts, n], ", "", "source.format: columns and header — write columns"),
        ('";"', '";;"', "source.format.delimiter: ';;' is not one sign"),
        ("latin-1", "latin-99", "source.format.charset: 'latin-99' is no known charset"),
        ("UNIX", "yyyy-MM-ddTHH", "timestamp.format: 'yyyy-MM-ddTHH': 'T' is not known"),
        ("frequency:", "engine: athena\nfrequency:", "source and engine — leave engine out"),
    ],
)
def test_a_wrong_source_is_one_line(folder: Path, old: str, new: str, text: str) -> None:
    assert old in SOURCE
    (folder / "query.sql").unlink()
    (folder / "connector.yaml").write_text(SOURCE.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_connector(folder)
    assert text in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            "PT1H",
            "PT7M",
            "frequency: 'PT7M' is unknown"
            " — write one of 'PT1M', 'PT5M', 'PT10M', 'PT15M', 'PT1H' or 'P1D'",
        ),
        (
            "frequency:",
            "frequenzy:",
            "frequenzy: unknown key (and 1 more) — did you mean 'frequency'?",
        ),
        ("offset: 300", "", ""),
        (
            "offset: 300",
            "offset: -1",
            "offset: -1 is not within 0 to 5 days — write seconds or PT5M",
        ),
        (
            "offset: 300",
            "offset: soon",
            "offset: 'soon' is neither seconds nor a duration — write 300 or PT5M",
        ),
        (
            "missing: gap",
            "missing: nil",
            "measures[0].missing: 'nil' is unknown — write one of 'zero', 'gap' or 'carry'",
        ),
        (
            "AVG",
            "MEDIAN",
            "measures[0].aggregation: 'MEDIAN' is unknown — write one of 'SUM', 'AVG', 'COUNT',"
            " 'MIN', 'MAX', 'P50', 'P95', 'P99', 'COUNT_DISTINCT' or 'RATIO'",
        ),
        ("AVG", "RATIO", "measures[0]: RATIO of [] — write of: [numerator, denominator]"),
        (
            "AVG",
            "AVG, of: [a, b]",
            "measures[0]: AVG of ['a', 'b'] — write of: [column], or leave it out",
        ),
        ("AVG", "P95, of: [at]", "column 'at' is named twice — give each column one role"),
        (
            "missing: gap",
            "missing: carry",
            "measures[0]: missing: carry and carry_for belong together — write carry_for: PT1H",
        ),
        (
            "missing: gap",
            "missing: carry, carry_for: PT10M",
            "carry_for of 'logins' is shorter than an interval — make it longer",
        ),
        (
            "missing: gap",
            "carry_for: PT1H",
            "measures[0]: missing: carry and carry_for belong together — write carry_for: PT1H",
        ),
        (
            "alert:",
            "filters: {site: [{Value: DE, FilterOperation: equals}]}\nalert:",
            "filters: is in the form of Lookout for Metrics — write {country: [DE, FR]}",
        ),
        (
            "alert:",
            "filters: [{Name: site, FilterList: []}]\nalert:",
            "filters: is in the form of Lookout for Metrics — write {country: [DE, FR]}",
        ),
        (
            "alert:",
            "filters: {status: [200]}\nalert:",
            "filters.status[0]: 200 is wrong — input should be a valid string",
        ),
        (
            "alert:",
            "filters: {site: []}\nalert:",
            "filters.site: [] is wrong — list should have at least 1 item after validation, not 0",
        ),
        (
            "alert:",
            "engine: oracle\nalert:",
            "engine: 'oracle' is unknown"
            " — write one of 'duckdb', 'athena', 'redshift', 'postgresql' or 'cloudwatch'",
        ),
        (
            "alert:",
            "connection: shop\nalert:",
            "duckdb has no connection — leave connection out, or name an engine",
        ),
        (
            "missing: gap",
            "misssing: gap",
            "measures[0].misssing: unknown key — did you mean 'missing'?",
        ),
        ("[site]", "[site, at]", "column 'at' is named twice — give each column one role"),
        (
            "[site]",
            "[site; drop]",
            "dimensions[0]: 'site; drop' is no column name — use 1-63 letters, digits, - and _",
        ),
        (
            "[site]",
            "[site",
            "line 6: not YAML: expected ',' or ']', but got ':' — correct the line",
        ),
        ("85", "101", "alert.threshold: 101 is wrong — input should be less than or equal to 100"),
        (
            "HH:mm:ss",
            "HH:mm",
            "timestamp.format 'yyyy-MM-dd HH:mm' is of a source's files"
            " — write yyyy-MM-dd HH:mm:ss: files are written so",
        ),
        (
            "description: Logins",
            "description: 5",
            "description: 5 is wrong — input should be a valid string",
        ),
        ("description: Logins\n", "", "description: is missing — add it"),
    ],
)
def test_a_wrong_connector_file_is_one_line(folder: Path, old: str, new: str, text: str) -> None:
    file = folder / "connector.yaml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    if not text:
        assert load_connector(folder).offset == timedelta(0)
        return

    with pytest.raises(ConfigError) as caught:
        load_connector(folder)

    assert str(caught.value) == f"{file}: {text}"


def test_files_that_are_not_there_are_named(folder: Path) -> None:
    (folder / "query.sql").unlink()
    with pytest.raises(ConfigError, match=r"logins/query\.sql: no such file — write the query"):
        load_connector(folder)
    with pytest.raises(ConfigError, match=r"none/connector\.yaml: no such file"):
        load_connector(folder.parent / "none")


@pytest.fixture
def small(tmp_path: Path) -> SmallLake:
    """3 blocked requests (2 rules, one in a group), 1 counted, 1 challenged; 2 countries."""
    small = SmallLake.open(tmp_path)
    block = {"rule_action": "BLOCK", "terminating": True}
    hits = [
        {"event_time": START, "rule": "limit", **block},
        {"event_time": START + timedelta(minutes=1), "rule": "limit", **block},
        {"event_time": START + timedelta(minutes=7), "rule_group": "G", "rule": "sqli", **block},
        {"event_time": START, "rule": "sqli", "rule_action": "BLOCK", "terminating": False},
        {"event_time": START, "rule": "watch", "rule_action": "COUNT", "terminating": False},
        {"event_time": START, "rule": "bot", "rule_action": "CHALLENGE", "terminating": True},
    ]
    traffic = requests([START, START + HOUR], country="DE")
    small.land("a", requests=traffic, rule_hits=landed("rule_hits", hits))
    for table in load_tables(SQL).values():
        build(small.store, small.lake, small.engine, table)
    return small


def test_every_blocked_request_has_a_rule_or_the_default_action(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    second = timedelta(seconds=1)
    blocked = [{"event_time": START + n * second, "action": "BLOCK"} for n in range(7)]
    allowed = [{"event_time": START + n * second, "action": "ALLOW"} for n in range(9)]
    other = [{"event_time": START, "webacl": "blog", "action": "BLOCK"}]
    hit = {"rule": "sqli", "rule_action": "BLOCK", "terminating": True}
    small.land(
        "a",
        requests=landed("requests", [*blocked, *allowed, *other]),
        rule_hits=landed("rule_hits", [{"event_time": START + n * second} | hit for n in range(4)]),
    )
    for table in load_tables(SQL).values():
        build(small.store, small.lake, small.engine, table)
    checked = check(
        load_connectors(SQL)["waf_blocked_requests"], small.engine, Window(START, START + HOUR)
    )
    found = {(row["webacl"], row["rule"], row["blocked"]) for row in checked.sample}
    assert found == {
        ("shop", "sqli", "4"),
        ("shop", "Default_Action", "3"),
        ("blog", "Default_Action", "1"),
    }


def test_the_connectors_that_come_with_bartizan(small: SmallLake, tmp_path: Path) -> None:
    connectors = load_connectors(SQL)
    window, metrics = Window(START, START + 2 * HOUR), UPath(tmp_path / "metrics")
    blocked, country = (connectors[n] for n in ("waf_blocked_requests", "waf_traffic_by_country"))

    assert crawl(small.engine, blocked, metrics, [window], window.end).intervals == 24
    assert crawl(small.engine, country, metrics, [window], window.end).intervals == 2

    live = tmp_path / "metrics" / "waf_blocked_requests" / "live" / "20261101"
    text = {path.parent.name: path.read_text() for path in live.glob("*/*.csv")}
    header = "timestamp,webacl,rule,blocked\n"
    assert text == {
        "0000": header + "2026-11-01 00:00:00,shop,limit,2\n",
        "0005": header + "2026-11-01 00:05:00,shop,sqli,1\n",
    }
    live = tmp_path / "metrics" / "waf_traffic_by_country" / "live" / "20261101"
    assert [path.read_text().split("\n")[1] for path in sorted(live.glob("*/*.csv"))] == [
        "2026-11-01 00:00:00,shop,DE,1",
        "2026-11-01 01:00:00,shop,DE,1",
    ]

    checked = check(blocked, small.engine, window)
    assert (checked.rows, checked.series, len(checked.sample)) == (2, 2, 2)
    assert {row["rule"] for row in checked.sample} == {"limit", "sqli"}
