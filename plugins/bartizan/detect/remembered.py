"""What a detector remembers after the last scored interval: the next one needs nothing earlier.

Kept beside the state of its day, in a file named by all that it depends on. Once a metric file of
before is another, the memory is not found, and the day is gone through again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from bartizan.detect.parts import load_recent, save_recent
from bartizan.detect.reading import versions
from bartizan.detect.state import SERIES, DetectorState
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window

if TYPE_CHECKING:
    from upath import UPath

_PREFIX = "after_"


def place_after(learned: UPath, metrics: UPath, connector: Connector, window: Window) -> UPath:
    """Where the memory is of having gone through `window`, which begins where scoring by the state
    in the folder `learned` does. `metrics` is the connector's folder, of which nothing is read.
    """
    known = [repr(connector), str(window), _version(learned / SERIES)]
    digest = sha256("\n".join([*known, *versions(metrics, connector, window)]).encode())
    return learned / f"{_PREFIX}{digest.hexdigest()[:32]}.parquet"


def recall(place: UPath, state: DetectorState, seen: datetime) -> DetectorState | None:
    """The state as it was after `seen`, if that was remembered and can be read."""
    try:
        found = load_recent(place, state.parts)
    except ConfigError:
        return None
    return state.after(seen, iter(found))


def remember(place: UPath, state: DetectorState) -> None:
    """Keep what the state remembers, in place of what it did before; nothing of a state that was
    removed meanwhile."""
    if not state.parts:
        return
    with suppress(FileNotFoundError):
        save_recent(place, state.parts)
    for older in place.parent.glob(f"{_PREFIX}*"):
        if older.name != place.name:
            older.unlink(missing_ok=True)


def _version(file: UPath) -> str:
    """What tells the file from any other in its place; empty when it was removed."""
    try:
        return str(file.fs.ukey(file.path))
    except FileNotFoundError:
        return ""
