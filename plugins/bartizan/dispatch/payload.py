"""Building blocks of payloads: the kind of change, numbers JSON can hold, lists cut to a size."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from bartizan.model.anomaly import Incident, IncidentState

MAX_BYTES = 240_000  # of one payload: below the limits of EventBridge, SNS, Lambda, Security Hub


def change_kind(incident: Incident, change: int) -> str:
    """`opened`, `updated`, `resolved` or `withdrawn`."""
    if incident.state is not IncidentState.OPEN:
        return incident.state.value
    return "opened" if change == 1 else "updated"


def encoded(value: Any) -> bytes:
    """Compact UTF-8 JSON, the same bytes for the same value. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def json_number(value: float) -> float | None:
    """The number, or None where JSON has no way to write it."""
    return value if math.isfinite(value) else None


def fitting(items: Iterable[Any], room: int) -> list[Any]:
    """The first items whose JSON, with commas, takes at most `room` bytes."""
    kept = []
    for item in items:
        room -= len(encoded(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return kept
