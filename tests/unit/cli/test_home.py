"""A home that is not there is named, and no command that only reads begins one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from commands import Command, bartizan_command
from waf_logs import lines, record, write_object

CONNECTOR = "waf_blocked_requests"
DAY = ("--start", "2026-11-04", "--end", "2026-11-05")
READING = [
    ("status",),
    ("report",),
    ("reconcile", *DAY),
    ("aggregate", *DAY),
    ("crawl", CONNECTOR, *DAY),
    ("backfill", CONNECTOR, *DAY),
    ("learn", CONNECTOR, "--day", "2026-11-04"),
    ("detect", CONNECTOR, *DAY),
    ("backtest", CONNECTOR),
    ("dispatch",),
    ("digest", "--window", "2026-11-16/2026-11-17", "--out", "{home}/digest.md"),
    ("connector", "check", CONNECTOR),
    ("connector", "tune", CONNECTOR, "--threshold", "80"),
    ("incident", "list"),
    ("feedback", "list"),
    ("outbox", "list"),
    ("intel", "status"),
    ("intel", "candidates"),
    ("lake", "compact"),
]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """The command in an empty folder; leaves the environment as it was."""
    monkeypatch.chdir(tmp_path)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BARTIZAN_")}
    with patch.dict(os.environ, kept, clear=True):
        yield bartizan_command(monkeypatch, capsys)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_a_mistyped_home(command: Command, tmp_path: Path, words: tuple[str, ...]) -> None:
    typo = tmp_path / "hmoe"
    code, out, err = command(*(word.format(home=typo) for word in words), "--home", typo)
    assert (code, out) == (2, "")
    assert err.startswith(f"bartizan: home: there is no Bartizan home at {typo} — correct --home")
    assert list(tmp_path.iterdir()) == []


def test_a_lake_of_its_own_is_named_itself(command: Command, tmp_path: Path) -> None:
    code, _, err = command("status", "--lake", tmp_path / "laek")
    assert code == 2
    assert f"there is no lake at {tmp_path / 'laek'} — " in err
    assert list(tmp_path.iterdir()) == []


def test_landing_from_a_mistyped_source_begins_none(command: Command, tmp_path: Path) -> None:
    code, _, err = command("land", "--home", tmp_path / "home", "--source", tmp_path / "rwa")
    assert (code, f"'{tmp_path / 'rwa'}' is not a folder" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_landing_begins_a_home(command: Command, tmp_path: Path) -> None:
    write_object(tmp_path / "raw", "one", lines(record(n) for n in range(3)))
    home = tmp_path / "home"
    assert command("land", "--home", home, "--source", tmp_path / "raw")[0] == 0
    code, out, _ = command("status", "--home", home, "--json")
    assert (code, json.loads(out)["counts"]["requests"]) == (0, 3)


@pytest.mark.parametrize("form", [lambda words: words, lambda words: (*words, "--json")])
def test_connectors_can_be_looked_at_before_there_is_a_home(
    command: Command, tmp_path: Path, form: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> None:
    code, out, _ = command(*form(("connector", "list")))
    assert code == 0
    assert out.count("no home yet") >= 17
    assert list(tmp_path.iterdir()) == []
