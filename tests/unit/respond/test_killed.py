"""Answers that are lost and processes that are killed: the set tells what became of a change."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from respond_house import HOUR, NOON, LostAnswer, RespondHouse, networks, plan_of, refusing

from bartizan.errors import SourceError, TransientError
from bartizan.respond.ip_sets import Contents, IpSet
from bartizan.store.intel import ChangeState, held, load_change, load_changes
from bartizan.store.intel_audit import load_deeds
from bartizan.store.intel_repair import ENDED

ONE, TWO, THREE = (f"198.51.100.{n}/32" for n in (1, 2, 3))


def test_a_lost_answer_leaves_nobody_in_doubt(house: RespondHouse) -> None:
    done = house.apply(plan_of([ONE]), ip_set=LostAnswer(house.target))
    assert done.added == (ip_network(ONE),)
    house.undo(done)
    assert house.addresses() == []


def test_answers_lost_to_the_last_leave_it_open_until_the_set_tells(house: RespondHouse) -> None:
    house.apply(plan_of([ONE], hours=1))
    lost = LostAnswer(house.target)
    lost.lost = 99
    assert house.expire(NOON + HOUR, lost).state is ChangeState.DONE  # the next read tells
    house.apply(plan_of([TWO], hours=1, at=NOON + HOUR), NOON + HOUR)
    with (
        refusing(house.ip_set, "UpdateIPSet", "WAFInternalErrorException", 8, 500),
        pytest.raises(TransientError, match="not changed in 8 attempts"),
    ):
        house.expire(NOON + 3 * HOUR)
    assert load_changes(house.store, 1)[0].state is ChangeState.INTENDED
    house.foreign(remove=[TWO])  # or it was that expiry, late
    house.expire(NOON + 4 * HOUR)
    assert held(house.store, "shop") == {}
    assert load_changes(house.store, 1)[0].state is ChangeState.DONE


def test_refused_after_a_lost_answer_it_is_open_too(house: RespondHouse) -> None:
    house.ip_set.read()
    with (
        refusing(house.ip_set, "UpdateIPSet", "WAFInternalErrorException", 1, 500),
        refusing(house.ip_set, "UpdateIPSet", "WAFInvalidParameterException", 2),  # first is first
        pytest.raises(SourceError, match="WAFInvalidParameterException"),
    ):
        house.apply(plan_of([ONE]))
    assert load_changes(house.store, 1)[0].state is ChangeState.INTENDED


class Killed(BaseException):
    pass


class Dies(IpSet):
    """The process is killed after its write."""

    def replace(self, addresses: tuple[str, ...], read: Contents) -> str:
        super().replace(addresses, read)
        raise Killed


@pytest.mark.parametrize("run_again", [False, True])
def test_a_killed_apply_can_be_undone(house: RespondHouse, run_again: bool) -> None:
    """Also by somebody who looked at it before it was run again, and so before it was done."""
    house.apply(plan_of([TWO, THREE], hours=9))
    plan = plan_of([ONE, TWO], [THREE], at=NOON + HOUR)
    with pytest.raises(Killed):
        house.apply(plan, NOON + HOUR, Dies(house.target))
    (broken,) = [one for one in load_changes(house.store, 9) if one.state is ChangeState.INTENDED]
    if run_again:
        house.apply(plan, NOON + HOUR)
    house.undo(broken, NOON + HOUR)
    assert house.addresses() == [TWO, THREE]
    assert held(house.store, "shop").keys() == {ip_network(TWO), ip_network(THREE)}
    undone = load_change(house.store, broken.id)
    assert undone is not None and undone.state is ChangeState.UNDONE


def test_killed_before_its_write_nothing_is_held(house: RespondHouse) -> None:
    class Dead(IpSet):
        def replace(self, addresses: tuple[str, ...], read: Contents) -> str:
            raise Killed

    plan = plan_of([ONE])
    with pytest.raises(Killed):
        house.apply(plan, ip_set=Dead(house.target))
    for soon in (lambda: house.expire(NOON + HOUR / 30), lambda: house.apply(plan)):
        with pytest.raises(TransientError, match="was broken off at 2026-11-20T12:00:00Z"):
            soon()
    assert house.expire(NOON + HOUR).state is ChangeState.UNCHANGED
    assert held(house.store, "shop") == {}
    (broken,) = load_changes(house.store, 9)
    assert (broken.state, broken.receipt) == (ChangeState.FAILED, ENDED)
    house.apply(plan, NOON + HOUR)
    assert house.addresses() == [ONE]


def test_killed_after_it_took_out_the_ledger_says_who_did(house: RespondHouse) -> None:
    house.apply(plan_of([ONE], hours=1))
    with pytest.raises(Killed):
        house.expire(NOON + HOUR, Dies(house.target))
    assert house.expire(NOON + 2 * HOUR).state is ChangeState.UNCHANGED
    assert held(house.store, "shop") == {}
    assert [deed.what for deed in load_deeds(house.store, 9)] == ["expire", "apply"]


def test_killed_after_the_write_its_entries_still_expire(house: RespondHouse) -> None:
    with pytest.raises(Killed):
        house.apply(plan_of([ONE]), ip_set=Dies(house.target))
    assert house.addresses() == [ONE]
    assert held(house.store, "shop").keys() == networks(ONE)
    again = house.apply(plan_of([ONE]))
    assert (again.added, again.state) == ((ip_network(ONE),), ChangeState.DONE)

    with pytest.raises(Killed):
        house.apply(plan_of([TWO]), ip_set=Dies(house.target))
    house.expire(NOON + 5 * HOUR)
    assert house.addresses() == []
    assert held(house.store, "shop") == {}
