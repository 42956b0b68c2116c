"""Plans applied on a stand-in of AWS WAF: nobody's edit is lost, whatever comes between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from respond_house import HOUR, NOON, Meddled, RespondHouse, networks, plan_of, refusing, scored

from bartizan.errors import SourceError, TransientError, UsageError
from bartizan.model.intel import Mode
from bartizan.respond.ip_sets import IpSet
from bartizan.store import Store
from bartizan.store.intel import ChangeState, held, load_changes
from bartizan.store.intel_audit import load_deeds, set_stopped

ONE, TWO, THREE = "198.51.100.1/32", "198.51.100.2/32", "198.51.100.3/32"
FOREIGN, LATER = "203.0.113.0/25", "203.0.113.200/32"


def test_what_a_plan_says_is_in_the_set_and_written_down_once(house: RespondHouse) -> None:
    house.foreign(add=[FOREIGN])
    told = house.apply(plan_of([TWO, ONE]), dry_run=True)
    assert told.after == (FOREIGN, ONE, TWO)
    assert house.addresses() == [FOREIGN]
    assert load_changes(house.store, 9) == load_deeds(house.store, 9) == []

    done = house.apply(plan_of([TWO, ONE]))
    assert house.addresses() == [FOREIGN, ONE, TWO]
    assert done.receipt.endswith("; read again and found so")
    assert (done.before, done.after) == ((FOREIGN,), (FOREIGN, ONE, TWO))
    assert held(house.store, "shop").keys() == networks(ONE, TWO)
    (deed,) = load_deeds(house.store, 9)
    assert (deed.at, deed.by, deed.what, deed.subject) == (NOON, "ops", "apply", f"shop/{done.id}")

    house.foreign(remove=[ONE])
    assert house.apply(plan_of([TWO, ONE])) == done
    assert house.addresses() == [FOREIGN, TWO]
    house.apply(plan_of(remove=[FOREIGN, TWO]), NOON + HOUR)
    assert house.addresses() == [FOREIGN]


@pytest.mark.parametrize("scope", ["REGIONAL", "CLOUDFRONT"])
def test_ipv6_in_both_scopes(house: RespondHouse, tmp_path: Path, scope: str) -> None:
    (tmp_path / scope).mkdir()
    six = RespondHouse(tmp_path / scope, version=6, scope=scope)
    written = "2001:0db8:0000:0000:0000:0000:0000:0001/128"
    six.foreign(add=[written])
    done = six.apply(plan_of(["2001:db8::1/128", "2001:db8:1::/64", ONE]))
    assert six.addresses() == [written, "2001:db8:1::/64"]
    assert {str(one): why for one, why in done.left_out.items()} == {
        ONE: "is of another IP version",
        "2001:db8::1/128": "is in the set already, put there by others",
    }


def test_an_edit_between_read_and_write_survives(house: RespondHouse) -> None:
    """The same address among it: it belongs to others from then on."""
    house.foreign(add=[FOREIGN])
    meddled = Meddled(
        house.target,
        lambda: house.foreign(add=[LATER, TWO], remove=[FOREIGN]),
        lambda: house.foreign(add=[FOREIGN]),
    )
    done = house.apply(plan_of([ONE, TWO]), ip_set=meddled)
    assert sorted(house.addresses()) == sorted([LATER, TWO, FOREIGN, ONE])
    assert done.added == (ip_network(ONE),)
    house.expire(NOON + 5 * HOUR)
    assert sorted(house.addresses()) == sorted([LATER, TWO, FOREIGN])
    assert house.aws.get_ip_set(**house._named)["IPSet"]["Description"] == "mine"


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Does all of them at the same time; returns what they raised."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            works[number]()
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(len(works))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return failures


SHARES = [[f"198.51.100.{n}/32" for n in range(start, start + 12)] for start in (10, 18)]


def test_two_installations_at_once_lose_nothing(house: RespondHouse, tmp_path: Path) -> None:
    """Both have read before one writes; each takes out only what it put there."""
    (tmp_path / "other").mkdir()
    stores = [house.store, Store.open(f"sqlite:///{tmp_path / 'other' / 'store.db'}")]
    both = threading.Barrier(2)

    def work(number: int) -> None:
        meddled = Meddled(house.target, lambda: both.wait(10))
        replace_store(house, stores[number]).apply(plan_of(SHARES[number]), NOON, meddled)

    assert at_once(lambda: work(0), lambda: work(1)) == []
    wanted = set(SHARES[0]) | set(SHARES[1])
    assert set(house.addresses()) == wanted
    assert len(house.addresses()) == len(wanted) == 20
    owned = [held(store, "shop").keys() for store in stores]
    assert owned[0] | owned[1] == networks(*wanted)
    assert owned[0] & owned[1] == set()
    house.expire(NOON + 5 * HOUR)
    assert {ip_network(one) for one in house.addresses()} == owned[1]


def replace_store(house: RespondHouse, store: Store) -> RespondHouse:
    other = copy(house)
    other.store = store
    return other


@pytest.mark.parametrize("reads_before", [0, 1])
def test_two_of_one_installation_take_turns(house: RespondHouse, reads_before: int) -> None:
    """One takes out at its expiry what the other renews, and pauses before its write, or between
    its write and the ledger: set and ledger agree all the same."""
    house.apply(plan_of([ONE, TWO], hours=1))
    due = NOON + HOUR
    paused, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        paused.set()
        go_on.wait(10)

    def apply_meanwhile() -> None:
        assert paused.wait(10)
        threading.Timer(0.5, go_on.set).start()  # it waits for the other, which waits for this
        house.apply(plan_of([ONE], hours=4, at=due), due)
        go_on.set()

    slow = Meddled(house.target, *[lambda: None] * reads_before, wait)
    assert at_once(lambda: house.expire(due, slow), apply_meanwhile) == []
    assert house.addresses() == [ONE]
    assert held(house.store, "shop").keys() == networks(ONE)
    house.expire(due + 5 * HOUR)
    assert house.addresses() == []


def test_throttled_it_waits_and_at_last_gives_up(house: RespondHouse) -> None:
    ip_set = house.ip_set
    ip_set.read()
    with (
        refusing(ip_set, "UpdateIPSet", "ThrottlingException", 2),
        refusing(ip_set, "GetIPSet", "WAFInternalErrorException", 1, 500),
    ):
        house.apply(plan_of([ONE]), ip_set=ip_set)
    assert house.addresses() == [ONE]
    assert [one for one in house.clock.pauses if one >= 1] == [1.0, 2.0, 4.0]

    with (
        refusing(ip_set, "UpdateIPSet", "ThrottlingException", 8),
        pytest.raises(TransientError, match=r"not changed in 8 attempts: .*ThrottlingException"),
    ):
        house.apply(plan_of([TWO]), ip_set=ip_set)
    with (
        refusing(ip_set, "UpdateIPSet", "WAFInvalidParameterException", 1),
        pytest.raises(SourceError, match="WAFInvalidParameterException"),
    ):
        house.apply(plan_of([THREE]), ip_set=ip_set)
    assert house.addresses() == [ONE]
    assert [one.state for one in load_changes(house.store, 9)].count(ChangeState.FAILED) == 2
    assert held(house.store, "shop").keys() == networks(ONE)


def test_one_write_a_second(house: RespondHouse) -> None:
    pace = house.clock.pace()
    began = []
    for spent in (0.0, 0.25, 3.0, 0.0):
        house.clock.now += spent
        pace.turn()
        began.append(house.clock.now)
    assert began == [0.0, 1.0, 4.0, 5.0]


def test_a_full_set_keeps_the_strongest_of_ours(house: RespondHouse) -> None:
    many = [f"10.{n // 250}.{n % 250}.0/24" for n in range(9_998)]
    house.foreign(add=many)
    house.apply(scored(plan_of([ONE, TWO]), [20.0, 60.0]))
    assert len(house.addresses()) == 10_000
    done = house.apply(scored(plan_of([THREE, LATER]), [40.0, 10.0]), NOON + HOUR)
    assert house.addresses() == [*many, TWO, THREE]
    assert {str(one) for one in done.left_out} == {ONE, LATER}
    assert done.removed == (ip_network(ONE),)
    house.undo(done, NOON + HOUR)
    assert house.addresses() == [*many, TWO, ONE]


def test_the_guard_has_the_last_word(house: RespondHouse) -> None:
    house.apply(plan_of([ONE]))
    house.barred = networks(ONE, TWO)  # type: ignore[assignment]
    done = house.apply(plan_of([TWO, THREE]), NOON + HOUR)
    assert house.addresses() == [THREE]
    assert {str(one): why for one, why in done.left_out.items()} == {
        ONE: "protected",
        TWO: "protected",
    }


def test_a_guard_that_fails_the_switch_and_the_modes_stop_everything(house: RespondHouse) -> None:
    def fails(_networks: object) -> list[object]:
        raise UsageError("never-block list", "cannot be read")

    guard, house.guard = house.guard, fails  # type: ignore[method-assign, assignment]
    with pytest.raises(UsageError, match="never-block"):
        house.apply(plan_of([ONE]))
    house.guard = guard  # type: ignore[method-assign]
    set_stopped(house.store, True, "ops", "too many", NOON)
    with pytest.raises(UsageError, match="is stopped"):
        house.apply(plan_of([ONE]))
    set_stopped(house.store, False, "ops", "better", NOON)
    for mode in (Mode.OFF, Mode.DRY_RUN):
        quiet = IpSet(replace(house.target, mode=mode))
        with pytest.raises(UsageError, match=f"is in mode {mode.value}"):
            house.apply(plan_of([ONE]), ip_set=quiet)
    assert house.addresses() == []
    assert load_changes(house.store, 9) == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"account_id": "444455556666"}, "belong to account 111122223333"),
        ({"ip_set_name": "nobody"}, "'nobody' is not in account"),
        ({"version": 6}, "holds IPV4"),
    ],
)
def test_a_target_that_is_not_what_it_says(
    house: RespondHouse, wrong: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        house.apply(plan_of([ONE]), ip_set=IpSet(replace(house.target, **wrong)))  # type: ignore[arg-type]
    assert house.addresses() == []
