"""How long Threat intelligence takes when IP sets are full and others say much.

    python benchmarks/ui_intel.py

Two sets with 10,000 entries, ten changes of a whole set, 10,000 networks of which another account
told, five plans of 100. Prints the server's milliseconds, the median and the worst of eleven.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_network

from fastapi.testclient import TestClient

from bartizan import jobs
from bartizan.model.intel import (
    Candidate,
    Change,
    Entry,
    Evidence,
    IpSetTarget,
    Mode,
    Network,
    Plan,
)
from bartizan.model.window import DAY, Window
from bartizan.store import Store
from bartizan.store.intel import ChangeState, IpSetChange, Row, finish
from bartizan.store.intel_plans import save_plan, save_targets
from bartizan.store.intel_sharing import Said, accept, save_evidence
from bartizan.ui import Visitor, create_app
from ui_views import timed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FULL, PLANNED = 10_000, 100
TARGETS = tuple(
    IpSetTarget(name, name, "REGIONAL", "eu-central-1", account, None, 4, Mode.BLOCK)
    for name, account in (("shop", "111122223333"), ("blog", "444455556666"))
)
SEEN = Evidence(1200, 1190, ("SQLi_BODY",), 40, 9, NOW - DAY, NOW, ("shop",), ("repeat_offender",))


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["BARTIZAN_HOME"] = home
        plan = fill(jobs.open_store())
        app = create_app(lambda: Visitor("vera", may_write=False), b"key", clock=lambda: NOW)
        client = TestClient(app)
        for path in ("/intel", f"/intel-plan?id={plan}"):
            median, worst = timed(client.get, path)
            print(f"{median:7.1f} ms median {worst:7.1f} ms worst  {path.partition('?')[0]}")


def fill(store: Store) -> str:
    """Put everything there is; returns the id of a plan."""
    networks = [ip_network(IPv4Address("10.0.0.0") + n) for n in range(FULL)]
    save_targets(store, TARGETS)
    for number in range(10):
        finish(store, _change(TARGETS[number % 2], number, networks), "benchmark")
    until = NOW + timedelta(hours=6)
    said = [Said("777788889999", NOW, until, Candidate(one, SEEN, 48.0)) for one in networks]
    assert accept(store, "777788889999", "benchmark", NOW, said)
    plans = [_plan(NOW - timedelta(minutes=number), networks[:PLANNED]) for number in range(5)]
    for plan in plans:
        save_plan(store, plan, "respond")
        save_evidence(store, [Candidate(one, SEEN, 60.0) for one in networks[:PLANNED]], plan)
    return plans[0].id


def _change(target: IpSetTarget, number: int, networks: list[Network]) -> IpSetChange:
    at, name = NOW - timedelta(minutes=number), f"{target.name}-{number}"
    rows = {
        one: Row(Entry(one, at, NOW + timedelta(minutes=1 + place), 1, 60.0), True, name)
        for place, one in enumerate(networks)
    }
    texts, added = tuple(map(str, networks)), tuple(networks)
    state = ChangeState.INTENDED
    return IpSetChange(
        name, "apply", target.name, name, at, "anna", state, added, (), {}, (), texts, rows, {}, ""
    )


def _plan(at: datetime, networks: list[Network]) -> Plan:
    entries = tuple(Entry(one, at, at + DAY, 2, 60.0) for one in networks)
    why = dict.fromkeys(networks, "score 60.0, listing 2, 0 requests allowed before")
    changes = tuple(Change(one.name, tuple(networks), (), 0, why, entries) for one in TARGETS)
    return Plan.of(Window(at - DAY, at), at, changes, (), 0.0)


if __name__ == "__main__":
    main()
