"""Expiry by retention: whole days go, files stay as they are, nothing goes unless asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakes import requests

from bartizan.errors import UsageError
from bartizan.lake import Lake, add_files, planned_files
from bartizan.lake.batches import Batches
from bartizan.lake.expire import expire
from bartizan.lake.retention import first_days, parse_retention
from bartizan.lake.schemas import TableSpec
from bartizan.lake.staged import hour_of, staged_file
from bartizan.lake.sweep import sweep
from bartizan.model.window import DAY, HOUR

NAME = "waf.requests"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)  # with six hours between the files: five days
FILES = 20
AGGREGATE = TableSpec(
    "agg.counts",
    pa.schema([("bucket", pa.timestamp("us")), ("event_date", pa.date32())]),
    ("event_date",),
)
UNDATED = TableSpec("agg.undated", pa.schema([("n", pa.int64())]))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.open(tmp_path)
    lake.create(AGGREGATE)
    lake.create(UNDATED)
    files = []
    for number in range(FILES):
        hour = START + number * 6 * HOUR
        file = staged_file(lake, NAME, "a", hour)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(requests([hour + timedelta(minutes=n) for n in range(number + 1)]), file)
        files.append(file)
    add_files(lake.table(NAME), files, "a")
    return lake


def test_whole_days_before_the_first_go_and_no_file_is_rewritten(lake: Lake) -> None:
    before = planned_files(lake.table(NAME))
    assert len(before) == FILES
    first = date(2026, 11, 3)
    gone = [n for n in range(FILES) if (START + n * 6 * HOUR).date() < first]
    assert len(gone) == 6

    plan = expire(lake, NAME, first)
    assert planned_files(lake.table(NAME)) == before
    assert (plan.days, plan.files) == ((date(2026, 11, 1), date(2026, 11, 2)), 6)
    assert plan.rows == sum(n + 1 for n in gone)

    assert expire(lake, NAME, first, dry_run=False) == plan
    left = planned_files(lake.table(NAME))
    assert set(before) - set(left) == {f for f in before if hour_of(Path(f)).date() < first}
    assert set(left) < set(before)
    assert lake.table(NAME).scan().count() == sum(range(1, FILES + 1)) - plan.rows
    assert all(Path(file).exists() for file in before)  # readers may still hold them
    snapshots = len(lake.table(NAME).snapshots())
    assert expire(lake, NAME, first, dry_run=False).files == 0
    assert len(lake.table(NAME).snapshots()) == snapshots

    known = Batches(frozenset("a"), frozenset())
    swept = sweep(lake, NAME, datetime.now(UTC) + 2 * DAY, lambda: known, DAY, dry_run=False)
    assert {file for file in before if not Path(file).exists()} == set(before) - set(left)
    assert {file for file in swept.files if file.endswith(".parquet")} == set(before) - set(left)


def test_limits_count_back_from_the_day_given(lake: Lake) -> None:
    at = datetime(2026, 11, 20, 3, 40, tzinfo=UTC)
    assert first_days(lake, {}, at) == {}
    assert first_days(lake, {"waf": 10, "waf.rule_hits": 30, "agg": 400}, at) == {
        "waf.requests": date(2026, 11, 10),
        "waf.rule_hits": date(2026, 10, 21),
        "agg.counts": date(2025, 10, 16),
    }


@pytest.mark.parametrize(
    ("text", "days"),
    [("", {}), (" waf.requests = 90 ,agg=400,", {"waf.requests": 90, "agg": 400})],
)
def test_retention_is_read(text: str, days: dict[str, int]) -> None:
    assert parse_retention(text, "BARTIZAN_RETENTION") == days


@pytest.mark.parametrize("text", ["waf", "waf=", "waf=0", "waf=-3", "waf=1.5", "waf=٣", "logs=9",
                                  "waf=1,waf=2", "=4"])  # fmt: skip
def test_a_wrong_retention_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"BARTIZAN_RETENTION: '.*write table=days"):
        parse_retention(text, "BARTIZAN_RETENTION")


@pytest.mark.parametrize("name", ["waf.request", "waf.quarantine", "agg.undated"])
def test_a_table_that_has_no_days_is_named(lake: Lake, name: str) -> None:
    with pytest.raises(UsageError, match=f"retention of {name}"):
        first_days(lake, {name: 3}, START)
