"""What a person sees while something long is under way: always a line, never older than seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

REPEAT_S = 5.0


class Progress:
    """One changing status line on a terminal; elsewhere a printed line per change and every 5 s."""

    def __init__(self, console: Console) -> None:
        self.seconds: dict[str, float] = {}
        self._console = console
        self._status = console.status("starting") if console.is_terminal else None
        self._stage, self._last, self._printed = "", "", 0.0
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Show what is under way now."""
        if self._status is not None:
            self._status.update(f"{self._stage}: {text}" if self._stage else text)
        elif text != self._last or time.monotonic() - self._printed > REPEAT_S:
            self._print(text)
        self._last = text

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A named part of the work; its wall time is kept in `seconds` and printed at its end."""
        self._stage, begun = name, time.monotonic()
        if self._status is not None:
            self._status.start()
        self.say("begins")
        try:
            yield
        finally:
            if self._status is not None:
                self._status.stop()
        self.seconds[name] = time.monotonic() - begun
        self._print(f"done in {self.seconds[name]:.1f} s")

    def _print(self, text: str) -> None:
        self._printed = time.monotonic()
        elapsed = self._printed - self._begun
        self._console.print(f"[{elapsed:6.1f} s] {self._stage}: {text}", markup=False)
