"""A task that did a part of its work fails, and names all that failed."""

from __future__ import annotations

from typing import Any

from bartizan.errors import BartizanError


def unless_failed(done: dict[str, Any], error: type[BartizanError]) -> dict[str, Any]:
    """What was done, when nothing is under its `failed`: why, by name. Else raises the error."""
    failed: dict[str, str] = done["failed"]
    if failed:
        told = "; ".join(f"{name}: {why}" for name, why in failed.items())
        raise error(f"{len(failed)} failed", told)
    return done
