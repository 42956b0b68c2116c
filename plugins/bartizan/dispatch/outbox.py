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
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.store import Store
from bartizan.store.incidents import IncidentChange, load_incidents
from bartizan.store.outbox import Message, intend, intended, mark_dead, mark_delivered, told

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
    """Deliver every explained change of incidents at or above their detector's alert threshold.

    A withdrawal goes to the channels that were told of the incident, whatever the threshold is now.
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
    known = load_incidents(store, withdrawn=True)
    present = [one for one in known if one.incident.state is not IncidentState.WITHDRAWN]
    above = [
        one
        for one in present
        if one.incident.severity >= thresholds.get(one.incident.detector, default_threshold)
    ]
    intend(store, [_message(one, name) for one in above if one.explained for name in channels])
    intend(store, _withdrawals(store, known, channels))
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
    return DispatchResult(tuple(delivered), tuple(dead), len(present) - len(above))


def _withdrawals(
    store: Store, known: Sequence[IncidentChange], channels: Sequence[str]
) -> list[Message]:
    heard = told(store)
    gone = [one for one in known if one.incident.state is IncidentState.WITHDRAWN and one.explained]
    return [
        _message(one, name) for one in gone for name in channels if (one.incident.id, name) in heard
    ]


def _message(one: IncidentChange, channel: str) -> Message:
    return Message(one.incident.id, one.change, channel)


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
