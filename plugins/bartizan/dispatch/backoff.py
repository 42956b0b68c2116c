"""When a message that was not delivered is tried again."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from bartizan.dispatch.channels.base import Outcome
from bartizan.store.outbox import Claim, Result

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)
LONGEST_WISH = timedelta(days=1)  # of a Retry-After
MOST_ATTEMPTS = 20  # over about half a day


def next_try(claim: Claim, outcome: Outcome, now: datetime) -> datetime | None:
    """None when the message is given up.

    The pause doubles with each attempt and is cut by up to half, by the message's key: messages
    that failed together do not come back together, and every replay waits as long.
    """
    if outcome.result is Result.PERMANENT or claim.attempt >= MOST_ATTEMPTS:
        return None
    pause = min(FIRST * (1 << (claim.attempt - 1)), LONGEST) * _share(claim)
    return now + max(pause, min(outcome.retry_after, LONGEST_WISH))


def _share(claim: Claim) -> float:
    """From 0.5 to 1."""
    text = f"{claim.message.key}/{claim.attempt}"
    return 0.5 + hashlib.sha256(text.encode()).digest()[0] / 510
