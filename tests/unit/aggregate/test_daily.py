"""A daily table: one changed hour rebuilds its whole day, and no other day."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import SmallLake, requests

from bartizan.aggregate import build, due_windows, load_tables
from bartizan.config import PROJECT
from bartizan.model.window import DAY, HOUR, Window, floor, merged, naive

START = datetime(2026, 11, 1, tzinfo=UTC)
TABLE = load_tables(PROJECT / "include" / "sql")["agg_ip_1d"]

landing = st.lists(st.integers(0, 3 * 24 - 1), min_size=1, max_size=4)


@settings(max_examples=2)
@given(steps=st.lists(landing, min_size=2, max_size=2))
def test_a_changed_hour_rebuilds_its_whole_day_and_no_other(steps: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = SmallLake.open(Path(folder))
        expected: Counter[datetime] = Counter()
        files: dict[str, set[str]] = {}
        for number, hours in enumerate(steps):
            times = [START + hour * HOUR + timedelta(minutes=59) for hour in hours]
            days = {floor(time, DAY) for time in times}
            small.land(str(number), requests=requests(times))
            expected += Counter(naive(floor(time, DAY)) for time in times)

            assert due_windows(small.store, TABLE) == merged(Window(d, d + DAY) for d in days)
            built = build(small.store, small.lake, small.engine, TABLE)

            assert built.windows == tuple(merged(map(Window.hour, times)))
            assert built.rows == len(days)
            rows = small.lake.table(TABLE.spec.name).scan().to_arrow().to_pylist()
            assert {row["bucket"]: row["requests"] for row in rows} == expected
            assert len(rows) == len(expected)
            before, files = files, files_by_day(small)
            touched = {f"{day:%Y-%m-%d}" for day in days}
            for day in before:
                assert (before[day] == files[day]) is (day not in touched)
            assert build(small.store, small.lake, small.engine, TABLE).windows == ()


def files_by_day(small: SmallLake) -> dict[str, set[str]]:
    days: dict[str, set[str]] = {}
    for task in small.lake.table(TABLE.spec.name).scan().plan_files():
        day = task.file.file_path.split("event_date=")[1].split("/")[0]
        days.setdefault(day, set()).add(task.file.file_path)
    return days
