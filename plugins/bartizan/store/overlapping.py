"""The most severe incidents of a time, without reading all of it."""

from __future__ import annotations

from sqlalchemy import select

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.window import Window, format_time
from bartizan.store.database import Store
from bartizan.store.standing import load_chosen
from bartizan.store.tables import incidents


def worst_overlapping(
    store: Store, window: Window, detector: str, measure: str, most: int
) -> list[Incident]:
    """At most so many that overlap a window, the most severe first; no withdrawn ones. Detector and
    measure are empty for all."""
    query = (
        select(incidents.c.id)
        .where(incidents.c.start < format_time(window.end))
        .where(incidents.c.end > format_time(window.start))
        .where(incidents.c.state != IncidentState.WITHDRAWN.value)
        .order_by(incidents.c.severity.desc(), incidents.c.start, incidents.c.id)
        .limit(most)
    )
    if detector:
        query = query.where(incidents.c.detector == detector)
    if measure:
        query = query.where(incidents.c.measure == measure)
    with store.transaction() as connection:
        ids = list(connection.execute(query).scalars())
    known = load_chosen(store, ids)
    return [known[one].incident for one in ids if one in known]
