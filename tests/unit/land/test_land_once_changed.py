"""An object that is found under another version: set aside once, reported, never merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from landing_house import House, fill
from upath import UPath
from waf_logs import lines, record, write_object

from bartizan.land.plan import plan
from bartizan.land.run import LandReport
from bartizan.model.landing import BatchCounts, ChangedObject
from bartizan.store.landing import totals
from bartizan.store.reconciliation import unbalanced
from bartizan.validate.run import validate


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def overwrite(house: House, name: str, numbers: range) -> Path:
    return write_object(house.source, name, lines(record(number) for number in numbers))


def quarantine(house: House) -> list[dict[str, object]]:
    return house.lake.table("waf.quarantine").scan().to_arrow().to_pylist()


def test_each_new_version_is_one_quarantined_record(house: House) -> None:
    file = overwrite(house, "a", range(3))
    first = house.land()
    before = house.tables()
    versions = [_version(file)]
    reports: list[LandReport] = []
    for more in (5, 9):
        overwrite(house, "a", range(more))
        versions.append(_version(file))
        reports += [house.land(), house.land()]

    assert [len(report.changed) for report in reports] == [1, 0, 1, 0]
    assert [report.batches for report in reports] == [1, 0, 1, 0]
    size = file.stat().st_size
    assert reports[2].changed == (ChangedObject(str(file), versions[2], size, versions[0]),)
    assert reports[2].counts == BatchCounts(records=1, quarantined=1)
    assert reports[2].hours == ()
    shown = json.loads(json.dumps(reports[2].as_json()))
    assert shown["changed"][0]["version"] == versions[2]
    assert versions[2] in shown["quarantine"][0]["reason"]
    rows = {str(row["reason"]): row for row in quarantine(house)}
    assert len(rows) == 2
    for version in versions[1:]:
        [row] = [row for reason, row in rows.items() if version in reason]
        assert versions[0] in str(row["reason"])
        assert (row["source_object"], row["source_offset"]) == (str(file), 0)
    assert rows[next(r for r in rows if versions[2] in r)]["length"] == size
    assert house.tables()[:2] == before[:2]
    assert totals(house.store) == BatchCounts(5, 3, first.counts.rule_hits, 0, 2)
    assert unbalanced(house.store) == 0


def _version(file: Path) -> str:
    status = file.stat()
    return f"{status.st_size}-{round(status.st_mtime * 1e9)}"


def test_many_changed_objects_pass_the_checks_and_hold_up_nothing(house: House) -> None:
    """More than half of a batch in quarantine would be refused, were its objects read."""
    fill(house)
    house.land(validator=validate)
    before = house.tables()
    for file in house.source.rglob("*.gz"):
        file.write_bytes(file.read_bytes() + b"\n")
    overwrite(house, "new", range(20_001, 20_003))
    report = house.land(validator=validate)
    assert report.rejected == ()
    assert (report.counts.requests, report.counts.quarantined) == (2, 11)
    requests, hits, _ = house.tables()
    assert ((requests - before[0]).total(), (hits - before[1]).total()) == (2, 4)


def test_an_object_that_no_batch_has_read_is_read_as_it_now_is(house: House) -> None:
    overwrite(house, "a", range(3))
    assert plan(house.store, UPath(house.source)).objects_new == 1
    overwrite(house, "a", range(4))
    report = house.land()
    assert (report.changed, report.counts.requests) == ((), 4)
    assert house.land().changed == ()
    assert quarantine(house) == []
