"""How many incidents each detector has, by state."""

from __future__ import annotations

from sqlalchemy import func, select

from bartizan.model.anomaly import IncidentState
from bartizan.store.database import Store
from bartizan.store.tables import incidents


def incident_counts(store: Store) -> dict[str, dict[IncidentState, int]]:
    """By detector and state."""
    columns = incidents.c.detector, incidents.c.state
    query = select(*columns, func.count()).group_by(*columns)
    found: dict[str, dict[IncidentState, int]] = {}
    with store.transaction() as connection:
        for detector, state, number in connection.execute(query):
            found.setdefault(detector, {})[IncidentState(state)] = number
    return found
