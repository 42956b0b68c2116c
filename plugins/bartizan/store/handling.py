"""What people did about incidents: a history that only grows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from bartizan.errors import TransientError
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.stand import Stand
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, insert_new
from bartizan.store.tables import handling


def load_handling(store: Store, incident_id: str | None = None) -> list[Handling]:
    """All that was done about one incident, or about all, by incident and number."""
    with store.transaction() as connection:
        return read_handling(connection, incident_id)


def read_handling(connection: Connection, incident_id: str | None = None) -> list[Handling]:
    """As `load_handling`, within a transaction."""
    query = select(handling).order_by(handling.c.incident_id, handling.c.number)
    if incident_id is not None:
        query = query.where(handling.c.incident_id == incident_id)
    return [read_row(row) for row in connection.execute(query)]


def save_handling(store: Store, one: Handling) -> None:
    """Add to the history. Raises TransientError where something else came first."""
    row = {
        "incident_id": one.incident,
        "number": one.number,
        "kind": one.kind.value,
        "given_by": one.by,
        "why": one.why,
        "at": format_time(one.at),
        "until": "" if one.until is None else format_time(one.until),
        "stand": one.stand.as_json(),
    }
    with store.transaction() as connection:
        if not insert_new(connection, handling, [row]):
            raise TransientError(
                f"incident {one.incident}", "was handled at the same time", "try again"
            )


def read_row(row: Any) -> Handling:
    """What a row of the table of handling holds."""
    return Handling(
        incident=row.incident_id,
        number=row.number,
        kind=HandlingKind(row.kind),
        by=row.given_by,
        why=row.why,
        at=parse_time(row.at),
        until=parse_time(row.until) if row.until else None,
        stand=Stand.from_json(row.stand),
    )
