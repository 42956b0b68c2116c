"""The life of a message in the outbox."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    INTENDED = "intended"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"
