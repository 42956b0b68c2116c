"""`bartizan report` and `bartizan playbook`, as people use them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from commands import Command, bartizan_command
from incidents import DAY_START, anomaly, incident
from lakes import SmallLake, requests

from bartizan.model.window import Window
from bartizan.store.incidents import replace_incidents, save_explanation

TODAY = incident([anomaly(12, {"webacl": "shop", "rule": "SQLi_BODY"})])
TOMORROW = incident([anomaly(12 + 288, {"webacl": "shop", "rule": "my-rule"})])


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command on a home with seven requests and an incident on each of two days."""
    small = SmallLake.open(tmp_path)
    times = [DAY_START + timedelta(minutes=at) for at in range(7)]
    small.land("one", requests=requests(times))
    week = Window(DAY_START, DAY_START + timedelta(days=7))
    replace_incidents(small.store, TODAY.detector, week, [TODAY, TOMORROW])
    for one in (TODAY, TOMORROW):
        assert save_explanation(small.store, one, 1)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    return bartizan_command(monkeypatch, capsys)


def test_a_report_of_a_window_in_the_form_that_its_name_asks_for(
    command: Command, tmp_path: Path
) -> None:
    day = "2026-11-16T00:00Z/2026-11-17T00:00Z"
    for window, expected in ((["--window", day], [TODAY]), ([], [TODAY, TOMORROW])):
        code, out, _ = command("report", *window, "--out", str(tmp_path / "r.json"))
        assert (code, out) == (0, f"{tmp_path / 'r.json'}\n")
        found = json.loads((tmp_path / "r.json").read_text())
        ids = {one["id"] for story in found["stories"] for one in story["incidents"]}
        assert ids == {one.id for one in expected}
        assert found["figures"]["requests"] is None  # not aggregated yet
    for ending, begins in (("html", "<!doctype html>"), ("md", "# AWS WAF anomalies")):
        assert command("report", "--out", str(tmp_path / f"r.{ending}"))[0] == 0
        assert (tmp_path / f"r.{ending}").read_text().startswith(begins)
    code, _, err = command("report", "--out", str(tmp_path / "r.pdf"))
    assert code != 0
    assert "use .html, .md or .json" in err
    assert not (tmp_path / "r.pdf").exists()
    code, _, err = command("report", "--window", "2026-11-16")
    assert code != 0
    assert len(err.splitlines()) == 1


def test_playbooks_are_listed_checked_and_matched(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = command("playbook", "list", "--json")
    names = [one["name"] for one in json.loads(out)]
    assert (code, names) == (0, sorted(names))
    code, out, _ = command("playbook", "check", TODAY.id)
    assert code == 0
    assert out.splitlines() == [
        f"{len(names)} playbooks are in order",
        "fits: managed-sqli",
        "fits: rule-misfires",
    ]
    assert command("playbook", "check", "nothing")[0] != 0
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("BARTIZAN_PLAYBOOKS", str(tmp_path / "own"))
    assert command("playbook", "check", TODAY.id)[1].splitlines()[1:] == ["none fits"]
    (tmp_path / "own" / "broken.yaml").write_text("title: Half a playbook\n")
    code, _, err = command("playbook", "check")
    assert code != 0
    assert "broken.yaml" in err
    assert len(err.splitlines()) == 1
