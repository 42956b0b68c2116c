"""The state of each detector: learned from when to when, scored how far."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from bartizan.store.database import Store, upsert
from bartizan.store.tables import detectors

NOT_LEARNED = "no history was learned yet"
BY_HAND = "deactivated by hand: `bartizan connector activate` starts it again"


class DetectorStatus(StrEnum):
    """As Lookout for Metrics names them."""

    INACTIVE = "INACTIVE"
    LEARNING = "LEARNING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    DEACTIVATED = "DEACTIVATED"


@dataclass(frozen=True)
class DetectorRecord:
    """Times are ISO-8601 UTC text. `reason` says why the state is what it is."""

    name: str
    state: DetectorStatus
    reason: str = ""
    learned_start: str | None = None
    learned_end: str | None = None
    scored_through: str | None = None
    series: int = 0
    series_ready: int = 0


def save_detector(store: Store, record: DetectorRecord) -> None:
    """Insert or replace the record of a detector."""
    with store.transaction() as connection:
        upsert(connection, detectors, [asdict(record) | {"state": record.state.value}])


def set_active(store: Store, name: str, active: bool) -> DetectorRecord:
    """Deactivate a detector, or activate it with what it had learned; returns its record."""
    record = load_detector(store, name)
    if active == (record.state is not DetectorStatus.DEACTIVATED):
        return record
    if not active:
        changed = replace(record, state=DetectorStatus.DEACTIVATED, reason=BY_HAND)
    elif record.learned_end is None:
        changed = replace(record, state=DetectorStatus.INACTIVE, reason=NOT_LEARNED)
    else:
        ready = record.series_ready > 0
        changed = replace(
            record,
            state=DetectorStatus.ACTIVE if ready else DetectorStatus.LEARNING,
            reason=f"activated; learned until {record.learned_end}",
        )
    save_detector(store, changed)
    return changed


def load_detector(store: Store, name: str) -> DetectorRecord:
    """The record of a detector; INACTIVE when it is not known yet."""
    with store.transaction() as connection:
        row = connection.execute(select(detectors).where(detectors.c.name == name)).one_or_none()
    if row is None:
        return DetectorRecord(name, DetectorStatus.INACTIVE, NOT_LEARNED)
    return _read(row)


def load_detectors(store: Store) -> list[DetectorRecord]:
    """The records of all detectors that were ever started, by name."""
    with store.transaction() as connection:
        rows = connection.execute(select(detectors).order_by(detectors.c.name)).all()
    return [_read(row) for row in rows]


def _read(row: Any) -> DetectorRecord:
    return DetectorRecord(**dict(row._mapping) | {"state": DetectorStatus(row.state)})
