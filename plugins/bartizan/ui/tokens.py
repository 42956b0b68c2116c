"""Tokens that show that a form came from our own page (OWASP: HMAC-based token pattern).

A token holds for one visitor and a day: of another site's making there is none, because it can
neither read our pages nor sign.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

_LIFE = timedelta(days=1)
_SKEW = timedelta(minutes=1)  # between the clocks of two servers


@dataclass(frozen=True)
class Tokens:
    """Signs with a key that all workers of the server share."""

    key: bytes = field(repr=False)

    def of(self, visitor: str, at: datetime) -> str:
        """`<seconds since 1970>.<hex digest>`."""
        return self._signed(visitor, int(at.timestamp()))

    def holds(self, token: str, visitor: str, at: datetime) -> bool:
        """Whether it was made for the visitor within the last day."""
        made, _, _ = token.partition(".")
        if not (made.isascii() and made.isdigit() and len(made) <= 12):
            return False
        age = timedelta(seconds=at.timestamp() - int(made))
        known = self._signed(visitor, int(made))
        return -_SKEW <= age <= _LIFE and hmac.compare_digest(known.encode(), token.encode())

    def _signed(self, visitor: str, made: int) -> str:
        mark = hmac.new(self.key, f"bartizan-form\x1f{made}\x1f{visitor}".encode(), sha256)
        return f"{made}.{mark.hexdigest()}"
