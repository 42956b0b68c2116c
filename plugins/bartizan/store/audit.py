"""What people changed in the dashboard: asked before it is done, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.tables import audit

ASKED = "asked"  # whether it was done is unknown: the server was stopped meanwhile
DONE = "done"


@dataclass(frozen=True)
class Audited:
    """Who did what to which subject; `outcome` is asked, done, or why it was refused.

    `before` and `after` are what the subject said then, plain JSON.
    """

    number: int
    at: datetime
    by: str
    action: str
    subject: str
    before: Any
    after: Any
    outcome: str


def note_asked(
    store: Store, at: datetime, by: str, action: str, subject: str, before: object
) -> int:
    """Note an action that is about to be done; returns its number."""
    row = {
        "at": format_time(at),
        "given_by": by,
        "action": action,
        "subject": subject,
        "before": before,
        "outcome": ASKED,
    }
    with store.transaction() as connection:
        (number,) = connection.execute(insert(audit).values(**row)).inserted_primary_key or (0,)
    return int(number)


def note_outcome(store: Store, number: int, outcome: str, after: object = None) -> None:
    """Note what came of an action."""
    changed = update(audit).where(audit.c.number == number)
    with store.transaction() as connection:
        connection.execute(changed.values(outcome=outcome, after=after))


def load_audit(store: Store, subject: str | None = None, most: int = 200) -> list[Audited]:
    """What was changed last, of one subject or of all, the newest first."""
    query = select(audit).order_by(audit.c.number.desc()).limit(most)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    with store.transaction() as connection:
        return [
            Audited(
                row.number,
                parse_time(row.at),
                row.given_by,
                row.action,
                row.subject,
                row.before,
                row.after,
                row.outcome,
            )
            for row in connection.execute(query)
        ]
