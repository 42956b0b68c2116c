"""Who did what to IP sets, and the switch that stops it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, upsert
from bartizan.store.tables import intel_audit, intel_switch


@dataclass(frozen=True)
class Deed:
    """`what` is plan, reject, apply, expire, undo, missed, drift, stop or resume; `detail` its
    receipt or why."""

    at: datetime
    by: str
    what: str
    subject: str
    detail: str


def add_deed(connection: Connection, deed: Deed) -> None:
    connection.execute(
        intel_audit.insert().values(
            at=format_time(deed.at),
            given_by=deed.by,
            what=deed.what,
            subject=deed.subject,
            detail=deed.detail,
        )
    )


def save_deed(store: Store, deed: Deed) -> None:
    with store.transaction() as connection:
        add_deed(connection, deed)


def load_deeds(store: Store, most: int) -> list[Deed]:
    """The last ones, newest first."""
    query = select(intel_audit).order_by(intel_audit.c.number.desc()).limit(most)
    with store.transaction() as connection:
        return [
            Deed(parse_time(row.at), row.given_by, row.what, row.subject, row.detail)
            for row in connection.execute(query)
        ]


def is_rejected(store: Store, plan_id: str) -> bool:
    query = select(intel_audit.c.number).where(
        intel_audit.c.what == "reject", intel_audit.c.subject == plan_id
    )
    with store.transaction() as connection:
        return connection.execute(query).first() is not None


def is_stopped(store: Store) -> bool:
    with store.transaction() as connection:
        return bool(connection.scalar(select(intel_switch.c.stopped)))


def set_stopped(store: Store, stopped: bool, by: str, why: str, at: datetime) -> None:
    """Throw the switch: stopped, nothing is added to any IP set."""
    with store.transaction() as connection:
        upsert(connection, intel_switch, [{"one": 1, "stopped": stopped}])
        add_deed(connection, Deed(at, by, "stop" if stopped else "resume", "all targets", why))
