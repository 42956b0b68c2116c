"""Keeps two workers from doing the same work on a lake at the same moment.

The embedded lake is a folder of one machine, so the operating system's own file locks do: they are
released when a process ends, however it ends.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """Hold the lock `name` of the lake at `root` during the block; waits for another holder."""
    path = root / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
