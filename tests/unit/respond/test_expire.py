"""Entries leave when their time is over, with nothing at hand but the store and AWS WAF."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from respond_house import HOUR, NOON, RespondHouse, plan_of

from bartizan import jobs
from bartizan.model.intel import Mode
from bartizan.respond.ip_sets import IpSet
from bartizan.store.intel import held, ledger, load_changes
from bartizan.store.intel_audit import set_stopped
from bartizan.store.intel_plans import save_targets

ONE, TWO, FOREIGN = "198.51.100.1/32", "198.51.100.2/32", "203.0.113.0/25"


def test_each_leaves_at_its_time_and_only_ours(house: RespondHouse) -> None:
    house.foreign(add=[FOREIGN])
    house.apply(plan_of([ONE], hours=2))
    house.apply(plan_of([TWO], hours=4))
    almost = NOON + 2 * HOUR - HOUR / 3600
    assert house.expire(almost).removed == ()
    assert house.expire(NOON + 2 * HOUR).removed == (ip_network(ONE),)
    assert house.addresses() == [FOREIGN, TWO]
    assert house.expire(NOON + 2 * HOUR).removed == (ip_network(ONE),)  # the same run again
    house.expire(NOON + 9 * HOUR)
    assert house.addresses() == [FOREIGN]
    rows = ledger(house.store, "shop")
    assert {str(n): row.listed for n, row in rows.items()} == {ONE: False, TWO: False}
    assert len(load_changes(house.store, 9)) == 4  # two applied, two expired


def test_renewed_it_stays_longer_and_never_shorter(house: RespondHouse) -> None:
    house.apply(plan_of([ONE], hours=4))
    house.apply(plan_of([ONE], hours=9, at=NOON + HOUR), NOON + HOUR)
    house.apply(plan_of([ONE], hours=1, at=NOON + 2 * HOUR), NOON + 2 * HOUR)
    (row,) = held(house.store, "shop").values()
    assert (row.entry.added_at, row.entry.expires_at) == (NOON, NOON + 10 * HOUR)
    house.expire(NOON + 9 * HOUR)
    assert house.addresses() == [ONE]


def test_what_others_took_out_is_forgotten(house: RespondHouse) -> None:
    house.apply(plan_of([ONE]))
    house.foreign(remove=[ONE])
    assert house.expire(NOON + 5 * HOUR).removed == ()
    house.foreign(add=[ONE])
    house.expire(NOON + 6 * HOUR)
    assert house.addresses() == [ONE]


def test_neither_configuration_nor_lake_is_needed(
    house: RespondHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch is thrown and the mode turned off, too: these only keep entries from coming."""
    house.apply(plan_of([ONE]))
    save_targets(house.store, [replace(house.target, mode=Mode.OFF)])
    set_stopped(house.store, True, "ops", "trouble", NOON)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_INTEL", str(tmp_path / "gone.yaml"))
    monkeypatch.setenv("BARTIZAN_RESPOND", "off")
    monkeypatch.setenv("BARTIZAN_STORE", str(house.store.engine.url))
    monkeypatch.delenv("BARTIZAN_LAKE", raising=False)
    due = NOON + 5 * HOUR
    assert jobs.expire_intel("ops", due, dry_run=True)["changes"][0]["removed"] == [ONE]
    assert house.addresses() == [ONE]
    assert jobs.expire_intel("ops", due, dry_run=False)["failed"] == {}
    assert house.addresses() == []


def test_a_set_that_is_gone_holds_up_no_other(
    house: RespondHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply(plan_of([ONE]))
    kept = house.target
    house.target = replace(kept, name="blog")
    blog = replace(house.target, ip_set_name="gone")
    house.apply(plan_of([TWO]), ip_set=IpSet(house.target))
    save_targets(house.store, [kept, blog])
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_STORE", str(house.store.engine.url))
    done = jobs.expire_intel("ops", NOON + 5 * HOUR, dry_run=False)
    assert list(done["failed"]) == ["blog"]
    assert "'gone' is not in account" in done["failed"]["blog"]
    assert house.addresses() == [TWO]
