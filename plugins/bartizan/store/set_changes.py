"""When addresses were blocked and freed, without the addresses: sets hold up to 10,000."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.intel import ChangeState
from bartizan.store.tables import intel_changes

_WAS_DONE = (ChangeState.DONE.value, ChangeState.UNDONE.value)  # the undo is a change of its own


@dataclass(frozen=True)
class SetChange:
    """So many addresses were put into an IP set and taken out of it, by an apply, an expiry or an
    undo."""

    at: datetime
    kind: str
    target: str
    by: str
    added: int
    removed: int


def load_set_changes(store: Store, window: Window) -> list[SetChange]:
    """What was done to IP sets in a window, by time; not what left a set as it was."""
    columns = intel_changes.c
    added, removed = (func.json_array_length(one) for one in (columns.added, columns.removed))
    query = (
        select(columns.at, columns.kind, columns.target, columns.given_by, added, removed)
        .where(columns.state.in_(_WAS_DONE))
        .where(columns.at >= format_time(window.start), columns.at < format_time(window.end))
        .where(or_(added > 0, removed > 0))
        .order_by(columns.at, columns.id)
    )
    with store.transaction() as connection:
        return [SetChange(parse_time(at), *rest) for at, *rest in connection.execute(query)]
