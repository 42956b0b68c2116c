"""`bartizan intel` from logs to the IP sets of two accounts and back, as people use it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from attacked import ATTACKER, PARTNER, SHARED, Sets, attacked_lake
from commands import Command, bartizan_command
from respond_house import NOON


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    attacked_lake(folder, NOON)
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

    return bartizan_command(monkeypatch, capsys, "intel")


def at(hours: float) -> tuple[str, str]:
    return "--at", (NOON + timedelta(hours=hours)).isoformat()


def test_from_logs_to_both_accounts_and_back(command: Command, home: Path, endpoint: str) -> None:
    sets = Sets(endpoint, "way")
    sets.configured(home / "intel.yaml", "block")
    window = ("--start", "2026-11-20T00:00Z", "--end", "2026-11-20T12:00Z")
    code, out, _ = command("candidates", *window, "--json")
    assert code == 0
    assert {one["network"] for one in json.loads(out)["candidates"]} >= {
        f"{ATTACKER}/32",
        f"{PARTNER}/32",
    }

    found = json.loads(out)["candidates"]
    code, out, _ = command("candidates", *window, "--top", "1")
    (first, more) = out.splitlines()[:2]
    assert (code, first.split()[0]) == (0, found[0]["network"])
    assert more == f"and {len(found) - 1} more; see --top"
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
    assert out.endswith("\nnothing was done; --yes does it\n")
    code, out, _ = command("apply", plan["id"][:8], "--yes", "--by", "dana", *at(0), "--json")
    assert (code, sets.addresses()) == (0, applied)
    done = json.loads(out)["changes"]

    status = json.loads(command("status", *at(0), "--json")[1])
    assert [(one["target"], one["held"], one["overdue"]) for one in status["targets"]] == [
        *[("edge", 1, 0), ("shop", 1, 0)]
    ]
    assert {(one["by"], one["what"]) for one in status["audit"]} == {
        *[("command", "plan"), ("dana", "apply")]
    }

    assert command("undo", done[0]["id"][:8], "--yes", *at(1))[0] == 0
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
    sets.configured(home / "intel.yaml", "dry-run")
    plan = json.loads(command("plan", *at(1), "--json")[1])["id"]
    code, out, _ = command("apply", plan, "--yes", *at(1))
    assert code == 0
    assert out.count("proposed") == 2
    sets.configured(home / "intel.yaml", "count")
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
    sets.configured(home / "intel.yaml", "block")
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


def test_the_status_of_a_house_that_blocks_nothing_says_what_is_missing(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_INTEL", str(tmp_path / "none.yaml"))
    lines = command("status")[1].splitlines()
    assert lines[0].startswith("not stopped")
    assert lines[1:] == ["no IP sets: name them as targets of intel.yaml"]
