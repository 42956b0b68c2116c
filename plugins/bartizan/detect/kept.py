"""Where the states of a detector are kept: a folder for each, named by when its learning ends."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from upath import UPath

from bartizan.detect.state import DetectorState
from bartizan.model.connector import Connector

KEPT = 3  # states; who still scores by the one before has it


def detector_folder(root: Path, connector: Connector) -> UPath:
    """Of all that a detector has learned; `root` is the lake folder."""
    return UPath(root / "detectors" / connector.name)


def state_folder(root: Path, connector: Connector, learned_end: datetime) -> UPath:
    """Of the state that scores from `learned_end` on."""
    return detector_folder(root, connector) / f"state_{learned_end:%Y%m%d}"


def load_kept(folder: UPath, connector: Connector) -> DetectorState:
    """The state in the folder. Raises ConfigError when it cannot be read, is of another version or
    was learned for another shape of connector."""
    state = DetectorState.load(folder)
    state.check(connector)
    return state


def keep(folder: UPath, state: DetectorState) -> None:
    """Put the state where an older one of its day was, and remove those of long before. Cut short
    in between, it is learned again."""
    fresh, old = folder.with_suffix(".new"), folder.with_suffix(".old")
    for left in (fresh, old):
        if left.exists():
            left.fs.rm(str(left), recursive=True)
    state.save(fresh)
    if folder.exists():
        folder.rename(old)
        fresh.rename(folder)
        old.fs.rm(str(old), recursive=True)
    else:
        fresh.rename(folder)
    _remove_outdated(folder)


def _remove_outdated(newest: UPath) -> None:
    """Of the states up to the newest, all but the last KEPT. Those of later days stay: a day of
    long ago may be scored again at any time."""
    states = sorted(newest.parent.glob("state_????????"), key=lambda one: one.name)
    for outdated in [one for one in states if one.name <= newest.name][:-KEPT]:
        with suppress(FileNotFoundError):  # another process removes it too
            outdated.fs.rm(str(outdated), recursive=True)
