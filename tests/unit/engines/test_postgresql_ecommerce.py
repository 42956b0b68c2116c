"""The e-commerce sample on a real PostgreSQL: the original's queries and ours answer the same."""

from __future__ import annotations

import csv
import importlib.util
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from engine_postgresql import database
from psycopg.errors import DuplicateSchema
from upath import UPath

from bartizan.config import PROJECT
from bartizan.crawl import backfill, load_connector
from bartizan.crawl.lookout import import_connector
from bartizan.engines.connections import PostgreSQL
from bartizan.engines.postgresql import PostgreSQLEngine
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.simulate.shop import shop

SAMPLE = PROJECT / "examples" / "ecommerce"
END = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = Window(END - 30 * DAY, END)
LATE = timedelta(minutes=20)  # an hourly run comes that long after its hour
SERIES = 21

_spec = importlib.util.spec_from_file_location("load_shop", SAMPLE / "load.py")
assert _spec is not None
assert _spec.loader is not None
load_shop = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(load_shop)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database() as found:
        load_shop.load(found, MONTH)
        yield found


@pytest.fixture(scope="module")
def engine(url: str) -> PostgreSQLEngine:
    return PostgreSQLEngine(PostgreSQL(url))


@pytest.fixture(scope="module")
def connector() -> Connector:
    return load_connector(SAMPLE / "connectors" / "ecommerce")


def original(url: str, crawl: str, clock: datetime) -> Counter[tuple[object, ...]]:
    """Rows of an original query, its text as it stands, when the database's clock says `clock`."""
    file = SAMPLE / "original" / "lambdas" / "redshift" / f"redshift-{crawl}-crawl" / "query.sql"
    with psycopg.connect(url) as connection:
        connection.execute("set search_path = redshift, shop")
        connection.execute("select set_config('shop.clock', %s, true)", [str(naive(clock))])
        return Counter(connection.execute(file.read_bytes()).fetchall())


def rows(table: pa.Table) -> Counter[tuple[object, ...]]:
    return Counter(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_history_by_the_original_query_and_by_ours(
    url: str, engine: PostgreSQLEngine, connector: Connector
) -> None:
    until = END - DAY
    ours = rows(engine.query(connector.query, Window(MONTH.start, until)))
    assert ours == original(url, "historical", until + LATE)
    assert ours.total() == len(ours) == 29 * 24 * SERIES


def test_live_hours_by_the_original_query_and_by_ours(
    url: str, engine: PostgreSQLEngine, connector: Connector
) -> None:
    """The original saw the hour that has begun, ours the one that has ended: the same hours."""
    for hour in Window(END - DAY, END).split(HOUR):
        ours = rows(engine.query(connector.query, hour))
        assert ours == original(url, "continuous", hour.start + LATE)
        assert len(ours) == SERIES


def test_on_the_hour_the_original_query_loses_its_rows(url: str) -> None:
    """Both of its bounds are strict, which is why ours is half-open."""
    assert not original(url, "continuous", END)
    assert original(url, "continuous", END - timedelta(seconds=1)).total() == SERIES


def test_backfilled_files_hold_the_rows_of_the_original(
    url: str, engine: PostgreSQLEngine, connector: Connector, tmp_path: Path
) -> None:
    window = Window(MONTH.start, END - DAY)
    result = backfill(engine, connector, UPath(tmp_path), [window])
    found: Counter[tuple[object, ...]] = Counter()
    for file in tmp_path.rglob("*.csv"):
        with file.open(newline="") as lines:
            found.update(
                (
                    datetime.fromisoformat(line["timestamp"]),
                    line["platform"],
                    line["marketplace"],
                    int(line["views"]),
                    Decimal(line["revenue"]),
                )
                for line in csv.DictReader(lines)
            )
    assert found == original(url, "historical", window.end + LATE)
    assert result.rows == found.total() == 29 * 24 * SERIES


def test_the_imported_original_runs(
    url: str, engine: PostgreSQLEngine, connector: Connector, tmp_path: Path
) -> None:
    imported = import_connector(SAMPLE / "original", tmp_path, "shop")
    query = (imported.folder / "query.sql").read_text()
    assert not any(word in query.lower() for word in ("getdate", "sysdate", "dateadd"))
    by_name = PostgreSQLEngine(PostgreSQL(f"{url}&options=-csearch_path%3Dshop"))
    day = Window(END - DAY, END)
    assert rows(by_name.query(query, day)) == rows(engine.query(connector.query, day))


def test_the_funnel_is_what_was_loaded(engine: PostgreSQLEngine) -> None:
    connector = load_connector(SAMPLE / "connectors" / "ecommerce_funnel")
    found = engine.query(connector.query, Window(END - DAY, END))
    loaded = shop(MONTH)["funnel"].slice(29 * 24 * SERIES)
    for step in ("product_page", "cart", "checkout"):
        assert Counter(found[step].to_pylist()) == Counter(loaded[step].to_pylist())
    assert found.num_rows == 24 * SERIES


def test_a_schema_that_is_there_is_left_alone(url: str) -> None:
    with pytest.raises(DuplicateSchema, match='schema "shop" already exists'):
        load_shop.load(url, MONTH)
    with psycopg.connect(url) as connection:
        (count,) = connection.execute("select count(*) from shop.ecommerce").fetchone() or (0,)
    assert count == 30 * 24 * SERIES
