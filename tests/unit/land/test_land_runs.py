"""Landing as a whole: counts, re-runs, crashes at every boundary, late and repeated objects."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from upath import UPath
from waf_logs import SAMPLES, instant, line, lines, record, sample_records, write_object

import bartizan.land.publish as publish_module
import bartizan.land.stage as stage_module
from bartizan.errors import UsageError
from bartizan.lake import Lake, planned_files
from bartizan.land.plan import plan
from bartizan.land.publish import publish
from bartizan.land.run import LandReport, land
from bartizan.land.stage import stage
from bartizan.model.landing import BatchCounts, BatchState
from bartizan.model.window import Window
from bartizan.store.database import Store
from bartizan.store.landing import load_batch, object_counts, set_state, totals

START = datetime(2026, 11, 4, tzinfo=UTC)


class House:
    """A source, a lake and a store in one folder."""

    def __init__(self, root: Path) -> None:
        self.source = root / "raw"
        self.source.mkdir()
        self.lake = Lake.open(root / "lake")
        self.store = Store.open(f"sqlite:///{root / 'lake' / 'store.db'}")

    def land(self, validator=None, **options) -> LandReport:
        return land(
            self.store,
            self.lake,
            UPath(self.source),
            validator=validator or accept,
            workers=1,
            **options,
        )

    def rows(self, name: str) -> Counter[str]:
        """Published rows of a table as comparable text; which object they came from left out."""
        rows: Counter[str] = Counter()
        for file in planned_files(self.lake.table(name)):
            for row in pq.read_table(file, partitioning=None).to_pylist():
                for where in ("batch_id", "source_object", "source_offset"):
                    row.pop(where, None)
                rows[json.dumps(row, default=str, sort_keys=True)] += 1
        return rows

    def tables(self) -> list[Counter[str]]:
        return [self.rows(name) for name in ("waf.requests", "waf.rule_hits", "waf.quarantine")]


def accept(store: Store, lake: Lake, batch_ids: Sequence[str]) -> None:
    for batch_id in batch_ids:
        batch = load_batch(store, batch_id)
        if batch.state is BatchState.STAGED:
            set_state(store, batch, BatchState.VALID)


def reject(store: Store, lake: Lake, batch_ids: Sequence[str]) -> None:
    for batch_id in batch_ids:
        set_state(store, load_batch(store, batch_id), BatchState.REJECTED, "too few records")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def fill(house: House) -> None:
    """100 records over three hours in 10 objects, one of them twice, one line damaged."""
    for index in range(10):
        numbers = range(index * 1000, index * 1000 + 1000, 100)
        content = lines(record(number) for number in numbers)
        delivered = START + timedelta(seconds=index * 1000)
        if index == 4:
            content += b'{"timestamp": 12\n'
        write_object(house.source, f"object-{index}", content, delivered)
        if index == 7:
            write_object(house.source, "again", content, delivered)


EXPECTED = BatchCounts(records=111, requests=100, rule_hits=200, duplicates=10, quarantined=1)


def test_counts_and_rerun(house: House) -> None:
    fill(house)
    report = house.land()
    assert report.counts == EXPECTED
    assert report.objects == 11
    assert report.hours == ("2026-11-04T00:00:00Z", "2026-11-04T01:00:00Z", "2026-11-04T02:00:00Z")
    [entry] = report.quarantined
    assert "object-4" in entry.source_object
    before = house.tables()
    assert [rows.total() for rows in before] == [100, 200, 1]
    again = house.land()
    assert (again.objects, again.objects_known, again.batches) == (0, 11, 0)
    assert again.counts == BatchCounts()
    assert house.tables() == before
    assert totals(house.store) == EXPECTED
    json.dumps(report.as_json())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Counter[str]]:
    """What one run without a crash publishes."""
    house = House(tmp_path_factory.mktemp("undisturbed"))
    fill(house)
    house.land()
    return house.tables()


class Killed(Exception):
    """Stands for kill -9."""


def killed(*_: object, **__: object) -> None:
    raise Killed


BOUNDARIES = [
    (stage_module, "read_chunk", 1),
    (stage_module, "save_counts", 1),
    (publish_module, "arrived_before", 1),
    (publish_module, "add_files", 1),
    (publish_module, "add_files", 2),
    (publish_module, "add_files", 3),
    (publish_module, "add_files", 5),
    (publish_module, "finish", 1),
    (publish_module, "finish", 2),
]


@pytest.mark.parametrize(("module", "name", "call"), BOUNDARIES)
def test_killed_anywhere_and_run_again(house, undisturbed, monkeypatch, module, name, call):
    fill(house)
    plan(house.store, UPath(house.source), objects_per_batch=6)
    calls = 0
    real = getattr(module, name)

    def until(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, until)
    with pytest.raises(Killed):
        house.land()
    monkeypatch.undo()
    house.land()
    assert house.tables() == undisturbed
    assert totals(house.store) == EXPECTED


def test_killed_while_validating(house):
    fill(house)
    with pytest.raises(Killed):
        house.land(validator=killed)
    assert house.rows("waf.requests").total() == 0
    house.land()
    assert totals(house.store) == EXPECTED


def test_rejected_is_invisible_until_it_passes(house):
    fill(house)
    report = house.land(validator=reject)
    assert [reason for _, reason in report.rejected] == ["too few records"]
    assert [rows.total() for rows in house.tables()] == [0, 0, 0]
    assert totals(house.store) == BatchCounts()
    assert house.land().rejected == ()
    assert totals(house.store) == EXPECTED


def test_the_same_records_later_under_another_key(house):
    fill(house)
    house.land()
    before = house.tables()
    extra = [record(number) for number in range(0, 1000, 100)] + [record(50), record(7000)]
    write_object(house.source, "late", lines(extra), START)
    write_object(house.source, "copy", lines(extra[:3]))
    report = house.land()
    assert report.counts == BatchCounts(
        records=15, requests=1, rule_hits=2, duplicates=14, quarantined=0
    )
    assert report.hours == ("2026-11-04T00:00:00Z",)
    by_object = {
        Path(one.uri).name: one
        for batch_id in plan_ids(house)
        for one in object_counts(house.store, batch_id)
    }
    assert by_object["late.log.gz"].duplicates + by_object["copy.log.gz"].duplicates == 14
    after = house.tables()
    assert (after[0] - before[0]).total() == 1
    assert (after[1] - before[1]).total() == 2
    assert house.land().objects == 0


def plan_ids(house: House) -> set[str]:
    rows = set()
    for file in planned_files(house.lake.table("waf.requests")):
        rows |= set(
            pq.read_table(file, columns=["batch_id"], partitioning=None)["batch_id"].to_pylist()
        )
    return rows


def test_order_of_objects_does_not_matter(tmp_path):
    records = [record(number) for number in range(0, 4000, 80)]
    records += records[:10]
    found = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        house = House(tmp_path / str(seed))
        random.Random(seed).shuffle(records)
        for index in range(0, len(records), 7):
            write_object(
                house.source, f"o{index * seed % 11}-{index}", lines(records[index : index + 7])
            )
        plan(house.store, UPath(house.source), objects_per_batch=5)
        house.land()
        found.append(house.tables())
    assert found[0] == found[1]
    assert found[0][0].total() == 50


def test_listing(house, tmp_path):
    fill(house)
    write_object(house.source, "no-time", lines([record(1)]))
    for name in (".hidden.log", "notes.pdf"):
        (house.source / name).write_bytes(b"{}")
    (house.source / "_state").mkdir()
    (house.source / "_state" / "a.log").write_bytes(b"")
    window = Window(START + timedelta(minutes=30), START + timedelta(minutes=60))
    # Objects of seconds 2000 and 3000 lie in folders 00/33 and 00/50; one has no time.
    planned = plan(house.store, UPath(house.source), window)
    assert planned.objects_new == 3
    planned = plan(house.store, UPath(house.source))
    assert (planned.objects_new, planned.objects_known, planned.changed) == (9, 3, ())
    assert len(planned.batch_ids) == 2
    changed = write_object(house.source, "no-time", lines([record(1), record(2)]))
    report = house.land()
    assert [item.uri for item in report.changed] == [str(changed)]
    with pytest.raises(UsageError, match="not a folder"):
        plan(house.store, UPath(tmp_path / "nowhere"))


def test_a_vanished_object_is_named(house):
    fill(house)
    [batch_id] = plan(house.store, UPath(house.source)).batch_ids
    next(house.source.rglob("object-3.log.gz")).unlink()
    batch = stage(house.store, house.lake, batch_id)
    assert (batch.counts.requests, batch.counts.quarantined) == (90, 2)
    with pytest.raises(UsageError, match="validate it first"):
        publish(house.store, house.lake, [batch_id])


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample records are not at hand")
def test_sample_files(house):
    report = land(house.store, house.lake, UPath(SAMPLES / "records"), validator=accept, workers=1)
    distinct = {line(entry) for entry in sample_records()}
    assert report.counts.records == 349
    assert report.counts.requests == len(distinct)
    assert report.counts.duplicates == 349 - len(distinct)
    hours = {instant(entry) // 3_600_000 for entry in sample_records()}
    assert len(report.hours) == len(hours)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample records are not at hand")
def test_sample_framings(house):
    land(house.store, house.lake, UPath(SAMPLES / "odd"), validator=accept, workers=1)
    index = [json.loads(text) for text in (SAMPLES / "index.jsonl").read_text().splitlines()]
    expected = {
        Path(entry["file"]).name: (entry["records"] + entry["bad_spans"], entry["bad_spans"])
        for entry in index
        if entry["file"].startswith("odd/")
    }
    found = {
        Path(one.uri).name: (one.records, one.quarantined)
        for batch_id in plan_ids(house)
        for one in object_counts(house.store, batch_id)
    }
    assert found == expected
