"""Whatever the order and the grouping in which objects arrive: the same rows, the same hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_house import START, House
from upath import UPath
from waf_logs import lines, record, write_object

from bartizan.land.plan import plan
from bartizan.store.aggregates import pending_hours

RECORDS = range(0, 3 * 3600, 900)  # four in each of three hours
HOURS = [START + timedelta(hours=hour) for hour in range(3)]
OBJECTS = 4

# Of each record the objects that hold it, of each object the run in which it arrives.
holders = st.fixed_dictionaries(
    {number: st.sets(st.integers(0, OBJECTS - 1), min_size=1) for number in RECORDS}
)
runs = st.lists(st.integers(0, 2), min_size=OBJECTS, max_size=OBJECTS)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Counter[str]]:
    """What one run lands when all records arrive in one object."""
    house = House(tmp_path_factory.mktemp("one"))
    write_object(house.source, "all", lines(map(record, RECORDS)))
    house.land()
    found = house.tables()
    assert [table.total() for table in found] == [len(RECORDS), 2 * len(RECORDS), 0]
    return found


@settings(max_examples=4)
@given(holders=holders, runs=runs, objects_per_batch=st.integers(1, OBJECTS))
def test_any_order_of_arrival(
    rows: list[Counter[str]],
    holders: Mapping[int, set[int]],
    runs: list[int],
    objects_per_batch: int,
) -> None:
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        landed: set[int] = set()
        for run in sorted(set(runs)):
            arriving = {item for item in range(OBJECTS) if runs[item] == run}
            for item in arriving:
                content = lines(record(n) for n in sorted(holders) if item in holders[n])
                write_object(house.source, f"object-{item}", content)
            plan(house.store, UPath(house.source), objects_per_batch=objects_per_batch)
            report = house.land()

            held = {number: len(holders[number] & arriving) for number in RECORDS}
            new = {number for number, times in held.items() if times} - landed
            landed |= new
            assert report.counts.requests == len(new)
            assert report.counts.duplicates == sum(held.values()) - len(new)
            assert report.hours == tuple(
                f"{hour:%Y-%m-%dT%H:%M:%SZ}"
                for index, hour in enumerate(HOURS)
                if any(number // 3600 == index for number in new)
            )
        assert house.tables() == rows
        assert list(pending_hours(house.store, "any")) == HOURS
