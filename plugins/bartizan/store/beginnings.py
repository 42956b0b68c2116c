"""Ids by how they begin, as people type them."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import select

from bartizan.store.database import Store
from bartizan.store.tables import incidents, intel_changes, intel_plans


class Named(Enum):
    """What has an id that people type."""

    INCIDENT = incidents.c.id
    PLAN = intel_plans.c.id
    CHANGE = intel_changes.c.id


def ids_beginning(store: Store, named: Named, text: str, most: int) -> list[str]:
    """Ids that begin so, in order, at most so many."""
    column = named.value
    query = select(column).where(column.startswith(text, autoescape=True))
    with store.transaction() as connection:
        return list(connection.scalars(query.order_by(column).limit(most)))
