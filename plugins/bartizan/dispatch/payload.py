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


def related(incident: Incident) -> dict[str, Any] | None:
    """The story of the incident with the ids of at most ten others; null while it has none."""
    story = incident.story
    if story is None:
        return None
    return {
        "storyId": story.id,
        "incidents": [one for _, one in story.others],
        "more": story.more,
        "isHistory": story.is_history,
    }


def advised(incident: Incident) -> str:
    """The first playbook that fits, as lines of text; empty when none does."""
    if not incident.advice:
        return ""
    first = incident.advice[0]
    steps = [*(f"Check: {text}" for text in first.check), *(f"Do: {text}" for text in first.do)]
    return "\n".join((first.title, first.why, *steps))


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
