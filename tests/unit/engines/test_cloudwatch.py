"""Metrics of CloudWatch as rows: which series, which periods, which zeros, and live = history."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from cloudwatch_house import Cloud, cloudwatch_server
from upath import UPath

from bartizan import jobs
from bartizan.config import PROJECT
from bartizan.crawl import backfill, check, crawl, load_connector
from bartizan.engines.base import EngineName
from bartizan.engines.cloudwatch import CloudWatchEngine
from bartizan.engines.connections import CloudWatch, connection_from
from bartizan.errors import ConfigError, UsageError
from bartizan.model.window import DAY, HOUR, Window, naive

START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EXAMPLE = PROJECT / "examples" / "cloudwatch" / "aws_waf_counters"
WAF = """
namespace: AWS/WAFV2
metrics: {blocked: BlockedRequests, allowed: AllowedRequests}
period: PT5M
dimensions: {webacl: WebACL}
where: {Rule: [ALL], Region: [eu-west-1]}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with cloudwatch_server() as url:
        yield url


@pytest.fixture
def cloud(server: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(server, monkeypatch)


def engine(now: datetime = START + DAY) -> CloudWatchEngine:
    return CloudWatchEngine(CloudWatch("eu-west-1"), lambda: now)


def described(**changes: object) -> str:
    kept = {**yaml.safe_load(WAF), **changes}
    return yaml.safe_dump({name: value for name, value in kept.items() if value is not None})


def test_a_known_series_has_a_row_in_every_period_that_is_over(cloud: Cloud) -> None:
    chance = random.Random(7)
    counted: Counter[tuple[str, datetime]] = Counter()
    for _ in range(40):
        metric, minute = chance.choice(["Blocked", "Allowed"]), chance.randrange(60)
        value = chance.randrange(1, 100)
        cloud.count(START + minute * MINUTE, value, f"{metric}Requests")
        counted[metric, naive(START + minute // 5 * 5 * MINUTE)] += value
    cloud.put(START, 5, WebACL="shop", Rule="sqli", Region="eu-west-1")
    cloud.put(START, 5, WebACL="shop", Rule="ALL", Region="eu-west-1", Country="DE")
    window = Window(START + 3 * MINUTE, START + HOUR - 2 * MINUTE)

    rows = engine(now=START + 53 * MINUTE).query(WAF, window)

    starts = [naive(START + n * MINUTE) for n in range(5, 50, 5)]
    assert rows.schema.types == [pa.timestamp("us"), pa.string(), pa.float64(), pa.float64()]
    assert rows.to_pylist() == [
        {
            "timestamp": start,
            "webacl": "shop",
            "blocked": float(counted["Blocked", start]),
            "allowed": float(counted["Allowed", start]),
        }
        for start in starts
    ]
    assert 0.0 in rows["blocked"].to_pylist() and sum(counted.values()) > 500


def test_a_window_of_which_nothing_is_over_has_columns_and_no_rows(cloud: Cloud) -> None:
    cloud.count(START, 1)

    rows = engine(now=START + 4 * MINUTE).query(WAF, Window(START, START + HOUR))

    assert (rows.num_rows, rows.column_names) == (0, ["timestamp", "webacl", "blocked", "allowed"])


def test_a_late_datapoint_takes_the_place_of_a_zero(cloud: Cloud) -> None:
    cloud.count(START, 1)
    window = Window(START, START + 10 * MINUTE)
    before = engine().query(WAF, window)["blocked"].to_pylist()

    cloud.count(START + 7 * MINUTE, 3)

    assert before == [1.0, 0.0]
    assert engine().query(WAF, window)["blocked"].to_pylist() == [1.0, 3.0]


def test_regions_and_the_web_acls_of_cloudfront(cloud: Cloud) -> None:
    name = "sho\"p,'; drop"
    cloud.put(START, 1, WebACL=name, Rule="ALL", Region="eu-west-1")
    cloud.put(START, 2, WebACL=name, Rule="ALL", Region="us-east-1", region="us-east-1")
    cloud.put(START, 4, WebACL=name, Rule="ALL", region="us-east-1")
    query = described(
        dimensions={"webacl": "WebACL", "region": "Region"},
        where={"Rule": ["ALL"]},
        absent={"Region": "cloudfront"},
        regions=["eu-west-1", "us-east-1"],
    )
    window = Window(START, START + 5 * MINUTE)

    rows = engine().query(query, window).to_pylist()
    here = engine().query(WAF, window).to_pylist()

    assert {(row["webacl"], row["region"]): row["blocked"] for row in rows} == {
        (name, "eu-west-1"): 1.0,
        (name, "us-east-1"): 2.0,
        (name, "cloudfront"): 4.0,
    }
    assert [row["blocked"] for row in here] == [1.0]
    assert engine().scans(query, Window(START, START + HOUR))[0].rows == 3 * 12
    by_webacl = described(regions=["us-east-1"], where=None)
    assert engine().query(by_webacl, window).num_rows == 0  # these series have a Rule as well


def test_without_zeros_only_what_has_a_datapoint_has_a_row(cloud: Cloud) -> None:
    cloud.count(START, 4)
    cloud.count(START + MINUTE, 8)
    cloud.count(START + 11 * MINUTE, 3, "AllowedRequests")
    window = Window(START, START + HOUR)

    means = engine().query(described(statistic="Average"), window)
    sums = engine().query(described(fill="none"), window)

    assert means.select(["blocked", "allowed"]).to_pylist() == [
        {"blocked": 6.0, "allowed": None},
        {"blocked": None, "allowed": 3.0},
    ]
    assert sums["blocked"].to_pylist() == [12.0, None]


@pytest.mark.parametrize(
    ("period", "kept"),
    [("PT1M", 15 * DAY), ("PT5M", 63 * DAY), ("PT15M", 63 * DAY), ("PT1H", 455 * DAY)],
)
def test_a_window_that_cloudwatch_no_longer_keeps(
    cloud: Cloud, period: str, kept: timedelta
) -> None:
    query = described(period=period)
    oldest = START + DAY - kept

    assert engine().query(query, Window(oldest, oldest + HOUR)).num_rows == 0
    for ask in (engine().query, engine().scans):
        with pytest.raises(UsageError, match=f"for {kept.days} days — start at ") as caught:
            ask(query, Window(oldest - MINUTE, oldest + HOUR))
        assert ("PT1H (455 days)" in str(caught.value)) == (period != "PT1H")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"metric": {}}, "metric: unknown key — did you mean 'metrics'?"),
        ({"metrics": {}}, "metrics: "),
        ({"metrics": {"webacl": "BlockedRequests"}}, "column 'webacl' is named twice"),
        ({"dimensions": {"timestamp": "WebACL"}}, "column 'timestamp' is named twice"),
        ({"dimensions": {"a b": "WebACL"}}, "'a b' is no column name"),
        ({"statistic": "Sums"}, "statistic: 'Sums' is unknown"),
        ({"statistic": "p95", "fill": "zero"}, "fill: zero with p95"),
        ({"period": "PT2M"}, "period: 'PT2M' is unknown"),
        ({"absent": {"Stage": "x"}}, "absent names 'Stage'"),
        ({"where": {"Rule": []}}, "where.Rule: "),
    ],
)
def test_a_wrong_query_is_one_line_with_file_and_key(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        engine().query(described(**changes), Window(START, START + HOUR), "x/query.cloudwatch.yaml")

    message = str(caught.value)
    assert message.startswith("x/query.cloudwatch.yaml") and text in message and "\n" not in message


def test_sql_is_no_query_of_cloudwatch() -> None:
    with pytest.raises(ConfigError, match="write `key: value` lines"):
        engine().query("select 1", Window(START, START + HOUR))
    with pytest.raises(ConfigError, match="reads no given tables"):
        engine().query(WAF, Window(START, START + HOUR), given={"a": pa.table({"x": [1]})})


def test_the_example_is_a_connector_whose_period_is_its_frequency(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "counters"))

    loaded = load_connector(folder)
    assert (loaded.engine, loaded.query_file) == (EngineName.CLOUDWATCH, "query.cloudwatch.yaml")
    assert not loaded.reads_lake

    query = folder / "query.cloudwatch.yaml"
    query.write_text(query.read_text().replace("PT5M", "PT1M"))
    with pytest.raises(ConfigError, match=r"period: PT1M is not the frequency .* write PT5M"):
        load_connector(folder)
    query.rename(folder / "query.sql")
    with pytest.raises(ConfigError, match=r"query.cloudwatch.yaml: no such file"):
        load_connector(folder)


def test_live_and_history_of_the_example_have_the_same_bytes(cloud: Cloud, tmp_path: Path) -> None:
    connector, metrics = load_connector(EXAMPLE), UPath(tmp_path)
    for minute in (0, 1, 63, 200, 1439):
        cloud.count(START + minute * MINUTE, minute + 1)
    hours = list(Window(START, START + DAY).split(HOUR))

    live = [crawl(engine(), connector, metrics, [hour], hour.end) for hour in hours]
    lines = [
        line
        for path in sorted(tmp_path.glob("*/live/*/*/*.csv"))
        for line in path.read_text().splitlines()[1:]
    ]
    history = backfill(engine(), connector, metrics, [Window(START, START + DAY)], parallel=2)

    [written] = tmp_path.glob("*/backtest/*.csv")
    assert (sum(one.rows for one in live), history.rows, len(lines)) == (288, 288, 288)
    assert written.read_text().splitlines()[1:] == lines
    assert sum(int(line.split(",")[3]) for line in lines) == 1 + 2 + 64 + 201 + 1440
    checked = check(connector, engine(), Window(START, START + HOUR))
    assert (checked.rows, checked.series, checked.warnings) == (12, 4, ())


def test_hourly_runs_look_again_at_intervals_of_zeros(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "sql" / "connectors" / "counters")
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_SQL", str(tmp_path / "sql"))
    for name in ("LAKE", "STORE", "METRICS", "LATE"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    last = Window.hour(datetime.now(UTC) - HOUR)
    cloud.count(last.start - 3 * HOUR, 1)
    before = Window(last.start - 2 * HOUR, last.start - HOUR)
    jobs.crawl("counters", [before], catch_up=True)

    cloud.count(before.start, 9)
    again = jobs.crawl("counters", [last], catch_up=True)

    assert Window(before.start, before.start + 5 * MINUTE) in again.windows
    path = tmp_path / "metrics" / "counters" / "live" / f"{before.start:%Y%m%d/%H%M}"
    assert (path / "counters.csv").read_text().splitlines()[1].split(",")[3] == "9"


def test_connections() -> None:
    engine_name = EngineName.CLOUDWATCH
    url = {"BARTIZAN_CLOUDWATCH": "cloudwatch://?region=eu-central-1"}

    assert connection_from(engine_name, None, {}) == CloudWatch()
    assert connection_from(engine_name, None, url) == CloudWatch("eu-central-1")
    with pytest.raises(UsageError, match="BARTIZAN_CLOUDWATCH_SHOP: is not set"):
        connection_from(engine_name, "shop", url)
    with pytest.raises(UsageError, match="unknown option 'regions'"):
        connection_from(engine_name, None, {"BARTIZAN_CLOUDWATCH": "cloudwatch://?regions=a"})
