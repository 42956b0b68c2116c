"""What people said of incidents: a history that only grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import select

from bartizan.errors import TransientError
from bartizan.model.anomaly import Direction
from bartizan.model.feedback import Cause, Feedback, FeedbackKind
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, insert_new
from bartizan.store.tables import feedback


def load_feedback(store: Store, detector: str | None = None) -> list[Feedback]:
    """All that was said, of one detector or of all, by incident and number."""
    query = select(feedback).order_by(feedback.c.incident_id, feedback.c.number)
    if detector is not None:
        query = query.where(feedback.c.detector == detector)
    with store.transaction() as connection:
        found = [_read(row) for row in connection.execute(query)]
    return [
        one for _, group in groupby(found, key=lambda f: f.incident) for one in _ended(list(group))
    ]


def feedback_that_holds(store: Store, incident_ids: Iterable[str]) -> dict[str, str]:
    """The last word on each of some incidents, where there is one that was not withdrawn."""
    columns = feedback.c
    query = select(columns.incident_id, columns.kind).order_by(columns.number)
    query = query.where(columns.incident_id.in_(sorted(incident_ids)))
    with store.transaction() as connection:
        last = {row.incident_id: row.kind for row in connection.execute(query)}
    return {name: kind for name, kind in last.items() if kind != FeedbackKind.NONE}


def save_feedback(store: Store, one: Feedback) -> None:
    """Add a word to the history. Raises TransientError where another came first."""
    row = {
        "incident_id": one.incident,
        "number": one.number,
        "detector": one.detector,
        "measure": one.measure,
        "direction": one.direction.value,
        "kind": one.kind.value,
        "cause": one.cause.value if one.cause else None,
        "note": one.note,
        "given_by": one.by,
        "at": format_time(one.at),
        "since": format_time(one.since),
        "begins": format_time(one.begins),
        "ratio": one.ratio,
        "change": one.change,
        "combinations": [[list(pair) for pair in pairs] for pairs in one.combinations],
    }
    with store.transaction() as connection:
        if not insert_new(connection, feedback, [row]):
            raise TransientError(
                f"feedback on {one.incident}", "another was given at the same time", "try again"
            )


def _ended(said: Sequence[Feedback]) -> list[Feedback]:
    """The words on one incident in their order, each until the next."""
    before = [replace(one, until=after.since) for one, after in pairwise(said)]
    return [*before, *said[-1:]]


def _read(row: Any) -> Feedback:
    return Feedback(
        incident=row.incident_id,
        number=row.number,
        detector=row.detector,
        measure=row.measure,
        direction=Direction(row.direction),
        kind=FeedbackKind(row.kind),
        cause=Cause(row.cause) if row.cause else None,
        note=row.note,
        by=row.given_by,
        at=parse_time(row.at),
        since=parse_time(row.since),
        combinations=tuple(
            tuple((name, value) for name, value in pairs) for pairs in row.combinations
        ),
        begins=parse_time(row.begins),
        ratio=row.ratio,
        change=row.change,
    )
