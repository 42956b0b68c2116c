"""From requests in the log of one account to the IP sets of two, and back again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from attacked import ATTACKER, FOREIGN, PARTNER, Sets, attacked_lake
from landing_house import House
from respond_house import HOUR, NOON
from waf_logs import lines, record, write_object

from bartizan import jobs
from bartizan.errors import ConfigError
from bartizan.model.window import Window
from bartizan.respond.ip_sets import Contents, IpSet

DAY = Window(NOON - 24 * HOUR, NOON)
ENTRY, LATER, HOSTILE = f"{ATTACKER}/32", "192.0.2.77/32", "203.0.113.0/24"


def request(client: str, at: datetime, uri: str, action: str) -> dict[str, object]:
    plain = record(0, timestamp=int(at.timestamp() * 1000), action=action)
    if action == "ALLOW":
        plain |= {"terminatingRuleId": "Default_Action", "ruleGroupList": []}
    sent = {"clientIp": client, "uri": uri, "requestId": f"{client} {at}"}
    return plain | {"httpRequest": plain["httpRequest"] | sent}


def attack(source: Path) -> int:
    """Log objects of account A as AWS WAF delivers them; how many records they hold."""
    minutes = [NOON - timedelta(minutes=n) for n in range(1, 601)]
    stopped = [
        request(client, at, f"/item/{n % 40}", "BLOCK")
        for client in (ATTACKER, PARTNER, HOSTILE)
        for n, at in enumerate(minutes)
    ]
    visits = [request(f"198.51.100.{n % 200}", at, "/", "ALLOW") for n, at in enumerate(minutes)]
    write_object(source, "attack", lines(stopped), NOON)
    write_object(source, "visits", lines(visits), NOON)
    return len(stopped) + len(visits)


@pytest.fixture
def sets(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sets:
    for name in ("STORE", "LAKE", "SQL"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_INTEL", str(tmp_path / "intel.yaml"))
    sets = Sets(endpoint, tmp_path.name)
    sets.configured(tmp_path / "intel.yaml", "block")
    return sets


def edited_once(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody edits the set in account B between our read and our write; tells that they did."""
    told: list[str] = []
    write = IpSet.replace

    def meddled(ip_set: IpSet, addresses: tuple[str, ...], read: Contents) -> str:
        if ip_set.target.name == "edge" and not told:
            told.append(LATER)
            sets.foreign(1, LATER)
        return write(ip_set, addresses, read)

    monkeypatch.setattr(IpSet, "replace", meddled)
    return told


def test_an_attack_in_one_account_is_stopped_in_both_for_a_while(
    sets: Sets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = attack(tmp_path / "raw")
    report = House(tmp_path).land()
    assert report.counts.requests == written == 2400

    found = jobs.find_candidates(DAY)
    assert {one["network"] for one in found["candidates"]} == {ENTRY, f"{PARTNER}/32"}
    assert found["unreadable"] == [HOSTILE]

    plan = jobs.plan_intel(DAY, "respond", NOON)
    assert {one["target"]: one["add"] for one in plan["changes"]} == {
        "shop": [ENTRY],
        "edge": [ENTRY],
    }
    assert [one["network"] for one in plan["refused"]] == [f"{PARTNER}/32"]
    assert (plan["blast_radius"], plan["unread"]) == (0, {})
    assert sets.addresses() == [[FOREIGN]] * 2

    told = edited_once(sets, monkeypatch)
    applied = jobs.apply_intel(plan["id"], "dana", NOON, dry_run=False)
    assert applied["failed"] == {}
    assert told == [LATER]
    assert sets.addresses() == [[FOREIGN, ENTRY], [FOREIGN, LATER, ENTRY]]

    assert jobs.expire_intel("hourly", NOON + 4 * HOUR, dry_run=False)["failed"] == {}
    assert sets.addresses() == [[FOREIGN], [FOREIGN, LATER]]

    # It attacks on, so it is listed again, for longer; then that turns out to be wrong.
    again = jobs.plan_intel(DAY, "respond", NOON + 5 * HOUR)
    assert "listing 2, until 2026-11-21T09:00:00Z" in again["changes"][0]["why"][ENTRY]
    both = jobs.apply_intel(again["id"], "dana", NOON + 5 * HOUR, dry_run=False)["changes"]
    assert sets.addresses() == [[FOREIGN, ENTRY], [FOREIGN, LATER, ENTRY]]
    for change in both:
        jobs.undo_intel(change["id"], "dana", NOON + 6 * HOUR, dry_run=False)
    assert sets.addresses() == [[FOREIGN], [FOREIGN, LATER]]
    audit = jobs.intel_status(NOON + 6 * HOUR)["audit"]
    assert [(one["what"], one["by"]) for one in reversed(audit)] == [
        *[("plan", "respond"), ("apply", "dana"), ("apply", "dana")],
        *[("drift", "hourly"), ("expire", "hourly"), ("expire", "hourly")],
        *[("plan", "respond"), ("apply", "dana"), ("apply", "dana")],
        *[("undo", "dana"), ("undo", "dana")],
    ]


def test_a_target_that_names_another_set_is_not_changed(sets: Sets, tmp_path: Path) -> None:
    """The file is edited between approval and apply; a set that cannot be read is only told. What
    others keep in a set leaves less room."""
    attacked_lake(tmp_path, NOON)
    file = tmp_path / "intel.yaml"
    roomy = file.read_text()
    file.write_text(roomy.replace("max_blast_radius: 0", "max_blast_radius: 0, max_entries: 1"))
    crowded = jobs.plan_intel(DAY, "respond", NOON)
    assert [one["add"] for one in crowded["changes"]] == [[], []]
    assert "edge is full of stronger evidence (0 entries)" in {o["why"] for o in crowded["refused"]}
    file.write_text(roomy)
    plan = jobs.plan_intel(DAY, "respond", NOON)
    jobs.apply_intel(plan["id"], "dana", NOON, dry_run=False)
    applied = sets.addresses()
    elsewhere = file.read_text().replace(f"ip_set_name: {sets.name}", "ip_set_name: gone")
    file.write_text(elsewhere)
    for work in (
        lambda: jobs.plan_intel(DAY, "respond", NOON + HOUR),
        lambda: jobs.apply_intel(plan["id"], "dana", NOON + HOUR, dry_run=False),
    ):
        with pytest.raises(ConfigError, match=rf"shop: now names .*gone and named .*{sets.name}"):
            work()
    assert sets.addresses() == applied
    renamed = elsewhere.replace("name: shop", "name: new").replace("name: edge", "name: next")
    file.write_text(renamed)
    unread = jobs.plan_intel(DAY, "respond", NOON + HOUR)["unread"]
    assert sorted(unread) == ["new", "next"]
    assert "'gone' is not in account 111122223333" in unread["new"]
