"""Ways past the guard, the limits and the owner of an entry, each tried on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from respond_house import HOUR, NOON, Meddled, RespondHouse, plan_of, refusing, scored

from bartizan.errors import BartizanError, ConfigError, SourceError, UsageError
from bartizan.model.intel import Entry, IpSetTarget, Mode, Network, Plan
from bartizan.respond.edit import edit
from bartizan.respond.ip_sets import Contents, IpSet
from bartizan.respond.merge import Decision, Task
from bartizan.store.intel import ChangeState, Row, held, load_changes
from bartizan.store.intel_audit import Deed, load_deeds, save_deed, set_stopped
from bartizan.store.intel_plans import load_plan, plan_json, save_plan, save_targets
from bartizan.store.tables import intel_plans

ONE, TWO, THREE = (f"198.51.100.{n}/32" for n in (1, 2, 3))


def network(written: str) -> Network:
    return ip_network(written)


def test_entries_beside_what_a_plan_says_it_adds_are_guarded_too(house: RespondHouse) -> None:
    plan = plan_of([ONE])
    (change,) = plan.changes
    house.barred = {network(TWO)}
    hidden = replace(change, entries=(*change.entries, *plan_of([TWO]).changes[0].entries))
    house.apply(replace(plan, changes=(hidden,)))
    assert house.addresses() == [ONE]


def test_whatever_is_decided_nothing_enters_past_the_guard(house: RespondHouse) -> None:
    """Also an entry that the guard let through when it was decided."""
    entry = Entry(network(ONE), NOON, NOON + HOUR, 1, 50.0)

    def decide(_ours: object) -> Decision:
        house.barred = {network(ONE)}
        return Decision({network(ONE): Row(entry, True, "mine")}, {})

    task = Task("mine", "apply", "p", NOON, "ops", decide, house.guard)
    with pytest.raises(UsageError, match=r"198.51.100.1/32 may not be added: protected"):
        edit(house.store, house.ip_set, task, house.clock.pace(), dry_run=False)
    assert house.addresses() == []
    assert held(house.store, "shop") == {}


def test_the_switch_thrown_while_an_apply_waits_stops_it(house: RespondHouse) -> None:
    meddled = Meddled(house.target, lambda: set_stopped(house.store, True, "dana", "", NOON))
    with pytest.raises(UsageError, match="is stopped"):
        house.apply(plan_of([ONE]), ip_set=meddled)
    assert house.addresses() == []
    (failed,) = load_changes(house.store, 9)
    assert failed.state is ChangeState.FAILED


def test_a_plan_whose_content_was_changed_is_not_loaded(house: RespondHouse) -> None:
    plan = plan_of([ONE])
    changed: list[tuple[str, Callable[[dict[str, object]], object]]] = [
        ("longer", lambda body: body["changes"][0]["entries"][0].update(  # type: ignore[index]
            expires_at="2036-01-01T00:00:00Z")),
        ("other", lambda body: body["changes"][0].update(add=[TWO])),  # type: ignore[index]
        ("away", lambda body: body.update(blast_radius=0.5)),
        ("named", lambda body: body.update(id="0" * 32)),
    ]  # fmt: skip
    save_plan(house.store, plan, "ops")
    assert load_plan(house.store, plan.id) == plan
    for _name, change in changed:
        body = plan_json(plan)
        change(body)
        with house.store.transaction() as connection:
            connection.execute(intel_plans.update().values(body=body))
        with pytest.raises(UsageError, match="was changed since it was made"):
            load_plan(house.store, plan.id)


@pytest.mark.parametrize(
    ("at", "limits", "radius", "says"),
    [
        (NOON + 2 * HOUR, {}, 0.0, "too old"),
        (NOON, {"max_new": 1}, 0.0, "adds 2 networks, more than 1"),
        (NOON, {"max_blast_radius": 0.01}, 0.02, "a blast radius of 2.0000%"),
        (NOON, {}, None, "never simulated"),
    ],
)
def test_a_plan_is_held_against_the_limits_of_now(
    house: RespondHouse, at: object, limits: dict[str, float], radius: float | None, says: str
) -> None:
    house.limits = replace(house.limits, **limits)  # type: ignore[arg-type]
    plan = replace(plan_of([ONE, TWO]), blast_radius=radius)
    with pytest.raises(UsageError, match=says):
        house.apply(plan, at)  # type: ignore[arg-type]
    assert house.addresses() == []


def test_a_rejected_plan_stays_rejected(house: RespondHouse) -> None:
    plan = plan_of([ONE])
    save_deed(house.store, Deed(NOON, "dana", "reject", plan.id, "no"))
    with pytest.raises(UsageError, match="was rejected"):
        house.apply(plan)
    assert house.addresses() == []


def test_the_size_and_time_limits_of_now_hold_at_apply(house: RespondHouse) -> None:
    """The set has grown and the limits have shrunk since the plan."""
    house.foreign(add=["203.0.113.0/25"])
    house.limits = replace(house.limits, max_entries=2, max_ttl=timedelta(hours=1))
    done = house.apply(scored(plan_of([ONE, TWO], hours=9), [20.0, 60.0]))
    assert house.addresses() == ["203.0.113.0/25", TWO]
    assert "full at 2" in done.left_out[network(ONE)]
    (row,) = held(house.store, "shop").values()
    assert row.entry.expires_at == NOON + HOUR


def test_an_address_with_host_bits_is_never_ours(house: RespondHouse) -> None:
    """Others wrote it so, and it names the network that we hold."""
    wide, theirs = "198.51.100.0/30", "198.51.100.1/30"
    house.apply(plan_of([wide]))
    house.foreign(add=[theirs])
    house.expire(NOON + 5 * HOUR)
    assert house.addresses() == [theirs]


def test_what_others_took_out_and_put_back_is_theirs(house: RespondHouse) -> None:
    house.apply(plan_of([ONE, TWO]))
    house.foreign(remove=[ONE])
    house.apply(plan_of([THREE], at=NOON + HOUR), NOON + HOUR)
    assert "1 taken out by others: 198.51.100.1/32" in {
        d.detail for d in load_deeds(house.store, 9)
    }
    house.foreign(add=[ONE])
    house.expire(NOON + 9 * HOUR)
    assert house.addresses() == [ONE]
    assert held(house.store, "shop") == {}


def test_a_read_older_than_our_write_is_not_believed(house: RespondHouse) -> None:
    """Else what we have just put there would be taken for theirs when it shows, and never leave."""

    class Stale(IpSet):
        def read(self) -> Contents:
            found = super().read()
            return replace(found, addresses=(), networks=frozenset())

    house.apply(plan_of([ONE]))
    assert house.expire(NOON + HOUR / 30, Stale(house.target)).state is ChangeState.UNCHANGED
    house.expire(NOON + 5 * HOUR)
    assert house.addresses() == []


def test_an_old_plan_does_not_take_out_what_a_newer_one_renewed(house: RespondHouse) -> None:
    short = plan_of([ONE], hours=1)
    house.apply(plan_of([ONE], hours=9, at=NOON + HOUR / 2), NOON + HOUR / 2)
    done = house.apply(short, NOON + HOUR)
    assert house.addresses() == [ONE]
    assert done.left_out == {network(ONE): "its time is over"}


def test_done_is_done_though_the_set_cannot_be_read_again(house: RespondHouse) -> None:
    house.ip_set.read()
    refuse = refusing(house.ip_set, "GetIPSet", "AccessDeniedException", 1)

    class Blinded(Meddled):
        def replace(self, addresses: tuple[str, ...], read: Contents) -> str:
            request = super().replace(addresses, read)
            refuse.__enter__()
            return request

    blinded = Blinded(house.target)
    done = house.apply(plan_of([ONE]), ip_set=blinded)
    refuse.__exit__(None, None, None)
    assert done.state is ChangeState.DONE
    assert "not read again: wafv2:GetIPSet: AccessDenied" in done.receipt
    assert held(house.store, "shop").keys() == {network(ONE)}


def test_undone_stays_undone(house: RespondHouse) -> None:
    plan = plan_of([ONE])
    done = house.apply(plan)
    undone = house.undo(done, NOON + HOUR)
    assert house.apply(plan, NOON + HOUR).state is ChangeState.UNDONE
    assert house.undo(done, NOON + HOUR * 1.5) == undone
    assert house.addresses() == []


def test_undo_brings_nothing_back_where_the_mode_changes_nothing(house: RespondHouse) -> None:
    house.apply(plan_of([ONE], hours=9))
    done = house.apply(plan_of([TWO], [ONE], at=NOON + HOUR), NOON + HOUR)
    house.__dict__["ip_set"] = IpSet(replace(house.target, mode=Mode.DRY_RUN))
    undone = house.undo(done, NOON + HOUR)
    assert house.addresses() == []
    assert undone.left_out == {network(ONE): "nothing is added in this mode"}


@pytest.mark.parametrize(
    "other",
    [
        {"account_id": "444455556666"},
        {"ip_set_name": "other"},
        {"region": "eu-west-1"},
        {"scope": "CLOUDFRONT", "region": "us-east-1"},
    ],
)
def test_a_target_keeps_its_ip_set(house: RespondHouse, other: dict[str, str]) -> None:
    """Else what is ours there would be theirs, and what is theirs here would be ours."""

    def moved(target: IpSetTarget) -> IpSetTarget:
        return replace(target, **other)  # type: ignore[arg-type]

    save_targets(house.store, [house.target])
    save_targets(house.store, [moved(house.target)])  # nothing was ever changed there
    save_targets(house.store, [house.target])
    house.apply(plan_of([ONE]))
    with pytest.raises(ConfigError, match=f"target shop: now names .*{house.target.ip_set_name}"):
        save_targets(house.store, [moved(house.target)])
    save_targets(house.store, [replace(house.target, mode=Mode.OFF, role_arn=None)])


def test_a_set_that_cannot_be_understood_is_left_alone(house: RespondHouse) -> None:
    house.foreign(add=["nonsense"])
    with pytest.raises(SourceError, match="'nonsense' does not appear to be an IPv4"):
        house.apply(plan_of([ONE]))
    assert house.addresses() == ["nonsense"]


@pytest.mark.parametrize("edits", [1, 3])
def test_a_guard_that_fails_at_the_last_moment_lets_nothing_in(
    house: RespondHouse, edits: int
) -> None:
    """It answered when the change was decided; the list is gone when it is to be written."""
    answers = [house.guard] * edits

    def guard(networks: list[Network]) -> list[object]:
        if not answers:
            raise ConfigError("never_block", "cannot be read")
        return list(answers.pop()(networks))

    foreign = iter(range(9))
    meddled = Meddled(
        house.target,
        *[lambda: house.foreign(add=[f"203.0.113.{next(foreign)}/32"])] * (edits // 2),
    )
    house.guard = guard  # type: ignore[method-assign, assignment]
    with pytest.raises(BartizanError, match="never_block: cannot be read"):
        house.apply(plan_of([ONE]), ip_set=meddled)
    assert ONE not in house.addresses()


def test_a_plan_has_the_id_of_all_that_an_apply_goes_by() -> None:
    plans: list[Plan] = [
        plan_of([ONE]),
        plan_of([TWO]),
        plan_of([ONE], hours=5),
        plan_of([ONE], score=51.0),
        plan_of([], [ONE]),
        plan_of([ONE], at=NOON + HOUR),
    ]
    assert len({one.id for one in plans}) == len(plans)
