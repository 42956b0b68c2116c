"""What a killed publisher began is ended before anything else, whoever publishes next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from landing_house import House
from landing_worker import accept
from upath import UPath
from waf_logs import lines, record, write_object

import bartizan.land.publish as publish_module
from bartizan.land.plan import plan
from bartizan.land.publish import publish
from bartizan.land.stage import stage
from bartizan.model.landing import BatchCounts, BatchState
from bartizan.store.landing import load_batch, totals


class Killed(Exception):
    """Stands for kill -9."""


def valid_batch(house: House, name: str, numbers: range, changes: dict[str, Any]) -> str:
    """A batch of one object, ready to be published."""
    content = lines(record(number, **changes) for number in numbers)
    file = write_object(house.source, name, content)
    ids = plan(house.store, UPath(house.source)).batch_ids
    [batch_id] = [i for i in ids if load_batch(house.store, i).objects[0].uri == str(file)]
    stage(house.store, house.lake, batch_id)
    accept(house.store, house.lake, [batch_id])
    return batch_id


WITHOUT_HITS = {
    "terminatingRuleId": "Default_Action",
    "ruleGroupList": [],
    "nonTerminatingMatchingRules": [],
}


# Nothing is quarantined: the first commit is that of the rule hits, if any, the last the requests'.
@pytest.mark.parametrize(
    ("changes", "hits_each", "commits"),
    [({}, 2, 1), ({}, 2, 2), (WITHOUT_HITS, 0, 1)],
    ids=["rule hits", "all", "all, without rule hits"],
)
def test_a_begun_batch_is_ended_before_another_that_holds_the_same_records(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    hits_each: int,
    commits: int,
) -> None:
    house = House(tmp_path)
    begun = valid_batch(house, "begun", range(0, 4000, 1000), changes)
    other = valid_batch(house, "other", range(0, 8000, 1000), changes)
    real, calls = publish_module.add_files, 0

    def killed_after_some(*args: object) -> bool:
        nonlocal calls
        added, calls = real(*args), calls + 1
        if calls == commits:
            raise Killed
        return added

    monkeypatch.setattr(publish_module, "add_files", killed_after_some)
    with pytest.raises(Killed):
        publish(house.store, house.lake, [begun])
    monkeypatch.undo()

    first = publish(house.store, house.lake, [other])
    ended = load_batch(house.store, begun).state
    again = publish(house.store, house.lake, [begun])

    requests, hits, _ = house.tables()
    assert (requests.total(), len(requests)) == (8, 8)
    assert (hits.total(), len(hits)) == (8 * hits_each, 8 * hits_each)
    assert totals(house.store) == BatchCounts(12, 8, 8 * hits_each, 4, 0)
    assert ended is BatchState.PUBLISHED
    assert [hour.hour for hour in first.hours] == [0, 1]
    assert (set(first.batch_ids), again.batch_ids) == ({begun, other}, (begun,))
