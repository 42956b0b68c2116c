"""Undo takes back exactly what an apply did, whatever others changed meanwhile."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from respond_house import HOUR, NOON, RespondHouse, plan_of

from bartizan.errors import UsageError
from bartizan.store.intel import held
from bartizan.store.intel_audit import set_stopped

POOL = [f"198.51.100.{n}/32" for n in range(8)]
OURS = st.sets(st.sampled_from(POOL))
FOREIGN = st.sets(st.sampled_from([*POOL[4:], *(f"203.0.113.{n}/32" for n in range(4))]))
ONE, TWO = POOL[0], POOL[1]


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    first=OURS, foreign=FOREIGN, add=OURS, remove=OURS,
    others_add=st.sets(st.sampled_from([f"192.0.2.{n}/32" for n in range(4)])),
    others_remove=FOREIGN,
)  # fmt: skip
def test_apply_and_undo_leave_what_was_there(
    endpoint: str,
    first: set[str],
    foreign: set[str],
    add: set[str],
    remove: set[str],
    others_add: set[str],
    others_remove: set[str],
) -> None:
    with TemporaryDirectory() as folder:
        house = RespondHouse(Path(folder))
        house.foreign(add=sorted(foreign))
        house.apply(plan_of(sorted(first)))
        before, ours = house.addresses(), held(house.store, "shop")
        done = house.apply(plan_of(sorted(add), sorted(remove - add), hours=9), NOON + HOUR)
        applied = set(house.addresses())
        assert applied == (set(before) - (remove - add - foreign)) | add
        taken = others_remove & foreign & applied
        house.foreign(add=sorted(others_add), remove=taken)
        undone = house.undo(done, NOON + 2 * HOUR) if done.rows else None
        assert set(house.addresses()) == (set(before) - taken) | others_add
        assert held(house.store, "shop") == ours
        if undone is not None:
            assert house.undo(done, NOON + 2 * HOUR) == undone


def test_a_later_change_is_not_undone_with_an_earlier_one(house: RespondHouse) -> None:
    first = house.apply(plan_of([ONE, TWO]))
    house.apply(plan_of([ONE], hours=9, at=NOON + HOUR), NOON + HOUR)
    undone = house.undo(first, NOON + 2 * HOUR)
    assert house.addresses() == [ONE]
    assert undone.left_out == {ip_network(ONE): "was changed again since"}
    (row,) = held(house.store, "shop").values()
    assert row.entry.expires_at == NOON + 10 * HOUR


def test_what_may_no_longer_be_blocked_does_not_return(house: RespondHouse) -> None:
    three = POOL[2]
    house.apply(plan_of([ONE, TWO], hours=4))
    house.apply(plan_of([three], hours=9))
    done = house.apply(plan_of(remove=[ONE, TWO, three]), NOON + HOUR)
    house.barred = {ip_network(ONE)}
    undone = house.undo(done, NOON + 4 * HOUR)
    assert house.addresses() == [three]
    assert {str(n): why for n, why in undone.left_out.items()} == {
        ONE: "its time is over",
        TWO: "its time is over",
    }
    assert held(house.store, "shop").keys() == {ip_network(three)}


def test_while_stopped_undo_only_takes_out(house: RespondHouse) -> None:
    house.apply(plan_of([ONE]))
    done = house.apply(plan_of([TWO], [ONE]), NOON + HOUR)
    set_stopped(house.store, True, "ops", "trouble", NOON)
    house.undo(done, NOON + 2 * HOUR)
    assert house.addresses() == []


def test_only_a_finished_apply_is_undone(house: RespondHouse) -> None:
    house.apply(plan_of([ONE]))
    gone = house.expire(NOON + 5 * HOUR)
    with pytest.raises(UsageError, match="is expire done"):
        house.undo(gone)
