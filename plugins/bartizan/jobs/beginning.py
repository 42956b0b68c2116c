"""What a connector's detector would begin with, before anything of it is begun."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bartizan.errors import BartizanError
from bartizan.jobs.connectors import check_connector
from bartizan.jobs.here import open_store, settings
from bartizan.jobs.metrics import backfill, load_connector
from bartizan.model.story import span
from bartizan.model.window import HOUR, Window, floor

if TYPE_CHECKING:
    from bartizan.model.connector import Connector


def preview_detector(name: str, at: datetime, look: bool = False) -> dict[str, Any]:
    """What a connector reads, how much history there is at a time, and what learning would cost.

    Every connector has a detector, which is inactive until it has learned: there is nothing else to
    create. `proposed` is the history to backfill, at most what a detector learns from; None where
    none is there, or where others write the files. `cost` is what a dry run of that backfill says;
    with `look`, `check` is what the query yields over the last interval. Either is `problem`, in
    words, where it cannot be had. Writes nothing.
    """
    from bartizan.crawl.chunks import chunk_windows
    from bartizan.detect.learn import points_needed
    from bartizan.store.detectors import load_detector

    connector = load_connector(name)
    needed = points_needed(connector.frequency)
    proposed = _proposed(connector, at)
    there = chunk_windows(connector, settings().metrics)
    cost, problem = _told(lambda: backfill(name, proposed)) if proposed else (None, "")
    check, unfit = _told(lambda: check_connector(name)) if look else (None, "")
    return {
        "connector": name,
        "description": connector.description,
        "state": load_detector(open_store(), name).state.value,
        "from": "files" if connector.source else connector.engine,
        "every": span(connector.frequency),
        "dimensions": list(connector.dimensions),
        "measures": [one.name for one in connector.measures],
        "intervals_needed": needed,
        "ready_after": span(needed * connector.frequency),
        "backfilled": Window(there[0].start, there[-1].end).as_json() if there else None,
        "proposed": proposed.as_json() if proposed else None,
        "cost": cost,
        "check": check,
        "problem": problem or unfit,
    }


def _proposed(connector: Connector, at: datetime) -> Window | None:
    """As much history as a detector learns from, up to a time, as far as it is there."""
    from bartizan.detect.replay import history_length
    from bartizan.store.landing import landed_hours

    if connector.source is not None:
        return None
    length, end = history_length(connector.frequency), floor(at, connector.frequency)
    if not connector.reads_lake:
        return Window(end - length, end)
    hours = [hour for hour in landed_hours(open_store()) if hour < end]
    if not hours:
        return None
    end = min(end, floor(hours[-1] + HOUR, connector.frequency))
    start = max(end - length, floor(hours[0], connector.frequency))
    return Window(start, end) if start < end else None


def _told(ask: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any] | None, str]:
    """What is answered, or in words why it is not."""
    try:
        return ask(), ""
    except BartizanError as error:
        return None, str(error)
