"""Jobs from metric files to incidents that people hear of."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.alerting import alerts, now, rulebook
from bartizan.jobs.here import open_engine, open_lake, open_store, settings
from bartizan.jobs.metrics import load_connector, load_connectors
from bartizan.jobs.playbooks import advised, enriched
from bartizan.model.window import Window

if TYPE_CHECKING:
    from bartizan.dispatch.alerts import Alerts
    from bartizan.dispatch.delivery import Plan
    from bartizan.overview import Overview


def detect(name: str, windows: Sequence[Window]) -> dict[str, Any]:
    """Score a connector's windows and bring its incidents up to date."""
    from bartizan.detect.run import detect as detect_windows

    here = settings()
    result = detect_windows(open_store(), here.lake, here.metrics, load_connector(name), windows)
    return asdict(result)


def set_active(name: str, active: bool) -> dict[str, Any]:
    """Deactivate a connector's detector: it keeps what it learned and scores nothing; or activate
    it again. Metrics are crawled on all the same, so that it can learn from them later."""
    from bartizan.store.detectors import set_active as mark

    return asdict(mark(open_store(), load_connector(name).name, active))


def explain() -> list[str]:
    """Add root causes and sample requests to incidents that lack them; returns their ids."""
    from bartizan.explain.run import explain as explain_incidents

    return explain_incidents(open_store(), settings().lake, open_engine(), load_connectors())


def dispatch(secret_elsewhere: Callable[[str], str | None] | None = None) -> dict[str, Any]:
    """Tell every channel of every change, each once, and try again what did not arrive.

    `secret_elsewhere` finds secrets that the environment does not hold. With an alerts.yaml the
    incidents about our own health are brought up to date first.
    """
    from bartizan.dispatch.delivery import dispatch as deliver
    from bartizan.dispatch.health import check_health

    store, found = open_store(), alerts(secret_elsewhere)
    if found.late_after is not None:
        check_health(store, load_connectors(), now(), found.late_after)
    return asdict(deliver(store, _plan(found), now))


def preview_dispatch() -> list[dict[str, Any]]:
    """What would be sent for changes that are not routed yet, and why; writes nothing."""
    from bartizan.dispatch.delivery import preview

    return preview(open_store(), _plan(alerts()), now())


def list_outbox(states: Sequence[str] = (), channel: str | None = None) -> list[dict[str, Any]]:
    """Messages in those states, all without any, as they stand."""
    from bartizan.model.outbox import DeliveryState
    from bartizan.store.messages import entries

    chosen = [DeliveryState(state) for state in states]
    return [
        {
            "id": one.message.payload_id,
            "key": one.message.key,
            "state": one.state.value,
            "attempts": one.attempts,
            "next_try": one.next_try,
            "receipt": one.receipt,
            "reason": one.reason,
        }
        for one in entries(open_store(), chosen, channel)
    ]


def retry_outbox(payload_ids: Sequence[str] | None) -> list[str]:
    """Have dead messages sent again by the next dispatch, all of them without ids; returns which.

    Raises UsageError when an id is none of a dead message whose incident is as it was.
    """
    from bartizan.store.outbox import retry

    done = retry(open_store(), payload_ids, now())
    if missing := sorted(set(payload_ids or ()) - set(done)):
        raise UsageError(
            missing[0],
            "is no dead message, or its incident has changed since",
            "see `bartizan outbox list --state dead`",
        )
    return done


def _plan(found: Alerts) -> Plan:
    from bartizan.dispatch.delivery import Plan

    enrich = enriched(open_store())
    book = rulebook(found)
    return Plan(found.channels, book, found.context, enrich, found.digests, found.confirms)


def report(path: Path | None = None, window: Window | None = None) -> str:
    """Write the report of everything known, or of what starts in `window`; returns its path."""
    from bartizan.reporting import write

    here, store = settings(), open_store()
    target = path or here.home / "report" / "index.html"
    write(store, open_lake(), here, load_connectors(), target, window, advised())
    return str(target)


def status() -> Overview:
    """What was landed, checked, aggregated, crawled, detected and delivered."""
    from bartizan.overview import look

    return look(open_store(), open_lake(), settings(), load_connectors())
