"""What others change in an IP set is noticed once; what we change ourselves never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from respond_house import HOUR, NOON, LostAnswer, Meddled, RespondHouse, plan_of

from bartizan.errors import TransientError
from bartizan.model.window import DAY, Window
from bartizan.respond import edit
from bartizan.respond.ip_sets import Contents, IpSet
from bartizan.store.intel_audit import load_deeds
from bartizan.store.intel_drift import Drift, drifts

ONE, TWO, THREE = (f"198.51.100.{n}/32" for n in (1, 2, 3))
THEIRS, MORE = "192.0.2.0/24", "203.0.113.99/32"
MINUTE = timedelta(minutes=1)


def noticed(house: RespondHouse) -> list[Drift]:
    return drifts(house.store, Window(NOON - DAY, NOON + 9 * DAY))


def said(house: RespondHouse) -> list[tuple[list[str], list[str]]]:
    return [(list(map(str, one.added)), list(map(str, one.gone))) for one in noticed(house)]


def test_what_others_put_in_and_took_out_is_noticed_once(house: RespondHouse) -> None:
    house.foreign(add=[THEIRS])
    house.apply(plan_of([ONE, TWO]))
    house.expire(NOON + HOUR)
    assert said(house) == []

    house.foreign(add=[MORE], remove=[THEIRS, ONE])
    for minutes in (70, 80, 90):
        house.expire(NOON + minutes * MINUTE)
    assert said(house) == [([MORE], [THEIRS, ONE])]
    assert [one.at for one in noticed(house)] == [NOON + 70 * MINUTE]
    (deed,) = [one for one in load_deeds(house.store, 99) if one.what == "drift"]
    assert (deed.by, deed.subject) == ("ops", "shop")
    assert deed.detail == f"3 changed by others: +{MORE}, -{THEIRS}, -{ONE}"


def test_our_own_changes_are_no_edits_of_others(house: RespondHouse) -> None:
    house.foreign(add=[THEIRS])
    first = house.apply(plan_of([ONE, TWO], hours=3))
    house.apply(plan_of([THREE], remove=[TWO], hours=9, at=NOON + HOUR), NOON + HOUR)
    house.undo(first, NOON + 2 * HOUR)
    house.expire(NOON + 4 * HOUR)
    house.expire(NOON + 10 * HOUR)
    assert house.addresses() == [THEIRS]
    assert said(house) == []


def test_an_edit_between_our_read_and_our_write_is_noticed_next(house: RespondHouse) -> None:
    house.apply(plan_of([ONE]), ip_set=Meddled(house.target, lambda: house.foreign(add=[MORE])))
    assert sorted(house.addresses()) == [ONE, MORE]
    assert said(house) == []
    house.expire(NOON + HOUR)
    assert said(house) == [([MORE], [])]


def test_a_read_older_than_our_write_is_no_edit(house: RespondHouse) -> None:
    class Stale(IpSet):
        def read(self) -> Contents:
            return replace(super().read(), addresses=(), networks=frozenset())

    house.apply(plan_of([ONE]))
    house.expire(NOON + 4 * MINUTE, Stale(house.target))
    house.expire(NOON + HOUR)
    assert said(house) == []


@pytest.mark.parametrize(
    ("breaks", "wait"), product(("_saw", "finish"), (2 * MINUTE, HOUR)), ids=str
)
def test_a_change_that_was_killed_is_no_edit_of_others(
    house: RespondHouse, monkeypatch: pytest.MonkeyPatch, breaks: str, wait: timedelta
) -> None:
    class Killed(Exception):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Killed

    house.apply(plan_of([ONE], hours=1))
    with monkeypatch.context() as dying:
        dying.setattr(edit, breaks, dies)
        with pytest.raises(Killed):
            house.apply(plan_of([TWO], remove=[ONE], at=NOON + MINUTE), NOON + MINUTE)
    assert house.addresses() == [TWO]
    for at in (NOON + MINUTE + wait, NOON + 2 * HOUR, NOON + 9 * HOUR):
        house.expire(at)
    assert house.addresses() == []
    assert said(house) == []


@pytest.mark.parametrize("lost", [1, 3, 99])
def test_a_lost_answer_is_no_edit_of_others(house: RespondHouse, lost: int) -> None:
    ip_set = LostAnswer(house.target)
    ip_set.lost = lost
    try:
        house.apply(plan_of([ONE]), ip_set=ip_set)
    except TransientError:
        assert lost == 99
    for hours in (1, 2, 9):
        house.expire(NOON + hours * HOUR)
    assert house.addresses() == []
    assert said(house) == []


def test_looking_only_writes_nothing_down(house: RespondHouse, tmp_path: Path) -> None:
    house.apply(plan_of([ONE]))
    house.foreign(add=[MORE])
    house.apply(plan_of([TWO], at=NOON + HOUR), NOON + HOUR, dry_run=True)
    assert said(house) == []
