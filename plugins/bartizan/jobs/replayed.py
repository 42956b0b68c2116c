"""Stored scores gone through again: what there would have been to tell, and whom the rules tell."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bartizan.jobs.here import settings

if TYPE_CHECKING:
    from bartizan.detect.group import Points
    from bartizan.dispatch.rulebook import Rulebook
    from bartizan.model.anomaly import Incident
    from bartizan.model.connector import Connector
    from bartizan.model.window import Window

LEAST_THRESHOLD = 50.0  # what is less severe is noise, and there is very much of it


def scored_points(connector: Connector, window: Window) -> Points:
    """What can be part of an alert at any threshold that may be tried. What continues an event is
    severe enough to be among what stands out."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from bartizan.detect.group import Points
    from bartizan.store.notable import load_notable

    least = min(LEAST_THRESHOLD, connector.alert_threshold)
    rows = load_notable(settings().lake, connector, window).rows
    rows = rows.filter(pc.greater_equal(rows["severity"], least))
    texts = [name for name in rows.schema.names if pa.types.is_dictionary(rows[name].type)]
    for name in texts:  # they are sorted as texts
        column = rows[name].cast(pa.large_string())
        rows = rows.set_column(rows.schema.names.index(name), name, column)
    frame = rows.to_pandas().assign(lower=np.nan, upper=np.nan)  # no rule asks for the band
    return Points.of(frame, connector, least)


def groups_at(points: Points, threshold: float) -> Iterator[Incident]:
    """The incidents at a threshold, with what the calendar says of each."""
    from bartizan.detect.special import why_muted

    for one in points.groups(threshold):
        why = why_muted(one, points.connector)
        yield replace(one, muted=why) if why else one


def listeners(incident: Incident, book: Rulebook, channels: Sequence[str]) -> Iterator[str]:
    """The channels that the rules tell, long after it began and with nobody on it."""
    from bartizan.dispatch.rules import route
    from bartizan.store.incidents import IncidentChange
    from bartizan.store.routing import Past

    change = IncidentChange(incident, 1, explained=True)
    began = incident.window.start
    past = Past(heard=frozenset(), owed=frozenset(), since=began, seen=began)
    later = incident.window.end + timedelta(days=30)
    for channel in channels:
        if any(found.sends for found in route(change, past, [channel], book, later)):
            yield channel
