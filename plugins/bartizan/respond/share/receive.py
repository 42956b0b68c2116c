"""Takes in what another account says, or sets it aside with the reason.

Nothing here lists an address. What an event says becomes evidence, which the next plan judges with
our own guard, limits and logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network

from pydantic import ValidationError

from bartizan.model.ids import digest
from bartizan.model.intel import Candidate, Evidence
from bartizan.model.text import short
from bartizan.model.window import aware, parse_time
from bartizan.respond.candidates import score
from bartizan.respond.share.config import Bounds
from bartizan.respond.share.event import (
    MOST_BYTES,
    Detail,
    Envelope,
    Told,
    Withdrawal,
    WithdrawalEnvelope,
    event_id,
    read_envelope,
)
from bartizan.store.database import Store
from bartizan.store.intel_sharing import Rejected, Said, accept, is_received, reject
from bartizan.store.intel_withdrawn import Withdrawn, withdraw
from bartizan.store.lock import locked

RAW_CHARACTERS = 4096


class Fault(StrEnum):
    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    FORGED = "forged"
    REPLAYED = "replayed"


@dataclass(frozen=True)
class Verdict:
    """What becomes of an event: `said` is empty where everything in it is over or `withdrawn`, or
    where there is a `fault`, with `why`."""

    account: str
    event_id: str
    said: tuple[Said, ...]
    fault: Fault | None = None
    why: str = ""
    withdrawn: Withdrawn | None = None


def judge(store: Store, body: bytes, bounds: Bounds, at: datetime) -> Verdict:
    """Whether an event may be taken in, changing nothing. `body` is it as EventBridge delivers."""
    if len(body) > MOST_BYTES:
        return _bad(Fault.OVERSIZED, f"{len(body)} bytes are more than {MOST_BYTES}")
    try:
        envelope = read_envelope(body)
    except ValidationError as error:
        return _bad(Fault.MALFORMED, _first(error))
    doubt = next(_doubts(store, envelope, bounds, aware(at)), None)
    if doubt is not None:
        return _bad(*doubt)
    detail = envelope.detail
    if isinstance(detail, Withdrawal):
        networks = tuple(map(ip_network, detail.networks))
        back = Withdrawn(detail.account, parse_time(detail.at), networks)
        return Verdict(detail.account, detail.eventId, (), withdrawn=back)
    return Verdict(detail.account, detail.eventId, _said(detail, bounds, aware(at)))


def take(store: Store, body: bytes, bounds: Bounds, at: datetime) -> Verdict:
    """Take an event in or set it aside; when this returns, it is written down."""
    verdict = judge(store, body, bounds, at)
    if verdict.fault is None and not _written_down(store, verdict, bounds, aware(at)):
        verdict = _bad(Fault.REPLAYED, f"event {verdict.event_id} was received before")
    if verdict.fault is not None:
        text = body[: 4 * RAW_CHARACTERS].decode(errors="backslashreplace")
        raw = short(text, RAW_CHARACTERS)
        reject(store, Rejected(_digest(body), verdict.fault, verdict.why, len(body), raw), at)
    return verdict


def _written_down(store: Store, verdict: Verdict, bounds: Bounds, at: datetime) -> bool:
    """Whether the event is new. Those of an account one by one: what it takes back is looked for
    before what it says is written."""
    with locked(store, f"heard-{verdict.account}"):
        if verdict.withdrawn is not None:
            return withdraw(store, verdict.event_id, verdict.withdrawn, at, at + bounds.max_age)
        return accept(store, verdict.account, verdict.event_id, at, verdict.said)


def _doubts(
    store: Store, envelope: Envelope | WithdrawalEnvelope, bounds: Bounds, at: datetime
) -> Iterator[tuple[Fault, str]]:
    detail = envelope.detail
    if envelope.account not in bounds.accounts:
        yield Fault.FORGED, f"account {envelope.account} is not among `accounts`"
    if detail.account != envelope.account:
        yield Fault.FORGED, f"account {envelope.account} speaks for {detail.account}"
    if detail.eventId != event_id(detail):
        yield Fault.FORGED, "the event id is not that of its content"
    if parse_time(detail.at) < at - bounds.max_age:
        yield Fault.REPLAYED, f"is of {detail.at}, longer ago than `max_age`"
    if is_received(store, detail.account, detail.eventId):
        yield Fault.REPLAYED, f"event {detail.eventId} was received before"


def _said(detail: Detail, bounds: Bounds, at: datetime) -> tuple[Said, ...]:
    """What an event says that is not over, each with its end."""
    said = []
    for told in detail.entries:
        until = min(parse_time(told.expiresAt), at + bounds.max_ttl)
        if until > at:
            candidate = _candidate(told, detail.account)
            said.append(Said(detail.account, parse_time(detail.at), until, candidate))
    return tuple(said)


def _candidate(told: Told, account: str) -> Candidate:
    """What is told as evidence, scored by us."""
    evidence = Evidence(
        requests=told.requests,
        blocked=told.blocked,
        rules=tuple(told.families),
        uris=told.paths,
        hours=told.hours,
        first_seen=parse_time(told.firstSeen),
        last_seen=parse_time(told.lastSeen),
        webacls=(),
        reasons=(f"account {account}",),
    )
    return Candidate(ip_network(told.network), evidence, score(evidence))


def _bad(fault: Fault, why: str) -> Verdict:
    return Verdict("", "", (), fault, why)


def _digest(body: bytes) -> str:
    return digest((body.hex(),), 32)


def _first(error: ValidationError) -> str:
    """Where and why, in words that the sender had no part in but the names of keys."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(map(str, found["loc"]))
    return short(f"{place or 'it'}: {found['msg']}", 300)
