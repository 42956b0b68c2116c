"""`bartizan learn --step` does by hand what the tasks of the detect DAG do."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

import many_series
import pytest
from commands import Command, bartizan_command
from files_of import files_of
from many_series import NAME

SHARD = 15
LEARN = ("learn", NAME, "--day", "2026-11-12")


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command in a home with metrics of three shards, a share each."""
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    many_series.write_connector(tmp_path / "sql" / "connectors")
    many_series.write_metrics(tmp_path / "metrics", 3 * SHARD)
    (tmp_path / "lake").mkdir()
    learning = import_module("bartizan.detect.learn")
    monkeypatch.setattr(learning, "shard_size", lambda intervals: SHARD)
    monkeypatch.setenv("BARTIZAN_SQL", str(tmp_path / "sql"))
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_LEARN_SHARE", str(SHARD * many_series.DAYS))
    return bartizan_command(monkeypatch, capsys)


def learned(home: Path) -> dict[str, bytes]:
    return files_of(home / "lake" / "detectors" / NAME)


def test_steps_learn_what_one_command_does(command: Command, tmp_path: Path) -> None:
    assert command(*LEARN)[0] == 0
    whole = learned(tmp_path)
    assert {name.split("/")[0] for name in whole} == {"state_20261112"}
    code, out, _ = command(*LEARN, "--step", "join")
    assert (code, out) == (2, "")

    code, out, _ = command(*LEARN, "--step", "plan")
    steps = [line.split("--step ")[1] for line in out.splitlines() if "--step" in line]
    assert (code, steps) == (0, ["1/3", "2/3", "3/3", "join"])
    for wrong in ("0/3", "4/3", "1/4", "all"):
        code, out, err = command(*LEARN, "--step", wrong)
        assert (code, out) == (2, "")
        assert f"{wrong!r} is none — give plan, join, or 1/… up to 3/3" in err
    codes = [command(*LEARN, "--step", step)[0] for step in ("3/3", "1/3", "3/3")]
    assert codes == [0, 0, 0]
    code, _, err = command(*LEARN, "--step", "join")
    assert (code, "2of3: was not learned yet" in err) == (2, True)
    assert command(*LEARN, "--step", "2/3")[0] == 0
    code, out, _ = command(*LEARN, "--step", "join", "--json")
    assert (code, json.loads(out)["state"]) == (0, "ACTIVE")
    assert learned(tmp_path) == whole


def test_few_series_are_learned_while_they_are_planned(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BARTIZAN_LEARN_SHARE")
    assert command(*LEARN, "--step", "plan") == (
        0,
        f"{NAME} is no more than one share: learned\n",
        "",
    )
    assert "state_20261112/series.parquet" in learned(tmp_path)
    monkeypatch.setenv("BARTIZAN_LEARN_SHARE", "many")
    code, _, err = command(*LEARN)
    assert (code, "BARTIZAN_LEARN_SHARE: 'many' is no whole number" in err) == (2, True)
