"""The lake's locks: one holder at a time, and a dead one holds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import bartizan
from bartizan.lake.lock import locked

HOLD = """
import sys
from pathlib import Path
from bartizan.lake.lock import locked
with locked(Path(sys.argv[1]), "work"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_holder_lets_the_next_one_in(tmp_path: Path) -> None:
    entered = Event()

    def wait_and_enter() -> None:
        with locked(tmp_path, "work"):
            entered.set()

    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(bartizan.__file__).parents[1])},
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waiting = Thread(target=wait_and_enter)
        waiting.start()
        with locked(tmp_path, "other work"):  # another name is another lock
            assert not entered.wait(0.3)
        holder.kill()
        waiting.join(30)
    assert entered.is_set()
