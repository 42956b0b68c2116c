"""Jobs that compare what landed with AWS WAF's own counters."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bartizan.errors import BartizanError
from bartizan.jobs.here import open_engine, open_store, settings
from bartizan.model.window import Window

if TYPE_CHECKING:
    from bartizan.reconcile import Reconciliation


log = logging.getLogger(__name__)

DELIVERED = timedelta(hours=3)  # after its end an hour's logs have been delivered and landed


def reconcile_enabled() -> bool:
    """Whether the DAG may ask AWS for its counters: BARTIZAN_RECONCILE is `cloudwatch`."""
    from bartizan.reconcile import Options

    return Options.from_env().enabled


def reconcile(window: Window, on_progress: Callable[[int, int], None]) -> Reconciliation:
    """Compare the landed requests of a window with AWS WAF's counters, account by account.

    Hours whose logs may still be delivered wait. What could not be asked is in `failures`.
    """
    from bartizan.reconcile import Options
    from bartizan.reconcile import reconcile as compare

    return compare(
        open_store(),
        open_engine(),
        window,
        Options.from_env(),
        as_of=datetime.now(UTC),
        late=DELIVERED,
        on_progress=on_progress,
    )


def reconcile_windows(windows: Sequence[Window]) -> dict[str, int]:
    """Reconcile the windows one by one; returns hours by verdict, and those that wait.

    Each with the 25 hours before it: some waited for their logs in the run before, in others
    records may have landed late. Raises the first failure once everything else is stored.
    """
    hours: dict[str, int] = {}
    failures: list[BartizanError] = []
    for window in windows:
        wider = Window(window.start - settings().late, window.end)
        done = reconcile(wider, lambda done, of: None)
        for one in done.compared:
            hours[one.verdict.value] = hours.get(one.verdict.value, 0) + 1
        hours["waiting"] = hours.get("waiting", 0) + done.waiting
        failures += done.failures
    for failure in failures:
        log.warning("not reconciled: %s", failure)
    if failures:
        raise failures[0]
    return hours
