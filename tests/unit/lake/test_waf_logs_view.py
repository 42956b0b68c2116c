"""`waf_logs` in the embedded engine: its window, and the functions that come with it.

What it shows is tested by the guide's own queries, in tests/contract/test_aws_examples.py.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from landing_house import House
from waf_logs import lines, record, write_object

from bartizan.engines import DuckDBEngine
from bartizan.errors import ConfigError
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 4, tzinfo=UTC)
WINDOW = Window(START, START + HOUR)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> DuckDBEngine:
    house = House(tmp_path_factory.mktemp("house"))
    late = record(59 * 60)
    late["timestamp"] += 1_789
    records = [*(record(number * 60) for number in range(59)), late, record(3600)]
    write_object(house.source, "logs", lines(records), START)
    assert house.land().counts.requests == 61
    return DuckDBEngine(house.lake)


def test_the_view_ends_with_its_window(engine: DuckDBEngine) -> None:
    part = Window(START, datetime(2026, 11, 4, 0, 10, tzinfo=UTC))

    counted = [
        engine.query("select count(*) as n from waf_logs", window)["n"].to_pylist()
        for window in (part, WINDOW)
    ]

    assert counted == [[10], [60]]


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("yyyy-MM-dd HH:mm:ss", "2026-11-04 00:59:01"),
        ("yyyyMMdd/HHmm", "20261104/0059"),
        ("", ""),
    ],
)
def test_the_last_time_is_written(engine: DuckDBEngine, pattern: str, written: str) -> None:
    query = f"""
        select
            format_datetime(max(from_unixtime("timestamp" / 1000)), '{pattern}') as written,
            to_iso8601(max(from_unixtime("timestamp" / 1000))) as exact
        from waf_logs
    """

    # Athena divides whole numbers without a fraction and says .000Z.
    assert engine.query(query, WINDOW).to_pylist() == [
        {"written": written, "exact": "2026-11-04T00:59:01.789Z"}
    ]


@pytest.mark.parametrize("pattern", ["yyyy-MMM-dd", "EEE", "hh:mm a", "d", "SSS"])
def test_a_pattern_that_would_be_written_wrong_is_refused(
    engine: DuckDBEngine, pattern: str
) -> None:
    with pytest.raises(ConfigError, match="format_datetime knows"):
        engine.query(
            f"select format_datetime(from_unixtime(0), '{pattern}') as t from waf_logs", WINDOW
        )
