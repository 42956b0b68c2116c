"""Landing in processes that are killed: whatever the moment, a re-run makes everything good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from signal import SIGKILL

import pytest
from landing_house import START, House
from landing_worker import Kill, land_killed, land_small, processes
from waf_logs import lines, record, write_object

from bartizan.model.landing import Batch, LogObject
from bartizan.store.landing import add_batches, finish

BOUNDARIES = {
    "after listing": Kill("bartizan.land.plan.list_objects", after=True),
    "after the ledger knows them": Kill("bartizan.land.plan.add_batches", after=True),
    "while reading": Kill("pathlib.Path.read_bytes", call=3),
    "after parsing": Kill("bartizan.land.stage.read_chunk", after=True),
    "between the files of a batch": Kill("pathlib.Path.rename", call=3),
    "after staging, before the ledger": Kill("bartizan.land.stage.save_counts"),
    "after staging one of the batches": Kill("bartizan.land.stage.save_counts", after=True),
    "after validating one of the batches": Kill("landing_worker.set_state", after=True),
    "after validation": Kill("landing_worker.accept", after=True),
    "after commit 1": Kill("bartizan.land.publish.add_files", call=1, after=True),
    "after commit 2": Kill("bartizan.land.publish.add_files", call=2, after=True),
    "after commit 3": Kill("bartizan.land.publish.add_files", call=3, after=True),
    "after commit 5": Kill("bartizan.land.publish.add_files", call=5, after=True),
    "within a commit": Kill("pyiceberg.catalog.sql.SqlCatalog.commit_table", call=4),
    "after the commits, before the ledger": Kill("bartizan.land.publish.finish"),
    "after the ledger of one batch": Kill("bartizan.land.publish.finish", after=True),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine objects in three batches: content of one batch again in the next, a damaged line."""
    source = tmp_path_factory.mktemp("raw")
    for index in range(8):
        content = lines(record(number) for number in range(index * 900, index * 900 + 1200, 100))
        if index in (1, 6):
            content += b'{"timestamp": 12\n'
        write_object(source, f"object-{index}", content, START + timedelta(minutes=15 * index))
    write_object(source, "changed", lines([record(1)]), START)
    return source


def new_house(root: Path, source: Path) -> House:
    """A house that landed the object `changed` when it was another."""
    house = House(root, source)
    file = next(source.rglob("changed.log.gz"))
    batch = Batch.of([LogObject(str(file), "an older version", 1)])
    add_batches(house.store, [batch])
    finish(house.store, batch, [])
    return house


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What landing makes of it when nobody disturbs it, counted here by other means."""
    house = new_house(tmp_path_factory.mktemp("undisturbed"), source)
    report = land_small(house.root, source)
    found = house.everything()
    numbers = {
        number for index in range(8) for number in range(index * 900, index * 900 + 1200, 100)
    }
    assert len(found["waf.requests"]) == len(numbers) == report.counts.requests
    assert len(found["waf.rule_hits"]) == 2 * len(numbers)
    assert len(found["waf.quarantine"]) == 3
    assert report.counts.records == 8 * 12 + 2 + 1
    assert report.counts.duplicates == 8 * 12 - len(numbers)
    assert report.batches == 3
    return found


@pytest.mark.parametrize("moment", BOUNDARIES)
def test_killed_and_run_again(
    tmp_path: Path, source: Path, undisturbed: dict[str, list[str]], moment: str
) -> None:
    house = new_house(tmp_path, source)
    worker = processes().Process(target=land_killed, args=(tmp_path, source, BOUNDARIES[moment]))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -SIGKILL
    land_small(tmp_path, source)
    assert house.everything() == undisturbed
