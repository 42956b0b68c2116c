"""Deploys that people told of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from bartizan.model.deploy import Deploy
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, insert_new
from bartizan.store.tables import deploys


def save_deploy(store: Store, one: Deploy) -> bool:
    """Keep it; returns whether it is new."""
    row = {
        "id": one.id,
        "at": format_time(one.at),
        "what": one.what,
        "detector": one.detector,
        "webacl": one.webacl,
        "given_by": one.by,
    }
    with store.transaction() as connection:
        return insert_new(connection, deploys, [row]) == 1


def load_deploys(store: Store, window: Window | None = None) -> list[Deploy]:
    """Those of a window, all without one, by time and text."""
    query = select(deploys).order_by(deploys.c.at, deploys.c.what, deploys.c.id)
    if window is not None:
        query = query.where(deploys.c.at >= format_time(window.start))
        query = query.where(deploys.c.at < format_time(window.end))
    with store.transaction() as connection:
        return [_read(row) for row in connection.execute(query)]


def load_deploy(store: Store, deploy_id: str) -> Deploy | None:
    query = select(deploys).where(deploys.c.id == deploy_id)
    with store.transaction() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def remove_deploy(store: Store, deploy_id: str) -> None:
    with store.transaction() as connection:
        connection.execute(delete(deploys).where(deploys.c.id == deploy_id))


def _read(row: Any) -> Deploy:
    return Deploy(parse_time(row.at), row.what, row.detector, row.webacl, row.given_by)
