"""`bartizan intel` from logs to the IP sets of two accounts and back, as people use it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from lakes import SmallLake, landed
from respond_house import ACCOUNT, NOON, ROLE, wafv2

from bartizan import cli

OTHER = "444455556666"
ATTACKER, SHARED, PARTNER = "203.0.113.7", "203.0.113.8", "203.0.113.9"
INTEL = """
never_block:
  own_egress: {{ranges: []}}
  cdn_and_proxies: {{ranges: []}}
  partners: {{ranges: [203.0.113.9/32]}}
  documentation_ranges: false
limits: {{max_blast_radius: 0}}
targets:
  - {{name: shop, ip_set_name: {name}, scope: REGIONAL, region: eu-central-1, version: 4,
     account_id: "111122223333", role_arn: "{role}", mode: {mode}}}
  - {{name: edge, ip_set_name: {name}, scope: CLOUDFRONT, region: us-east-1, version: 4,
     account_id: "444455556666", role_arn: "{other}", mode: {mode}}}
"""

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with an attacker, a client whose address real users share, and a partner's probe."""
    folder = tmp_path_factory.mktemp("home")
    rows = [
        {
            "event_time": NOON - timedelta(minutes=n),
            "client_ip": client,
            "action": "ALLOW" if client == SHARED and n % 2 else "BLOCK",
            "terminating_rule_id": ("sqli", "xss")[n % 2],
            "uri": f"/path/{n % 40}",
        }
        for client in (ATTACKER, SHARED, PARTNER)
        for n in range(1, 700)
    ]
    hits = [
        {
            "event_time": row["event_time"],
            "client_ip": row["client_ip"],
            "rule": row["terminating_rule_id"],
            "rule_action": row["action"],
            "request_action": row["action"],
            "terminating": True,
        }
        for row in rows
    ]
    SmallLake.open(folder).land(
        "a", requests=landed("requests", rows), rule_hits=landed("rule_hits", hits)
    )
    return folder


@pytest.fixture
def command(
    endpoint: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command on the lake of all tests, with a store of its own."""
    for name in ("LAKE", "SQL", "RESPOND"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    monkeypatch.setenv("BARTIZAN_HOME", str(home))
    monkeypatch.setenv("BARTIZAN_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setenv("BARTIZAN_INTEL", str(home / "intel.yaml"))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bartizan", "intel", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        found = capsys.readouterr()
        return int(end.value.code or 0), found.out, found.err

    return run


class Sets:
    """The IP set of the same name in both accounts."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.name, self._ends = name, []
        for account, scope in ((ACCOUNT, "REGIONAL"), (OTHER, "CLOUDFRONT")):
            client = wafv2(scope, endpoint, ROLE.replace(ACCOUNT, account))
            made = client.create_ip_set(
                Name=name, Scope=scope, IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"]
            )
            named = {"Name": name, "Scope": scope, "Id": made["Summary"]["Id"]}
            self._ends.append((client, named))

    def addresses(self) -> list[list[str]]:
        return [client.get_ip_set(**named)["IPSet"]["Addresses"] for client, named in self._ends]

    def configured(self, home: Path, mode: str) -> None:
        other = ROLE.replace(ACCOUNT, OTHER)
        text = INTEL.format(name=self.name, role=ROLE, other=other, mode=mode)
        (home / "intel.yaml").write_text(text)


def at(hours: float) -> tuple[str, str]:
    return "--at", (NOON + timedelta(hours=hours)).isoformat()


def test_from_logs_to_both_accounts_and_back(command: Command, home: Path, endpoint: str) -> None:
    sets = Sets(endpoint, "way")
    sets.configured(home, "block")
    window = ("--start", "2026-11-20T00:00Z", "--end", "2026-11-20T12:00Z")
    code, out, _ = command("candidates", *window, "--json")
    assert code == 0
    assert {one["network"] for one in json.loads(out)["candidates"]} >= {
        f"{ATTACKER}/32",
        f"{PARTNER}/32",
    }

    code, out, _ = command("plan", *at(0), "--json")
    assert code == 0
    plan = json.loads(out)
    assert [(one["target"], one["add"]) for one in plan["changes"]] == [
        *[("shop", [f"{ATTACKER}/32"]), ("edge", [f"{ATTACKER}/32"])]
    ]
    refused = {one["network"]: one["why"] for one in plan["refused"]}
    assert refused[f"{PARTNER}/32"] == "never blocked: partner 203.0.113.9/32"
    assert "real users may share it" in refused[f"{SHARED}/32"]

    before = [["192.0.2.0/24"]] * 2
    applied = [["192.0.2.0/24", f"{ATTACKER}/32"]] * 2
    code, out, _ = command("apply", plan["id"], *at(0))
    assert (code, sets.addresses()) == (0, before)
    assert out.count("proposed, 1 added, 0 removed, 2 in the set") == 2
    code, out, _ = command("apply", plan["id"], "--yes", "--by", "dana", *at(0), "--json")
    assert (code, sets.addresses()) == (0, applied)
    done = json.loads(out)["changes"]

    status = json.loads(command("status", *at(0), "--json")[1])
    assert [(one["target"], one["held"], one["overdue"]) for one in status["targets"]] == [
        *[("edge", 1, 0), ("shop", 1, 0)]
    ]
    assert {(one["by"], one["what"]) for one in status["audit"]} == {
        *[("command", "plan"), ("dana", "apply")]
    }

    assert command("undo", done[0]["id"], "--yes", *at(1))[0] == 0
    assert sets.addresses() == [before[0], applied[1]]
    assert "unchanged, 0 added, 0 removed" in command("expire", "--yes", *at(3))[1]
    assert command("expire", "--yes", *at(5))[0] == 0
    assert sets.addresses() == before
    assert command("expire", "--yes", *at(6))[1] == "nothing to do\n"


def test_neither_a_dry_mode_nor_the_switch_lets_anything_in(
    command: Command, home: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = Sets(endpoint, "quiet")
    before = sets.addresses()
    sets.configured(home, "dry-run")
    plan = json.loads(command("plan", *at(1), "--json")[1])["id"]
    code, out, _ = command("apply", plan, "--yes", *at(1))
    assert code == 0
    assert out.count("proposed") == 2
    sets.configured(home, "count")
    assert command("stop", "--by", "dana", "--why", "false alarms")[0] == 0
    code, _, err = command("apply", plan, "--yes", *at(1))
    assert code == 1
    assert "nothing is added to any IP set" in err
    assert command("resume", "--by", "dana")[0] == 0
    for off in ("off", "Of"):
        monkeypatch.setenv("BARTIZAN_RESPOND", off)
        assert command("apply", plan, "--yes", *at(1))[0] == 1
    assert sets.addresses() == before
    assert "false alarms" in command("status")[1]


def test_without_a_list_nothing_is_planned_or_applied(
    command: Command, home: Path, endpoint: str
) -> None:
    sets = Sets(endpoint, "closed")
    sets.configured(home, "block")
    plan = json.loads(command("plan", *at(2), "--json")[1])["id"]
    text = (home / "intel.yaml").read_text()
    (home / "intel.yaml").write_text(text.replace("ranges: []", "files: [gone.txt]", 1))
    for words in (("plan",), ("apply", plan, "--yes")):
        code, _, err = command(*words, *at(2))
        assert code == 2
        assert "gone.txt cannot be read" in err
    assert sets.addresses() == [["192.0.2.0/24"]] * 2


def test_unknown_ids_say_so(command: Command) -> None:
    for words, says in ((("undo", "nobody"), "change 'nobody'"), (("reject", "no"), "plan 'no'")):
        code, _, err = command(*words)
        assert code == 2
        assert f"{says}: is unknown" in err
