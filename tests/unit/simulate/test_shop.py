"""The shop of the e-commerce sample: the same hour is the same, and its labels are true."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.simulate.shop import MARKETPLACES, PLATFORMS, Anomaly, anomalies, shop, two_years

END = datetime(2026, 11, 1, tzinfo=UTC)
LAST = Window(END - 50 * DAY, END)


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return shop(LAST)


def test_two_years_have_every_hour() -> None:
    window = two_years(datetime(2026, 11, 1, 0, 59, tzinfo=UTC))
    assert window == Window(datetime(2024, 11, 1, tzinfo=UTC), END)


def test_an_hour_is_the_same_in_every_window(tables: dict[str, pa.Table]) -> None:
    early = shop(Window(LAST.start, LAST.start + DAY + HOUR))
    for name in ("ecommerce", "funnel"):
        assert early[name] == tables[name].slice(0, 25 * 21)
    assert shop(LAST, seed=8)["funnel"] != tables["funnel"]


def test_every_series_has_every_hour_and_steps_only_lose(tables: dict[str, pa.Table]) -> None:
    ecommerce, funnel = tables["ecommerce"], tables["funnel"]
    hours, series = 50 * 24, len(PLATFORMS) * len(MARKETPLACES)
    found = duckdb.execute(
        "select count(*), count(distinct (ts, platform, marketplace)), count(distinct ts),"
        " min(ts), max(ts), count(*) filter (views < 0 or revenue < 0) from ecommerce"
    ).fetchone()
    edges = naive(LAST.start), naive(END - HOUR)
    assert found == (hours * series, hours * series, hours, *edges, 0)
    assert duckdb.execute(
        "select count(*) from funnel where product_page < cart or cart < checkout"
    ).fetchone() == (0,)
    assert ecommerce["views"] == funnel["product_page"]
    assert ecommerce.schema.field("revenue").type == pa.decimal128(12, 2)
    assert tables["platform"]["name"].to_pylist() == [each.name for each in PLATFORMS]


def test_days_and_weekends_have_their_season(tables: dict[str, pa.Table]) -> None:
    ecommerce = tables["ecommerce"]  # noqa: F841  (DuckDB reads it by its name)
    evening, night, weekend = duckdb.execute(
        "select avg(views) filter (hour(ts) = 19), avg(views) filter (hour(ts) = 3),"
        " avg(views) filter (dayofweek(ts) in (0, 6)) / avg(views) filter (dayofweek(ts) between"
        " 1 and 5) from ecommerce where marketplace = 3"
    ).fetchall()[0]
    assert evening > 4 * night
    assert 1.2 < weekend < 1.6


@pytest.mark.parametrize("label", anomalies(LAST), ids=lambda label: label.name)
def test_labels_are_where_the_data_are_odd(label: Anomaly, tables: dict[str, pa.Table]) -> None:
    """Against the same hours of the seven days before, only the labelled series differ."""
    measure = "product_page" if label.scraped else "checkout"
    by_hour = tables["funnel"][measure].to_numpy().reshape(-1, len(PLATFORMS), len(MARKETPLACES))
    first, last = ((edge - LAST.start) // HOUR for edge in (label.window.start, label.window.end))
    before = sum(by_hour[first - day * 24 : last - day * 24].sum(axis=0) for day in range(1, 8)) / 7
    ratio = by_hour[first:last].sum(axis=0) / before
    odd = [
        (platform.name, marketplace.name)
        for row, platform in enumerate(PLATFORMS)
        for column, marketplace in enumerate(MARKETPLACES)
        if not 1 / 3 < ratio[row, column] < 3
    ]
    assert odd == [(a, b) for a in label.platforms for b in label.marketplaces]
    assert (ratio.max() > 3) == (label.scraped > 0)
