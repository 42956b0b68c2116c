"""What people change, between asking and outcome in the audit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from bartizan.errors import BartizanError
from bartizan.store import Store
from bartizan.store.audit import DONE, note_asked, note_outcome

Done = TypeVar("Done")


def _nothing(_done: object) -> object:
    return None


def audited(
    store: Store,
    at: datetime,
    by: str,
    action: str,
    subject: str,
    before: object,
    do: Callable[[], Done],
    after: Callable[[Done], object] = _nothing,
) -> Done:
    """Do it, noting who asked for it, and what came of it. What refuses it is noted and raised."""
    number = note_asked(store, at, by, action, subject, before)
    try:
        done = do()
    except BartizanError as error:
        note_outcome(store, number, f"refused: {error}")
        raise
    note_outcome(store, number, DONE, after(done))
    return done
