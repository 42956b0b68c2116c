"""Jobs from raw objects to published rows."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.errors import ValidationFailed
from bartizan.jobs.here import open_lake, open_store, settings
from bartizan.model.landing import BatchState
from bartizan.model.text import inert
from bartizan.model.window import Window, format_time, merged

if TYPE_CHECKING:
    from bartizan.land.run import LandReport
    from bartizan.store import Store


log = logging.getLogger(__name__)


def land(window: Window | None, on_progress: Callable[[int, int], None]) -> LandReport:
    """Land everything new: the tasks below in a row; rejected batches are tried again.

    Raises UsageError where there is no source, before a home is begun for it.
    """
    from bartizan.land.listing import require_source
    from bartizan.land.redact import Redaction
    from bartizan.land.run import land as land_all
    from bartizan.validate.run import validate

    require_source(settings().source)
    store = open_store()
    report = land_all(
        store,
        open_lake(),
        settings().source,
        window,
        validator=validate,
        on_progress=on_progress,
        latest_reopen=settings().latest_reopen,
        redaction=Redaction.from_env(),
    )
    _write_validation_page(store)
    return report


def plan_landing(windows: Sequence[Window], retry_rejected: bool = False) -> list[str]:
    """Register new objects; returns the ids of all batches that are to be published.

    The deliveries before a window are listed once more, those of 25 hours unless BARTIZAN_LATE
    says otherwise: throttled deliveries are retried for a day, and the last minutes of an hour
    are delivered after it has ended.
    """
    from bartizan.land.plan import plan

    store, source, late = open_store(), settings().source, settings().late
    batch_ids: list[str] = []
    for window in merged(Window(one.start - late, one.end) for one in windows):
        planned = plan(store, source, window, retry_rejected=retry_rejected)
        batch_ids = list(planned.batch_ids)
        for item in planned.changed:
            log.warning("quarantined: %s has changed since it was landed", inert(item.uri))
    return batch_ids


def stage_batch(batch_id: str) -> dict[str, Any]:
    from bartizan.land.redact import Redaction
    from bartizan.land.stage import stage

    batch = stage(open_store(), open_lake(), batch_id, Redaction.from_env())
    return {"batch_id": batch_id, "state": batch.state.value, **asdict(batch.counts)}


def validate_batches(batch_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Check the batches that could be staged; a rejected one is never published."""
    from bartizan.validate.run import validate

    store = open_store()
    staged = _beyond(store, batch_ids, BatchState.PLANNED)
    if not staged:
        return []
    verdicts = validate(store, open_lake(), staged)
    _write_validation_page(store)
    return [{"batch_id": v.batch_id, "passed": v.passed, "reason": v.reason} for v in verdicts]


SHOWN_BATCHES = 100


def validation_page() -> Path:
    """Where the results of the checks can be read."""
    return settings().lake / "validation.html"


def _write_validation_page(store: Store) -> None:
    """Render the stored results, those of rejected batches first."""
    from bartizan.store.landing import validated
    from bartizan.validate.page import render

    path = validation_page()
    part = path.with_suffix(f".{os.getpid()}.tmp")
    part.write_text(render(store, validated(store)[:SHOWN_BATCHES]), encoding="utf-8")
    part.replace(path)


def publish_batches(batch_ids: Sequence[str], windows: Sequence[Window]) -> list[Window]:
    """Publish what is valid; returns the windows to announce.

    These are the hours that the batches changed and, so that a broken-off run can be repeated, the
    run's own hours that hold data. Hours that received requests too late are not among them.
    """
    from bartizan.land.publish import publish
    from bartizan.store.landing import changed_within

    store = open_store()
    checked = _beyond(store, batch_ids, BatchState.PLANNED, BatchState.STAGED)
    result = publish(store, open_lake(), checked, settings().latest_reopen)
    for hour, requests in result.closed.items():
        log.warning("too late for their hour: %d requests of %s", requests, format_time(hour))
    own = (hour for window in windows for hour in changed_within(store, window))
    return merged(Window.hour(hour) for hour in {*result.hours, *own})


def confirm_published(batch_ids: Sequence[str]) -> int:
    """Returns how many batches are published; raises ValidationFailed naming one that is not.

    Apart from publishing, so that a bad batch fails its run without holding up the good ones.
    """
    from bartizan.store.landing import load_batch

    store = open_store()
    for batch in (load_batch(store, batch_id) for batch_id in batch_ids):
        if batch.state is not BatchState.PUBLISHED:
            raise ValidationFailed(
                f"batch {batch.id}",
                f"is {batch.state}, not published: {batch.reason or 'see the failed task'}",
                f"{validation_page()} shows the checks; mend the cause, run with retry_rejected on",
            )
    return len(batch_ids)


def _beyond(store: Store, batch_ids: Sequence[str], *states: BatchState) -> list[str]:
    """Those of the batches that have left the given states behind."""
    from bartizan.store.landing import load_batch

    return [one for one in batch_ids if load_batch(store, one).state not in states]
