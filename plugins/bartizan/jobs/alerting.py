"""Who is told of what here: channels and rules of alerts.yaml, thresholds of the connectors."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bartizan.jobs.here import settings
from bartizan.jobs.metrics import connector_names, load_connectors

if TYPE_CHECKING:
    from bartizan.dispatch.alerts import Alerts
    from bartizan.dispatch.channels.base import Site
    from bartizan.dispatch.rulebook import Rulebook


def alerts(secret_elsewhere: Callable[[str], str | None] | None = None) -> Alerts:
    """`secret_elsewhere` finds secrets that the environment does not hold."""
    from bartizan.dispatch.alerts import read_alerts

    return read_alerts(settings().alerts, _site(secret_elsewhere), connector_names())


def alerts_of(text: str, path: Path) -> Alerts:
    """The alerts of what a file would hold."""
    from bartizan.dispatch.alerts import parse_alerts

    return parse_alerts(text, path, _site(None), connector_names())


def _site(secret_elsewhere: Callable[[str], str | None] | None) -> Site:
    from bartizan.dispatch.channels.base import Site
    from bartizan.dispatch.secrets import secret

    return Site(lambda name: secret(name, secret_elsewhere), settings().outbox, now)


def rulebook(found: Alerts) -> Rulebook:
    """The rules of the alerts over the connectors' own thresholds."""
    from bartizan.dispatch.rulebook import Rulebook

    thresholds = {name: one.alert_threshold for name, one in load_connectors().items()}
    return Rulebook(found.rules, found.quiet, thresholds, found.flapping, found.catch_up)


def now() -> datetime:
    return datetime.now(UTC)
