"""Past incidents that are alike, found without reading all of them."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import ColumnElement, Text, and_, cast, or_, select, true

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.feedback import Combination, Feedback
from bartizan.store.database import Store
from bartizan.store.incidents import read_change
from bartizan.store.tables import incidents

_MOST_ASKED = 50  # combinations that are looked for in the text; of more all incidents are read

_COLUMNS = [one for one in incidents.c if one.name != "explanation"]


def load_alike(store: Store, feedback: Feedback) -> list[Incident]:
    """Incidents of its detector, measure and direction whose series may have the dimension values
    of one of its combinations, without their explanations, by start; no withdrawn ones.

    A few more than those: values of one combination may be of different series.
    """
    query = (
        select(*_COLUMNS, cast(None, Text).label("explanation"))
        .where(incidents.c.detector == feedback.detector)
        .where(incidents.c.measure == feedback.measure)
        .where(incidents.c.direction == feedback.direction.value)
        .where(incidents.c.state != IncidentState.WITHDRAWN.value)
        .where(mentions(feedback.combinations))
        .order_by(incidents.c.start, incidents.c.severity.desc(), incidents.c.id)
    )
    with store.transaction() as connection:
        return [read_change(row).incident for row in connection.execute(query)]


def mentions(combinations: Collection[Combination]) -> ColumnElement[bool]:
    """Whether an incident may have a series with all values of one of the combinations."""
    if len(combinations) > _MOST_ASKED:
        return true()
    return or_(*(_holds(one) for one in combinations))


def _holds(combination: Combination) -> ColumnElement[bool]:
    """Whether the text of a body has every pair, as `store/incidents.py` writes them."""
    body = cast(incidents.c.body, Text)
    pairs = (body.contains(json.dumps(list(pair)), autoescape=True) for pair in combination)
    return and_(true(), *pairs)
