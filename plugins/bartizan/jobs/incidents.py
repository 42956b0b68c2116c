"""Jobs from metric files to incidents that people hear of."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.jobs.here import open_engine, open_lake, open_store, settings
from bartizan.jobs.metrics import load_connector, load_connectors
from bartizan.model.window import Window

if TYPE_CHECKING:
    from bartizan.overview import Overview


def learn(name: str, day: datetime) -> dict[str, Any]:
    """Learn what scores the UTC day that holds `day`."""
    from bartizan.detect.run import learn_for
    from bartizan.store.detectors import load_detector

    here, store = settings(), open_store()
    learn_for(store, here.lake, here.metrics, load_connector(name), day, again=True)
    return asdict(load_detector(store, name))


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


def dispatch() -> dict[str, Any]:
    """Deliver every incident change to every channel of the outbox once."""
    from bartizan.dispatch.context import Context
    from bartizan.dispatch.outbox import CHANNELS
    from bartizan.dispatch.outbox import dispatch as deliver

    thresholds = {name: c.alert_threshold for name, c in load_connectors().items()}
    outbox = settings().outbox
    return asdict(deliver(open_store(), outbox, list(CHANNELS), thresholds, Context()))


def report(path: Path | None = None) -> str:
    """Write the HTML report of everything known; returns its path."""
    from bartizan.reporting import write

    here = settings()
    target = path or here.home / "report" / "index.html"
    write(open_store(), open_lake(), here, load_connectors(), target)
    return str(target)


def status() -> Overview:
    """What was landed, checked, aggregated, crawled, detected and delivered."""
    from bartizan.overview import look

    return look(open_store(), open_lake(), settings(), load_connectors())
