"""`bartizan dispatch` and `bartizan outbox`, as people use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Command, bartizan_command
from dispatch_house import HIGH, LOW, DispatchHouse

ALERTS = """
channels:
  folder: {kind: folder, of: slack}
  hook: {kind: webhook, url: 'http://127.0.0.1:9/', secret: hook}
catch_up: null  # these incidents are long past
"""
ID = f"hook/{HIGH.id}/1.json"


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command on a home with two incidents; returns its code, output and errors."""
    (tmp_path / "lake").mkdir()
    DispatchHouse(tmp_path / "lake").found(HIGH, LOW)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_ALERTS", str(tmp_path / "alerts.yaml"))
    monkeypatch.setenv("BARTIZAN_SECRET_HOOK", "never-shown")
    return bartizan_command(monkeypatch, capsys)


def test_from_a_preview_to_a_dead_letter_and_back(command: Command) -> None:
    code, out, _ = command("dispatch", "--dry-run")
    assert code == 0
    *lines, last = out.splitlines()
    assert [line[:4] for line in lines] == ["send", "send", "skip", "skip"]
    assert last == "nothing was sent; --yes sends it"
    assert command("outbox", "list")[1] == "none\n"

    code, out, err = command("dispatch", "--yes")
    assert code == 1
    assert out.startswith("delivered 1, to be tried again 0, given up 1,")
    assert f"given up, such as {ID}" in err
    code, out, _ = command("outbox", "list", "--state", "dead", "--json")
    (entry,) = json.loads(out)
    assert (entry["id"], entry["attempts"]) == (ID, 1)
    assert "is no public address" in entry["reason"]
    assert "never-shown" not in str(command("outbox", "list", "--json"))

    assert command("outbox", "retry", "nothing")[0] == 2
    assert command("outbox", "retry", ID)[1] == f"{ID}\n1 will be tried again\n"
    assert command("dispatch", "--yes")[0] == 1
    assert command("outbox", "retry", "--all")[1] == f"{ID}\n1 will be tried again\n"
    line, _ = command("dispatch", "--dry-run")[1].splitlines()
    assert line.startswith(f"send  hook/{HIGH.id}/1  from ")
    assert line.endswith("tried 0 times  retried by hand")
    assert command("dispatch", "--yes")[0] == 1
    assert command("dispatch", "--dry-run")[1] == "nothing to send\n"
    assert command("outbox", "retry")[0] == 2
