"""An id is as much of its beginning as tells it apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from commands import Command, bartizan_command
from incidents import DAY_START, anomaly, incident
from lakes import SmallLake

from bartizan.model.window import Window
from bartizan.store.incidents import replace_incidents

REST = "-0000-5000-8000-000000000000"
IDS = [f"abcd1{n}00{REST}" for n in range(7)] + [f"abcd2000{REST}", f"ab%d3000{REST}"]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command on a home with an incident of each id."""
    store = SmallLake.open(tmp_path).store
    found = [
        replace(incident([anomaly(12 + 2 * n, {"webacl": "shop", "rule": f"r{n}"})]), id=one)
        for n, one in enumerate(IDS)
    ]
    week = Window(DAY_START, DAY_START + timedelta(days=7))
    replace_incidents(store, found[0].detector, week, found)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    for name in ("LAKE", "STORE"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    return bartizan_command(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("given", "whole"),
    [("abcd2", IDS[7]), ("abcd10", IDS[0]), (IDS[3], IDS[3]), ("ab%d", IDS[8])],
)
def test_what_tells_it_apart_is_enough(command: Command, given: str, whole: str) -> None:
    code, out, _ = command("incident", "show", given, "--json")
    assert (code, json.loads(out)["id"]) == (0, whole)


def test_everywhere_an_incident_is_named(command: Command) -> None:
    code, out, _ = command("incident", "acknowledge", "abcd2", "--by", "dana", "--json")
    assert (code, json.loads(out)["incident"]) == (0, IDS[7])
    words = ("--kind", "confirmed", "--at", "2026-11-16T00:00Z", "--json")
    code, out, _ = command("feedback", "give", "abcd2", *words)
    assert (code, json.loads(out)["incident"]) == (0, IDS[7])
    assert command("playbook", "check", "abcd2")[0] == 0


def test_several_that_begin_alike_are_named(command: Command) -> None:
    code, out, err = command("incident", "show", "abcd1")
    assert (code, out) == (2, "")
    assert err.startswith("bartizan: incident 'abcd1': is how several begin: ")
    assert err.endswith("… — write more of it\n")
    assert [one for one in IDS if one in err] == IDS[:5]


@pytest.mark.parametrize("given", ["abc", "abcd3", "%%%%", "____", ""])
def test_too_little_or_nothing_is_unknown(command: Command, given: str) -> None:
    code, _, err = command("incident", "show", given)
    assert (code, f"incident '{given}': is unknown" in err) == (2, True)
