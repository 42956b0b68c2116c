"""`bartizan lake …`: tells first, does it when told to, and says what it did."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lake_upkeep import EACH, LANDINGS, fill_in_pieces
from landing_house import House
from typer.testing import CliRunner

from bartizan import jobs
from bartizan.cli import app
from bartizan.lake import planned_files
from bartizan.model.window import HOUR

NAME = "waf.requests"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House(tmp_path)
    fill_in_pieces(house)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    for name in ("LAKE", "STORE", "RETENTION"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    return house


def command(*words: str) -> Any:
    result = CliRunner().invoke(app, ["lake", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_tell_then_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    files = planned_files(house.lake.table(NAME))
    told = command("compact")
    assert planned_files(house.lake.table(NAME)) == files
    requests = [row for row in told if row["table"] == NAME]
    assert [row["partition"] for row in requests] == [
        "event_date=2026-11-04/event_hour=00",
        "event_date=2026-11-04/event_hour=01",
    ]
    assert sum(row["rows"] for row in requests) == LANDINGS * EACH
    assert sum(row["bytes"] for row in requests) == sum(Path(f).stat().st_size for f in files)
    done = command("compact", "--yes")
    assert [row["files_after"] for row in done] == [1] * len(told)
    assert len(planned_files(house.lake.table(NAME))) == 2
    assert command("compact") == []

    # Everything is younger than the grace period, whatever it was replaced by.
    assert {(row["snapshots"], len(row["files"])) for row in command("sweep", "--yes")} == {(0, 0)}
    assert all(Path(file).exists() for file in files)

    assert command("expire", "--yes") == []  # nothing is configured
    monkeypatch.setenv("BARTIZAN_RETENTION", f"{NAME}=3")
    [row] = command("expire", "--at", "2026-11-07T12:00Z")
    assert (row["days"], row["keeps_from"]) == ([], "2026-11-04")
    [row] = command("expire", "--at", "2026-11-08", "--yes")
    assert (row["days"], row["rows"], row["files"]) == (["2026-11-04"], LANDINGS * EACH, 2)
    assert planned_files(house.lake.table(NAME)) == []
    assert len(planned_files(house.lake.table("waf.rule_hits"))) == 2

    # A day later they may go.
    later = datetime.now(UTC) + 25 * HOUR
    listed = {row["table"]: row["files"] for row in jobs.sweep_lake(later)}
    assert set(files) < set(listed[NAME])
    counted = jobs.sweep_lake(later, list_files=False)
    assert {row["table"]: row["files"] for row in counted} == {n: len(f) for n, f in listed.items()}


def test_a_time_to_come_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lake").mkdir()
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["lake", "sweep", "--at", "2999-01-01", "--yes"])
    assert "'2999-01-01' is yet to come" in str(result.exception)
