"""The jobs behind crawl, backfill and check, for each kind of source."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from engines import TableEngine
from lakes import SmallLake, requests

from bartizan import jobs
from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.crawl import history, rows
from bartizan.engines.base import Engine
from bartizan.errors import UsageError
from bartizan.jobs import Feed, metrics
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector

START = datetime(2026, 1, 1, tzinfo=UTC)
SALES = """\
description: Sales
engine: postgresql
connection: shop
frequency: PT15M
offset: PT50M
timestamp: {column: timestamp}
dimensions: [site]
measures: [{name: n}]
"""
FILES = """\
description: Files of others
frequency: PT1H
timestamp: {column: ts}
dimensions: [site]
measures: [{name: n}]
source: {live: '%s/{{yyyy-MM-DD}}/{{HHmm}}'}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LAKE", "STORE", "METRICS", "POSTGRESQL_SHOP"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    for kept in ("aggregates/agg_country_1h", "connectors/waf_traffic_by_country"):
        shutil.copytree(PROJECT / "include" / "sql" / kept, tmp_path / "sql" / kept)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_SQL", str(tmp_path / "sql"))
    for name, text in {"sales": SALES, "files": FILES % (tmp_path / "theirs")}.items():
        (tmp_path / "sql/connectors" / name).mkdir()
        (tmp_path / "sql/connectors" / name / "connector.yaml").write_text(text)
    (tmp_path / "sql/connectors/sales/query.sql").write_text(
        "select * from shop.sales where ts >= {{ start }} and ts < {{ end }}"
    )
    return tmp_path


@pytest.fixture
def sales(monkeypatch: pytest.MonkeyPatch) -> TableEngine:
    """A shop with a sale every five minutes of its first hours, but none in the second."""
    minutes = [m for m in range(0, 600, 5) if not 60 <= m < 120]
    naive = START.replace(tzinfo=None)
    engine = TableEngine(
        pa.table(
            {
                "timestamp": pa.array([naive + timedelta(minutes=m) for m in minutes]),
                "site": pa.array(["a"] * len(minutes)),
                "n": pa.array(minutes, pa.int64()),
            }
        )
    )

    def opened(name: str, connection: str | None = None) -> Engine:
        assert (name, connection) == ("postgresql", "shop")
        return engine

    monkeypatch.setattr(metrics, "open_engine", opened)
    return engine


def hours(first: float, last: float) -> Window:
    return Window(START + first * HOUR, START + last * HOUR)


def test_what_a_crawl_follows_is_read_from_one_file(home: Path) -> None:
    assert jobs.feed_of("waf_traffic_by_country") is Feed.LAKE
    assert (jobs.feed_of("sales"), jobs.feed_of("files")) == (Feed.ENGINE, Feed.FILES)
    wrong: Mapping[str, bytes] = {"no yaml": b"[", "bytes": b"\xff", "list": b"- a", "none": b""}
    for content in wrong.values():
        (home / "sql/connectors/sales/connector.yaml").write_bytes(content)
        assert jobs.feed_of("sales") is Feed.LAKE


def test_another_engine_needs_nothing_landed_and_is_due_at_its_offset(
    home: Path, sales: TableEngine
) -> None:
    """The run of an hour comes 20 minutes after it: an offset of 50 holds half an hour back."""
    crawled = jobs.crawl("sales", [hours(2, 3)])
    assert crawled.windows == (hours(1.5, 2.5),)
    assert (crawled.intervals, crawled.rows) == (4, 6)
    live = home / "metrics/sales/live/20260101"
    delivered = {
        f.parent.name: json.loads(f.read_text())["delivered"] for f in live.rglob("*.json")
    }
    assert {name for name, spans in delivered.items() if not spans} == {"0130", "0145"}
    quality = jobs.status().watched["sales"].quality
    assert quality is not None
    assert (quality["intervals"], quality["undelivered"], quality["rows"]) == (4, 2, 6)

    done = jobs.backfill("sales", hours(4, 6), dry_run=False)
    assert (done["written"], done["rows"]) == (1, 24)
    assert jobs.backfill("sales", hours(4, 6), dry_run=False)["kept"] == 1
    tomorrow = Window(datetime.now(UTC), datetime.now(UTC) + DAY)
    for job in (lambda: jobs.crawl("sales", [tomorrow]), lambda: jobs.backfill("sales", tomorrow)):
        with pytest.raises(UsageError, match="is not over — end it in the past"):
            job()


def test_a_run_catches_up_with_what_was_missed_and_what_came_late(
    home: Path, sales: TableEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sold, or loaded, in the second hour; nothing ran for the fourth and fifth."""
    (home / "sql/connectors/sales/connector.yaml").write_text(SALES.replace("PT50M", "0"))
    monkeypatch.setenv("BARTIZAN_LATE", "PT5H")
    for hour in (0, 1, 2):
        jobs.crawl("sales", [hours(hour, hour + 1)], catch_up=True)
    jobs.backfill("sales", hours(4, 4.5), dry_run=False)

    after = jobs.crawl("sales", [hours(5, 6)], catch_up=True)
    assert after.windows == (hours(3, 4), hours(4.5, 6))
    # The second hour was asked for once more, in vain; what has rows was not.
    assert sales.windows[-3:] == [hours(1, 2), hours(3, 4), hours(4.5, 6)]

    at = START.replace(tzinfo=None) + 1.5 * HOUR
    loaded = pa.table({"timestamp": [at], "site": ["a"], "n": [1]}, sales.table.schema)
    sales.table = pa.concat_tables([sales.table, loaded])
    late = jobs.crawl("sales", [hours(6, 7)], catch_up=True)
    assert late.windows == (hours(1.5, 1.75), hours(6, 7))
    by_hand = jobs.crawl("sales", [hours(6, 7)])
    assert (by_hand.windows, sales.windows[-1]) == ((hours(6, 7),), hours(6, 7))


def test_an_engine_without_a_connection_is_named(home: Path) -> None:
    with pytest.raises(UsageError, match="BARTIZAN_POSTGRESQL_SHOP: is not set"):
        jobs.crawl("sales", [hours(2, 3)])


def test_files_of_others_are_looked_for_and_never_written(home: Path) -> None:
    for hour in (2, 4):
        folder = home / f"theirs/2026-01-01/0{hour}00"
        folder.mkdir(parents=True)
        line = f"2026-01-01 0{hour}:10:00"
        (folder / "part").write_text(f"ts,site,n\n{line},a,1\n{line},b,\nsoon,a,1\n")
    before = {path: path.stat().st_mtime_ns for path in sorted((home / "theirs").rglob("*"))}
    crawled = jobs.crawl("files", [hours(1, 6)])
    assert crawled.windows == (hours(2, 3), hours(4, 5))
    assert (crawled.intervals, crawled.written, crawled.rows) == (5, 5, 6)
    assert jobs.crawl("files", [hours(1, 6)]).written == 0
    quality = jobs.status().watched["files"].quality
    assert quality is not None
    assert (quality["rows"], quality["invalid"], quality["undelivered"]) == (6, 4, 3)
    shares = {"ts": 2 / 3, "site": 2 / 3, "n": 1 / 3}
    assert quality["completeness"] == pytest.approx(shares, abs=1e-6)

    assert jobs.crawl("files", [hours(4, 6)], catch_up=True).windows == crawled.windows
    scored = DetectorRecord("files", DetectorStatus.ACTIVE, scored_through="2026-01-01T03:00:00Z")
    save_detector(jobs.open_store(), scored)
    assert jobs.crawl("files", [hours(4, 6)], catch_up=True).windows == (hours(4, 5),)

    checked = jobs.check_connector("files", hours(1, 6))
    assert (checked["returned"], checked["rows"], checked["series"]) == (6, 4, 2)
    assert checked["warnings"] == [
        "yyyy-MM-DD: DD is the day of the year to Java, taken for the day of the month dd",
        "3 of 5 intervals have no rows: they are gaps",
        "2 of 6 rows cannot be used: bad_time",
        "2 of 6 rows cannot be used: bad_value",
    ]
    with pytest.raises(UsageError, match="its files are written by others"):
        jobs.backfill("files", hours(1, 6))
    assert before == {
        path: path.stat().st_mtime_ns for path in sorted((home / "theirs").rglob("*"))
    }
    assert not list((home / "metrics").rglob("*.csv"))


def test_late_data_have_only_their_days_queried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SmallLake.open(home)

    def land(name: str, *times: datetime) -> None:
        small.land(name, requests=requests(times, country="DE"))
        build(small.store, small.lake, small.engine, load_tables(home / "sql")["agg_country_1h"])

    queried: list[Window] = []

    def counted(engine: Engine, connector: Connector, window: Window) -> rows.MetricRows:
        queried.append(window)
        return rows.fetch(engine, connector, window)

    monkeypatch.setattr(history, "fetch", counted)
    days = [Window(START + n * DAY, START + (n + 1) * DAY) for n in range(3)]
    land("a", *(day.start + hour * HOUR for day in days for hour in range(24)))

    def backfill() -> dict[str, object]:
        queried.clear()
        whole = Window(days[0].start, days[-1].end)
        return jobs.backfill("waf_traffic_by_country", whole, dry_run=False, parallel=2)

    assert (backfill()["written"], sorted(queried)) == (3, days)
    assert (backfill()["kept"], queried) == (3, [])
    land("late", days[1].start + 5 * HOUR)
    assert (backfill()["written"], queried) == (1, [days[1]])
    chunks = home / "metrics/waf_traffic_by_country/backtest"
    lines = (chunks / "waf_traffic_by_country_20260102T0000_20260103T0000.csv").read_text()
    assert "2026-01-02 05:00:00,shop,DE,2\n2026-01-02 06:00:00,shop,DE,1\n" in lines
