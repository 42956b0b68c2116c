"""What may not be read or written is named on one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from waf_logs import lines, record, write_object

from bartizan.config import PROJECT

POWERS = "-dac_override,-dac_read_search"  # with which root reads what it may not
pytestmark = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may read everything"
)


def bartizan(*words: object) -> tuple[int, str]:
    """The command without the powers of root; its code and errors."""
    as_others = ["setpriv", "--bounding-set", POWERS, "--inh-caps", "-all"]
    done = subprocess.run(
        [
            *(as_others if os.geteuid() == 0 else ()),
            sys.executable,
            "-m",
            "bartizan.cli",
            *map(str, words),
        ],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A folder that nobody may use, with a log in it."""
    folder = tmp_path / "raw" / "locked"
    write_object(folder, "one", lines([record(0)]))
    folder.chmod(0)
    return folder


def test_logs_that_may_not_be_read_are_not_left_out_silently(tmp_path: Path, locked: Path) -> None:
    write_object(tmp_path / "raw", "two", lines([record(1)]))
    code, err = bartizan("land", "--home", tmp_path / "home", "--source", locked.parent)
    assert code == 2
    assert err.startswith(f"bartizan: {locked}: may not be read — ")
    assert err.count("\n") == 1


def test_a_folder_that_may_not_be_used(locked: Path) -> None:
    code, err = bartizan("status", "--home", locked)
    assert code == 2
    assert err.startswith(f"bartizan: {locked}/lake: Permission denied — check the path and who")
    assert err.count("\n") == 1
