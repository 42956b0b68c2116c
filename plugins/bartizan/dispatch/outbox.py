"""Delivery: each change of an incident reaches each channel once, as a file in the outbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upath import UPath

from bartizan.dispatch.context import Context
from bartizan.dispatch.shapes import email, eventbridge, lookout_event, security_hub, slack
from bartizan.errors import BartizanError, UsageError
from bartizan.model.anomaly import Incident
from bartizan.store import Store
from bartizan.store.incidents import IncidentChange, load_incidents
from bartizan.store.outbox import Message, intend, intended, mark_dead, mark_delivered

Shape = Callable[[Incident, Context, int], Mapping[str, Any]]

CHANNELS: dict[str, Shape] = {
    "security_hub": security_hub.shape,
    "sns": lookout_event.shape,
    "lambda": lookout_event.shape,
    "eventbridge": eventbridge.shape,
    "slack": slack.shape,
    "email": email.shape,
}


@dataclass(frozen=True)
class DispatchResult:
    """Payload ids delivered in this run, payload ids given up with the reason, and how many
    incidents are below their detector's alert threshold."""

    delivered: tuple[str, ...] = ()
    dead: tuple[tuple[str, str], ...] = ()
    below: int = 0


def dispatch(
    store: Store,
    outbox: UPath,
    channels: Sequence[str],
    thresholds: Mapping[str, float],
    context: Context,
    default_threshold: float = 70.0,
) -> DispatchResult:
    """Deliver every change of every incident at or above its detector's alert threshold.

    An intent is stored first, then the payload written to `outbox/<channel>/<incident id>/
    <change>.json`, then the intent closed with the payload's SHA-256 as receipt. A run after a
    crash anywhere writes the same file again and delivers nothing twice. A message is given up, and
    the others go on, when a channel's format cannot hold it, or when its incident has changed or
    gone since: the later change has its own message.
    Raises UsageError for a channel that does not exist.
    """
    for channel in channels:
        if channel not in CHANNELS:
            raise UsageError("channel", f"{channel!r} is unknown", f"known: {', '.join(CHANNELS)}")
    known = load_incidents(store)
    due = [
        one
        for one in known
        if one.incident.severity >= thresholds.get(one.incident.detector, default_threshold)
    ]
    intend(store, [Message(d.incident.id, d.change, name) for d in due for name in channels])
    changes = {(one.incident.id, one.change): one for one in known}
    delivered, dead = [], []
    for message in intended(store):
        try:
            change = changes.get((message.incident_id, message.change))
            mark_delivered(store, message, _deliver(message, change, outbox, context))
            delivered.append(message.payload_id)
        except BartizanError as error:
            mark_dead(store, message, str(error))
            dead.append((message.payload_id, str(error)))
    return DispatchResult(tuple(delivered), tuple(dead), len(known) - len(due))


def _deliver(
    message: Message, change: IncidentChange | None, outbox: UPath, context: Context
) -> str:
    """Write the payload under its final name only when it is complete; returns the receipt."""
    if change is None:
        raise BartizanError(
            message.payload_id, "its incident has changed since, or is no longer found"
        )
    payload = CHANNELS[message.channel](change.incident, context, change.change)
    content = json.dumps(payload, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    path = outbox / message.payload_id
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(content)
    temporary.rename(path)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
