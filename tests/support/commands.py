"""The command `bartizan`, run in the process of the test."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bartizan import cli

Command = Callable[..., tuple[int, str, str]]


def bartizan_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *first: str
) -> Command:
    """Runs `bartizan <first> <words>`; returns its code, output and errors."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bartizan", *first, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run
