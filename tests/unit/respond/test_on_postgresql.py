"""Set and ledger agree where the ledger is on a real PostgreSQL, too."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from engine_postgresql import database
from respond_house import HOUR, NOON, RespondHouse, plan_of

from bartizan.respond.ip_sets import Contents, IpSet
from bartizan.store import Store
from bartizan.store.intel import ChangeState, held, ledger, load_changes
from bartizan.store.intel_audit import load_deeds, set_stopped
from bartizan.store.intel_plans import load_plan, load_targets, save_plan, save_targets

ONE, TWO, THREE = (f"198.51.100.{n}/32" for n in (1, 2, 3))


@pytest.fixture
def house(endpoint: str, tmp_path: Path) -> Iterator[RespondHouse]:
    with database() as url:
        store = Store.open(url.replace("postgresql://", "postgresql+psycopg://"))
        yield RespondHouse(tmp_path, store=store)
        store.engine.dispose()


class Killed(BaseException):
    pass


class Dies(IpSet):
    def replace(self, addresses: tuple[str, ...], read: Contents) -> str:
        super().replace(addresses, read)
        raise Killed


def test_the_whole_way(house: RespondHouse) -> None:
    plan = plan_of([ONE, TWO])
    save_plan(house.store, plan, "ops")
    save_targets(house.store, [house.target])
    assert load_plan(house.store, plan.id) == plan
    assert load_targets(house.store) == {"shop": house.target}
    house.apply(plan)
    with pytest.raises(Killed):
        house.apply(plan_of([THREE], [TWO], at=NOON + HOUR), NOON + HOUR, Dies(house.target))
    (broken,) = [one for one in load_changes(house.store, 9) if one.state is ChangeState.INTENDED]
    assert held(house.store, "shop").keys() == {ip_network(one) for one in (ONE, TWO, THREE)}
    house.undo(broken, NOON + HOUR)
    assert house.addresses() == [ONE, TWO]
    set_stopped(house.store, True, "ops", "trouble", NOON)
    house.expire(NOON + 5 * HOUR)
    assert house.addresses() == []
    assert [row.listed for row in ledger(house.store, "shop").values()] == [False, False]
    did = [deed.what for deed in load_deeds(house.store, 9)]
    assert did == ["expire", "stop", "undo", "apply", "apply", "plan"]
