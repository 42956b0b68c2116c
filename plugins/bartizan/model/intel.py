"""Answering back: addresses worth blocking, the IP sets that hold them, and what is to change.

A host is a network too: /32 in IPv4, /128 in IPv6, as AWS WAF writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from bartizan.model.ids import digest
from bartizan.model.window import Window, format_time

Network = IPv4Network | IPv6Network


def by_place(network: Network) -> tuple[int, int, int]:
    """Sorts networks: IPv4 before IPv6, then by address, the widest first."""
    return network.version, int(network.network_address), network.prefixlen


class Mode(StrEnum):
    """How far a plan goes at a target: `count` and `block` both change the IP set, the web ACL's
    rule over the set says which of the two happens to its requests."""

    OFF = "off"
    DRY_RUN = "dry-run"
    COUNT = "count"
    BLOCK = "block"

    @property
    def changes(self) -> bool:
        """Whether IP sets of such a target are changed."""
        return self in (Mode.COUNT, Mode.BLOCK)


@dataclass(frozen=True)
class Evidence:
    """What one client, or a subnet, did in a window: counts and names of rules, never what it sent.

    `requests` and `blocked` are requests, those refused by our own entries left out of both;
    `blocked` are those that AWS WAF stopped (BLOCK, CAPTCHA or CHALLENGE). `uris` are distinct
    paths among the blocked, `hours` distinct UTC hours with a block. `reasons` are the queries
    that named it. `addresses` of a subnet are those that were stopped; 0 where nobody counted.
    """

    requests: int
    blocked: int
    rules: tuple[str, ...]
    uris: int
    hours: int
    first_seen: datetime
    last_seen: datetime
    webacls: tuple[str, ...]
    reasons: tuple[str, ...]
    addresses: int = 0

    @property
    def blocked_share(self) -> float:
        """Between 0 and 1; 0 without requests."""
        return self.blocked / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Candidate:
    """A network that could be blocked; `score` from 0 to 100."""

    network: Network
    evidence: Evidence
    score: float


@dataclass(frozen=True)
class Refusal:
    """A network that may not be blocked, or not now, and why in words."""

    network: Network
    why: str


@dataclass(frozen=True)
class Entry:
    """A network that we put into an IP set; `times` counts its listings, this one included."""

    network: Network
    added_at: datetime
    expires_at: datetime
    times: int
    candidate_score: float


@dataclass(frozen=True)
class IpSetTarget:
    """An IP set of AWS WAF that we manage entries of. `name` is ours, `ip_set_name` its own."""

    name: str
    ip_set_name: str
    scope: str  # REGIONAL | CLOUDFRONT
    region: str
    account_id: str
    role_arn: str | None
    version: int  # 4 | 6
    mode: Mode
    external_id: str | None = None  # what the trust of the role asks for


@dataclass(frozen=True)
class Change:
    """What is to change in the IP set of a target: sorted networks, with a reason for each.

    `add` holds new entries and those renewed past their expiry, `entries` what to remember of
    each; `remove` only ever holds entries of our own; `keep` counts the others of ours.
    """

    target: str
    add: tuple[Network, ...]
    remove: tuple[Network, ...]
    keep: int
    why: Mapping[Network, str]
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All changes of one run. `blast_radius` is the share of past allowed requests that its new
    entries would have blocked, from 0 to 1; None before it was simulated."""

    id: str
    window: Window
    at: datetime
    changes: tuple[Change, ...]
    refused: tuple[Refusal, ...]
    blast_radius: float | None

    @classmethod
    def of(
        cls,
        window: Window,
        at: datetime,
        changes: tuple[Change, ...],
        refused: tuple[Refusal, ...],
        blast_radius: float | None = None,
    ) -> Plan:
        """A plan with the id of its content, all that an apply goes by: who approves the id
        approves that."""
        facts = (part for change in changes for part in _facts(change))
        parts = (window, format_time(at), blast_radius, *facts)
        return cls(digest(parts, 32), window, at, changes, refused, blast_radius)


def _facts(change: Change) -> Iterable[str]:
    yield change.target
    yield from (f"+{network}" for network in change.add)
    yield from (f"-{network}" for network in change.remove)
    for one in change.entries:
        times = f"{format_time(one.added_at)} {format_time(one.expires_at)} {one.times}"
        yield f"{one.network} {times} {one.candidate_score!r}"
