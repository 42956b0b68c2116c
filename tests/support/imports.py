"""What an import brings with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from bartizan.config import PROJECT


def loaded(statement: str, names: Sequence[str]) -> list[str]:
    """Which of the modules a fresh interpreter has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint(*(one for one in {names!r} if one in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
