"""Objects that changed after they were landed: set aside, not read.

A log object is immutable by contract, and `waf.requests` keeps the rows of its first version. What
another version holds is not known, so each new version is one entry of `waf.quarantine`.
"""

from __future__ import annotations

from bartizan.lake import Lake
from bartizan.land.quarantine import Quarantined, write_quarantine
from bartizan.model.landing import Batch, ChangedObject
from bartizan.model.text import inert


def write_changed(lake: Lake, batch: Batch) -> None:
    """Write the quarantine file of a batch of changed objects; again, it is the same file."""
    entries = [_entry(item) for item in batch.changed]
    write_quarantine(lake, entries, batch.id)


def _entry(item: ChangedObject) -> Quarantined:
    """The whole object as it lies there: its stored bytes, from the first on."""
    reason = f"object changed after it was landed: version {item.landed}, now {item.version}"
    return Quarantined(item.uri, 0, item.bytes, inert(reason))
