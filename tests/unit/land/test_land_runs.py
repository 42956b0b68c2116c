"""Landing as a whole: counts, re-runs, rejected batches, late and repeated objects, listing."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pyarrow.parquet as pq
import pytest
from landing_house import EXPECTED, START, House, fill
from landing_worker import accept, land_batch, processes
from upath import UPath
from waf_logs import SAMPLES, instant, line, lines, record, sample_records, write_object

import bartizan.land.chunk as chunk_module
import bartizan.land.publish as publish_module
from bartizan.errors import SourceError, UsageError
from bartizan.lake import Lake, planned_files
from bartizan.land.plan import plan
from bartizan.land.publish import publish
from bartizan.land.run import land
from bartizan.land.stage import stage
from bartizan.model.landing import BatchCounts, BatchState
from bartizan.model.window import Window
from bartizan.store.database import Store
from bartizan.store.landing import load_batch, object_counts, set_state, totals


def reject(store: Store, lake: Lake, batch_ids: Sequence[str]) -> None:
    for batch_id in batch_ids:
        set_state(store, load_batch(store, batch_id), BatchState.REJECTED, "too few records")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


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


def test_listing(house, tmp_path):
    fill(house)
    write_object(house.source, "no-time", lines([record(1)]))
    for name in (".hidden.log", "notes.pdf"):
        (house.source / name).write_bytes(b"{}")
    (house.source / "_state").mkdir()
    (house.source / "_state" / "a.log").write_bytes(b"")
    (house.source / "_state" / "b.csv").write_bytes(b"")  # hidden, so not counted
    window = Window(START + timedelta(minutes=30), START + timedelta(minutes=60))
    # Objects of seconds 2000 and 3000 lie in folders 00/33 and 00/50; one has no time.
    planned = plan(house.store, UPath(house.source), window)
    assert (planned.objects_new, planned.skipped) == (3, 1)
    planned = plan(house.store, UPath(house.source))
    assert (planned.objects_new, planned.objects_known, planned.changed) == (9, 3, ())
    assert len(planned.batch_ids) == 2
    assert house.land().as_json()["skipped"] == 1  # notes.pdf
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


def test_an_object_that_cannot_be_read_now_is_landed_when_it_can(house: House) -> None:
    fill(house)
    file = next(house.source.rglob("object-3.log.gz"))
    content = file.read_bytes()
    [batch_id] = plan(house.store, UPath(house.source)).batch_ids
    file.unlink()
    file.mkdir()  # reading it fails, for root too
    with pytest.raises(SourceError, match=r"object-3\.log\.gz: cannot be read"):
        stage(house.store, house.lake, batch_id)
    assert load_batch(house.store, batch_id).state is BatchState.PLANNED
    file.rmdir()
    file.write_bytes(content)
    assert house.land().counts == EXPECTED


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


def test_two_workers_on_one_batch_land_it_once(house: House) -> None:
    write_object(house.source, "a", lines(record(number) for number in range(500)))
    [batch_id] = plan(house.store, UPath(house.source)).batch_ids
    context = processes()
    workers = [
        context.Process(target=land_batch, args=(house.source.parent, batch_id)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert house.rows("waf.requests").total() == len(house.rows("waf.requests")) == 500
    assert load_batch(house.store, batch_id).state is BatchState.PUBLISHED


def test_a_second_publisher_waits_and_then_sees_what_the_first_has_published(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for name in ("a", "b"):
        write_object(house.source, name, lines(record(number) for number in range(5)))
        [batch_id] = set(plan(house.store, UPath(house.source)).batch_ids) - set(ids)
        stage(house.store, house.lake, batch_id)
        ids.append(batch_id)
    accept(house.store, house.lake, ids)
    looked, other = (
        publish_module.arrived_before,
        Thread(target=publish, args=(house.store, Lake.open(house.lake.root), ids[1:])),
    )

    def look_then_let_the_other_try(lake: Lake, batch_id: str):
        found = looked(lake, batch_id)
        if batch_id == ids[0]:
            other.start()
            other.join(1)
            assert other.is_alive()  # it waits for the lock
        return found

    monkeypatch.setattr(publish_module, "arrived_before", look_then_let_the_other_try)
    publish(house.store, house.lake, ids[:1])
    other.join(30)
    assert house.rows("waf.requests").total() == 5
    assert totals(house.store) == BatchCounts(10, 5, totals(house.store).rule_hits, 5, 0)


def test_a_rejected_batch_is_left_alone_until_asked_for(house: House) -> None:
    write_object(house.source, "bad", lines([record(1)]))
    house.land(reject)
    write_object(house.source, "good", lines([record(2)]))
    planned = plan(house.store, UPath(house.source))
    assert len(planned.batch_ids) == 1
    assert len(plan(house.store, UPath(house.source), retry_rejected=True).batch_ids) == 2


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        ("2026/11/04/00/waf.prod-1-2026-11-04-00-15-00-0a1b", True),  # Firehose stream waf.prod
        ("AWSLogs/111122223333/WAFLogs/us-east-1/_site/2026/11/04/00/05/x.log.gz", True),
        ("AWSLogs/111122223333/WAFLogs/us-east-1/2024/2026/11/04/00/05/x.log.gz", True),
        ("AWSLogs/111122223333/WAFLogs/us-east-1/site/2024/11/04/00/05/x.log.gz", False),
        ("_simulation/labels.json", False),
        ("2026/11/04/00/report.parquet", False),
    ],
)
def test_what_is_a_log_and_when_it_was_delivered(house: House, path: str, listed: bool) -> None:
    file = house.source / path
    file.parent.mkdir(parents=True)
    file.write_bytes(lines([record(1)]))
    window = Window(START, START + timedelta(days=1))
    assert plan(house.store, UPath(house.source), window).objects_new == int(listed)


def group(name: str, action: str) -> dict[str, object]:
    return {
        "ruleGroupId": name,
        "terminatingRule": {"ruleId": f"{name}-rule", "action": action, "ruleMatchDetails": None},
        "nonTerminatingMatchingRules": [],
        "excludedRules": None,
    }


def test_of_several_groups_the_one_that_decided_terminates(house: House) -> None:
    groups = [group("Counted", "BLOCK"), group("Decides", "BLOCK"), group("After", "COUNT")]
    by_rule = {"terminatingRuleId": "own", "terminatingRuleType": "REGULAR"}
    write_object(
        house.source,
        "a",
        lines([record(1, ruleGroupList=groups), record(2, ruleGroupList=groups, **by_rule)]),
    )
    house.land()
    hits = [json.loads(row) for row in house.rows("waf.rule_hits").elements()]
    deciding = {(hit["event_ms"] % 60000, hit["rule"]) for hit in hits if hit["terminating"]}
    assert deciding == {(1000, "Decides-rule"), (2000, "own")}
    assert sum(hit["rule"] == "Counted-rule" for hit in hits) == 2


def test_a_name_that_is_not_utf_8_is_quarantined(tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.mkdir()
    (source / "good.log").write_bytes(lines([record(1)]))
    (source / os.fsdecode(b"bad-\xff.log")).write_bytes(lines([record(2)]))
    house = House(tmp_path / "house")
    report = land(house.store, house.lake, UPath(source), validator=accept, workers=1)
    assert report.counts == BatchCounts(2, 1, report.counts.rule_hits, 0, 1)
    [entry] = report.quarantined
    assert entry.source_object.endswith("bad-\\xff.log")
    assert "not UTF-8" in entry.reason


@pytest.mark.parametrize("framing", [b"\n", b"\r"], ids=["JSON lines", "framed again"])
def test_a_record_that_gets_lost_on_the_way_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch, framing: bytes
) -> None:
    text = lines(record(n) for n in range(5)).replace(b"\n", framing)
    (house.source / "a.log").write_bytes(text)
    whole = chunk_module.in_order
    monkeypatch.setattr(
        chunk_module, "in_order", lambda *given: tuple(column[:-1] for column in whole(*given))
    )
    with pytest.raises(AssertionError, match="4 of 5 records"):
        house.land()
