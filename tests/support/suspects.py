"""Candidates for tests of answering back, with evidence that any limits let through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from bartizan.model.intel import Candidate, Entry, Evidence, IpSetTarget, Mode, Network
from bartizan.model.window import Window

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=24), NOW)

STRONG = Evidence(
    requests=5000,
    blocked=5000,
    rules=("SQLi_BODY", "rate-login"),
    uris=40,
    hours=10,
    first_seen=WINDOW.start,
    last_seen=NOW - timedelta(minutes=1),
    webacls=("shop",),
    reasons=("rate_limited", "scanner"),
)


def candidate(network: str | Network, score: float = 80.0, **evidence: object) -> Candidate:
    return Candidate(ip_network(network), replace(STRONG, **evidence), score)  # type: ignore[arg-type]


def entry(network: str, hours: float, times: int = 1, score: float = 50.0) -> Entry:
    """One that expires in so many hours."""
    expires = NOW + timedelta(hours=hours)
    return Entry(ip_network(network), NOW - timedelta(days=1), expires, times, score)


def target(name: str, version: int = 4, mode: Mode = Mode.BLOCK) -> IpSetTarget:
    account = "111122223333"
    return IpSetTarget(name, name, "REGIONAL", "eu-central-1", account, None, version, mode)
