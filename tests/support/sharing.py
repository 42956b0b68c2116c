"""What is told of addresses, as objects and as events, for tests of sharing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from bartizan.model.indicator import Indicator, Tlp
from bartizan.respond.share.config import Bounds
from bartizan.respond.share.event import BLOCKED, SOURCE, WITHDRAWN, details, withdrawals

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SENDER, OTHER, STRANGER = "111122223333", "777788889999", "999900001111"
BOUNDS = Bounds(frozenset([SENDER, OTHER]), timedelta(days=1), timedelta(days=14))


def indicator(network: str, hours: float = 4, **changed: Any) -> Indicator:
    """An address that was stopped 900 of 1,000 times."""
    usual = Indicator(
        network=ip_network(network),
        added_at=NOON - HOUR,
        expires_at=NOON + hours * HOUR,
        first_seen=NOON - 8 * HOUR,
        last_seen=NOON - HOUR,
        requests=1000,
        blocked=900,
        paths=40,
        hours=7,
        families=("other", "sqli"),
        score=61.5,
    )
    return replace(usual, **changed)


def envelope(
    told: Iterable[Indicator], account: str = SENDER, at: datetime = NOON, **changed: Any
) -> dict[str, Any]:
    """An event as EventBridge delivers it to the queue of a receiver in another account."""
    (detail,) = details(list(told), account, at, Tlp.AMBER)
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": BLOCKED,
        "source": SOURCE,
        "account": account,
        "time": "2026-11-20T12:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail.model_dump(mode="json"),
    } | changed


def withdrawal(
    networks: Iterable[str], account: str = SENDER, at: datetime = NOON, **changed: Any
) -> dict[str, Any]:
    """An event that takes networks back, as it is delivered."""
    (detail,) = withdrawals([ip_network(one) for one in networks], account, at, Tlp.AMBER)
    event = envelope([indicator("203.0.113.1/32")], account, at)
    return event | {"detail-type": WITHDRAWN, "detail": detail.model_dump(mode="json")} | changed


def body(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()
