"""What people said in Security Hub, as it was when it was taken over last."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from bartizan.model.hub_word import HubWord, WorkflowStatus
from bartizan.store.database import Store, upsert
from bartizan.store.tables import hub_words


def load_words(store: Store, channel: str) -> dict[str, HubWord]:
    """By incident."""
    query = select(hub_words).where(hub_words.c.channel == channel)
    with store.transaction() as connection:
        return {
            row.incident_id: HubWord(
                row.incident_id, WorkflowStatus(row.status), row.note, row.author
            )
            for row in connection.execute(query)
        }


def keep_word(store: Store, channel: str, word: HubWord) -> None:
    """In the place of the one before."""
    row = {
        "incident_id": word.incident,
        "channel": channel,
        "status": word.status.value,
        "note": word.note,
        "author": word.author,
    }
    with store.transaction() as connection:
        upsert(connection, hub_words, [row])


def forget_words(store: Store, channel: str, incidents: Collection[str]) -> None:
    """Of findings that are NEW again, archived or gone: what is said next is new."""
    statement = delete(hub_words).where(hub_words.c.channel == channel)
    with store.transaction() as connection:
        for incident in sorted(incidents):
            connection.execute(statement.where(hub_words.c.incident_id == incident))
