"""Delivery: every change is routed, every message sent until it arrived or is given up.

Killed anywhere and run again, or run twice at once, it ends as if it had run once: the outbox
(bartizan.store.outbox) says what is left to do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bartizan.dispatch.backoff import MOST_ATTEMPTS, next_try
from bartizan.dispatch.channels.base import Channel, Clock, Outcome, Outgoing, Payload
from bartizan.dispatch.context import Context
from bartizan.dispatch.controls.catching_up import is_history
from bartizan.dispatch.controls.flapping import notice
from bartizan.dispatch.digest import digest_of
from bartizan.dispatch.routing import flaps, routed
from bartizan.dispatch.rulebook import Rulebook
from bartizan.errors import BartizanError
from bartizan.model.anomaly import Incident
from bartizan.model.outbox import DeliveryState
from bartizan.model.period import Period
from bartizan.model.story import headline
from bartizan.model.story_link import StoryLink
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.confirmations import claim_confirmations, intend_confirmations
from bartizan.store.digests import claim_digests, intend_digest
from bartizan.store.incidents import IncidentChange
from bartizan.store.messages import entries
from bartizan.store.outbox import Claim, Result, claim, expire, settle
from bartizan.store.routing import first_seen, mark_seen, save_routes

LEASE = timedelta(minutes=4)  # longer than any batch takes, shorter than SNS FIFO remembers ids
DIGEST_AFTER = timedelta(hours=2)  # its last hour is landed and detected by then
FAILURES = 3  # in a row, after which a channel is left alone until the next run


@dataclass(frozen=True)
class Plan:
    """Where changes go: channels by name, the rules over them, who sends. `enrich` adds what is
    told with an incident: its story, advice. Channels in `digests` get those and nothing else;
    those in `confirms` hear what people do about what they were told of."""

    channels: Mapping[str, Channel]
    book: Rulebook
    context: Context
    enrich: Callable[[Incident], Incident] = lambda incident: incident
    digests: Mapping[str, Period] = field(default_factory=dict)
    confirms: frozenset[str] = frozenset()

    @property
    def prompt(self) -> tuple[str, ...]:
        """Channels that are told of each change: those that get no digests."""
        return tuple(name for name in self.channels if name not in self.digests)


@dataclass(frozen=True)
class DispatchResult:
    """Payload ids delivered in this run, those to be tried again and those given up, each with the
    reason; `skipped` counts changes that some channel was not told of by the rules."""

    delivered: tuple[str, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()
    dead: tuple[tuple[str, str], ...] = ()
    skipped: int = 0


_Due = tuple[Claim, Callable[[], Payload]]


@dataclass(frozen=True)
class _Sent:
    """A message that was attempted; `again` when there will be another attempt."""

    payload_id: str
    result: Result
    detail: str
    again: bool

    @property
    def is_dead(self) -> bool:
        return self.result is not Result.DELIVERED and not self.again


def dispatch(store: Store, plan: Plan, clock: Clock) -> DispatchResult:
    """Route what changed and send what is due. One channel at fault does not hold up another: each
    has its own thread, and an error that is no answer of a channel is raised when all are done."""
    expire(store, clock(), MOST_ATTEMPTS)
    skipped = _route(store, plan, clock)
    for name, period in plan.digests.items():
        now = clock()
        intend_digest(store, name, period, period.last(now - DIGEST_AFTER), now)
    intend_confirmations(store, plan.confirms, clock())
    with ThreadPoolExecutor(max(len(plan.channels), 1), "dispatch") as pool:
        sending = [pool.submit(_send_due, store, name, plan, clock) for name in plan.channels]
        wait(sending)
    sent = [one for future in sending for one in future.result()]
    return DispatchResult(
        delivered=tuple(one.payload_id for one in sent if one.result is Result.DELIVERED),
        waiting=tuple((one.payload_id, one.detail) for one in sent if one.again),
        dead=tuple((one.payload_id, one.detail) for one in sent if one.is_dead),
        skipped=skipped,
    )


def preview(store: Store, plan: Plan, now: datetime) -> list[dict[str, Any]]:
    """What would be sent for each change that is not routed yet, and why, or why not; and what is
    still to be tried again, or now."""
    waiting = [
        {
            "channel": one.message.channel,
            "incident": one.message.incident_id,
            "change": one.message.change,
            "sends": True,
            "why": f"from {one.next_try} on, tried {one.attempts} times",
            "headline": one.reason,
            "payload": None,
        }
        for one in entries(store, [DeliveryState.INTENDED])
    ]
    return waiting + [
        {
            "channel": one.channel,
            "incident": change.incident.id,
            "change": change.change,
            "sends": one.sends,
            "why": one.why,
            "headline": headline(change.incident),
            "payload": _shaped(store, plan, one.channel, change, now) if one.sends else None,
        }
        for change, routes in routed(store, plan.prompt, plan.book, lambda: now)
        for one in routes
    ]


def _route(store: Store, plan: Plan, clock: Clock) -> int:
    """Returns how many changes some channel was not told of."""
    skipped = 0
    mark_seen(store, clock())
    for change, routes in routed(store, plan.prompt, plan.book, clock):
        save_routes(store, change, routes, clock())
        skipped += any(one.sends is False for one in routes)
    return skipped


def _send_due(store: Store, name: str, plan: Plan, clock: Clock) -> list[_Sent]:
    channel, owner = plan.channels[name], str(uuid.uuid4())
    sent: list[_Sent] = []
    failures = 0
    while failures < FAILURES:
        due = _due(store, name, plan, owner, clock())
        if not due:
            break
        came = [_settled(store, one, outcome, clock()) for one, outcome in _attempt(channel, due)]
        failures = failures + 1 if all(one.again for one in came) else 0
        sent += came
    return sent


def _due(store: Store, name: str, plan: Plan, owner: str, now: datetime) -> list[_Due]:
    """What is due for a channel, leased to `owner`, and how each is shaped."""
    channel, until = plan.channels[name], now + LEASE
    if name in plan.digests:
        return [
            (one, partial(_digested, store, plan, channel, window))
            for window, one in claim_digests(store, name, owner, now, until)
        ]
    confirmed: list[_Due] = [
        (one, partial(channel.confirmation, done, plan.context))
        for done, one in claim_confirmations(store, name, owner, now, until)
    ]
    return confirmed + [
        (one, partial(_shape, store, plan, name, change, now))
        for change, one in claim(store, name, channel.at_once, owner, now, until)
    ]


def _attempt(channel: Channel, due: Sequence[_Due]) -> Iterator[tuple[Claim, Outcome]]:
    """What came of each claim, as soon as it is known."""
    ready: list[tuple[Claim, Outgoing]] = []
    for one, shaped in due:
        try:
            payload = shaped()
        except BartizanError as error:
            yield one, Outcome.permanent(str(error))
        else:
            ready.append((one, _outgoing(one, payload)))
    for batch in _batches(channel, ready):
        outcomes = _sent(channel, [outgoing for _, outgoing in batch])
        yield from zip((one for one, _ in batch), outcomes, strict=True)


def _outgoing(one: Claim, payload: Payload) -> Outgoing:
    return Outgoing(one.message, payload, one.repeated, one.first_receipt, one.about)


def _sent(channel: Channel, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
    try:
        return channel.send(batch)
    except BartizanError as error:
        return [Outcome.transient(str(error))] * len(batch)


def _batches(
    channel: Channel, ready: Sequence[tuple[Claim, Outgoing]]
) -> Iterator[list[tuple[Claim, Outgoing]]]:
    """In order, each of at most the bytes that the channel takes at once, or of one message."""
    batch: list[tuple[Claim, Outgoing]] = []
    room = channel.most_bytes
    for one in ready:
        size = channel.size(one[1].payload)
        if batch and size > room:
            yield batch
            batch, room = [], channel.most_bytes
        batch.append(one)
        room -= size
    if batch:
        yield batch


def _settled(store: Store, one: Claim, outcome: Outcome, now: datetime) -> _Sent:
    again = None if outcome.result is Result.DELIVERED else next_try(one, outcome, now)
    settle(store, one, outcome.result, outcome.detail, again)
    return _Sent(one.message.payload_id, outcome.result, outcome.detail, again is not None)


def _shaped(
    store: Store, plan: Plan, name: str, change: IncidentChange, now: datetime
) -> Payload | str:
    """The payload, or why the channel's format cannot hold it."""
    try:
        return _shape(store, plan, name, change, now)
    except BartizanError as error:
        return str(error)


def _shape(store: Store, plan: Plan, name: str, change: IncidentChange, now: datetime) -> Payload:
    incident = plan.enrich(change.incident)
    said = notice(plan.book, name, incident, flaps(store, change, [name], plan.book))
    if is_history(plan.book, incident, first_seen(store, incident.id) or now):
        link = incident.story or StoryLink(incident.id)
        incident = replace(incident, story=replace(link, is_history=True))
    told = replace(incident, notice=said)
    return plan.channels[name].shape(told, plan.context, change.change)


def _digested(store: Store, plan: Plan, channel: Channel, window: Window) -> Payload:
    """The digest as it is now."""
    return channel.digest(digest_of(store, window), plan.context)
