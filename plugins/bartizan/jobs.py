"""Every job of the house: one call each for the DAGs and for the command, on the same settings.

DAG files import this module whenever they are parsed, so rooms are imported when they are used.
Results are plain values that fit into JSON.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.config import Settings, make_folder
from bartizan.errors import UsageError, ValidationFailed
from bartizan.model.landing import BatchState
from bartizan.model.window import DAY, HOUR, Window, merged, parse_time

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from bartizan.aggregate.build import BuildResult
    from bartizan.crawl.live import CrawlResult
    from bartizan.engines import DuckDBEngine
    from bartizan.lake import Lake
    from bartizan.land.run import LandReport
    from bartizan.model.connector import Connector
    from bartizan.overview import Overview
    from bartizan.simulate import SimulationPlan
    from bartizan.store import Store
    from bartizan.validate.run import BatchVerdict


def settings() -> Settings:
    return Settings.from_env()


def open_store() -> Store:
    from bartizan.store import Store

    here = settings()
    make_folder(here.lake)
    return Store.open(here.store_url)


def open_lake() -> Lake:
    from bartizan.lake import Lake

    make_folder(settings().lake)
    return Lake.open(settings().lake)


def open_engine() -> DuckDBEngine:
    from bartizan.engines import DuckDBEngine

    return DuckDBEngine(open_lake())


# --- simulate --------------------------------------------------------------------------------


def simulation_plan(start: str, days: int, records_per_day: int, seed: int) -> SimulationPlan:
    """A plan with its attacks on the last day."""
    from bartizan.simulate import SimulationPlan

    first = parse_time(start)
    end = first + timedelta(days=days)
    return SimulationPlan(
        window=Window(first, end),
        records_per_day=records_per_day,
        seed=seed,
        attack_window=Window(end - DAY, end),
    )


def plan_simulation(**plan: Any) -> list[str]:
    """The days to write, as ISO dates."""
    return [f"{day.start:%Y-%m-%d}" for day in simulation_plan(**plan).window.pieces(DAY)]


def simulate(on_progress: Callable[[int, int], None], **plan: Any) -> dict[str, Any]:
    """Write all days in processes of their own."""
    from bartizan.simulate import simulate as simulate_all

    done = simulate_all(settings().source, simulation_plan(**plan), on_progress)
    return {"days": len(done.days), "objects": done.objects, "records": done.records}


def simulate_day(day: str, **plan: Any) -> dict[str, Any]:
    from bartizan.simulate import simulate_day as simulate_one

    done = simulate_one(settings().source, simulation_plan(**plan), date.fromisoformat(day))
    return {"day": day, "objects": done.objects, "records": done.records}


def write_labels(**plan: Any) -> int:
    """Write labels.json; returns how many attacks there are."""
    from bartizan.simulate import write_labels as write

    return len(write(settings().source, simulation_plan(**plan)))


# --- land ------------------------------------------------------------------------------------


START_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
LATE = timedelta(hours=3)  # how long after its hour an object may still be delivered


def land(window: Window | None, on_progress: Callable[[int, int], None]) -> LandReport:
    """Land everything new: the tasks below in a row; rejected batches are tried again."""
    from bartizan.land.run import land as land_all

    store, lake, source = open_store(), open_lake(), settings().source
    return land_all(store, lake, source, window, validator=_validate, on_progress=on_progress)


def plan_landing(windows: Sequence[Window], retry_rejected: bool = False) -> list[str]:
    """Register new objects; returns the ids of all batches that are to be published.

    Objects delivered up to three hours before a window are listed once more: the last minutes of
    an hour are delivered after it has ended.
    """
    from bartizan.land.plan import plan

    store, source = open_store(), settings().source
    batch_ids: list[str] = []
    for window in windows:
        wider = Window(window.start - LATE, window.end)
        planned = plan(store, source, wider, retry_rejected=retry_rejected)
        batch_ids = list(planned.batch_ids)
        for item in planned.changed:
            log.warning("not landed again: %s has changed since it was landed", item.uri)
    return batch_ids


def stage_batch(batch_id: str) -> dict[str, Any]:
    from bartizan.land.stage import stage

    batch = stage(open_store(), open_lake(), batch_id)
    return {"batch_id": batch_id, "state": batch.state.value, **asdict(batch.counts)}


def validate_batches(batch_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Check the batches that could be staged; a rejected one is never published."""
    store = open_store()
    staged = _beyond(store, batch_ids, BatchState.PLANNED)
    if not staged:
        return []
    verdicts = _validate(store, open_lake(), staged)
    return [{"batch_id": v.batch_id, "passed": v.passed, "reason": v.reason} for v in verdicts]


SHOWN_BATCHES = 100


def validation_page() -> Path:
    """Where the results of the checks can be read."""
    return settings().lake / "validation.html"


def _validate(store: Store, lake: Lake, batch_ids: Sequence[str]) -> list[BatchVerdict]:
    """Check the batches, then render stored results, those of rejected ones first."""
    from bartizan.store.landing import validated
    from bartizan.validate.page import render
    from bartizan.validate.run import validate

    verdicts = validate(store, lake, batch_ids)
    path = validation_page()
    part = path.with_suffix(f".{os.getpid()}.tmp")
    part.write_text(render(store, validated(store)[:SHOWN_BATCHES]), encoding="utf-8")
    part.replace(path)
    return verdicts


def publish_batches(batch_ids: Sequence[str], windows: Sequence[Window]) -> list[Window]:
    """Publish what is valid; returns the windows to announce.

    These are the hours that the batches changed and, so that a broken-off run can be repeated, the
    run's own hours that hold data.
    """
    from bartizan.land.publish import publish
    from bartizan.store.landing import changed_within

    store = open_store()
    checked = _beyond(store, batch_ids, BatchState.PLANNED, BatchState.STAGED)
    result = publish(store, open_lake(), checked)
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


# --- aggregate, crawl ------------------------------------------------------------------------


def aggregate(windows: Sequence[Window] | None, force: bool = False) -> list[BuildResult]:
    """Rebuild the changed hours of every aggregate table, in the windows (None: wherever)."""
    from bartizan.aggregate.build import build
    from bartizan.aggregate.spec import load_tables

    store, lake, engine = open_store(), open_lake(), open_engine()
    return [
        build(store, lake, engine, table, windows, force)
        for table in load_tables(settings().sql).values()
    ]


def connector_names() -> list[str]:
    """Folder names under include/sql/connectors; reads no file, so that DAGs parse fast."""
    folder = settings().sql / "connectors"
    if not folder.is_dir():
        raise UsageError(
            "connectors", f"{folder} is not a folder", "set BARTIZAN_SQL to include/sql"
        )
    return sorted(path.parent.name for path in folder.glob("*/connector.yaml"))


def load_connector(name: str) -> Connector:
    """A connector by name. Raises UsageError naming those there are."""
    from bartizan.crawl.config import load_connector as load

    if name not in connector_names():
        raise UsageError(
            "connector", f"{name!r} not found", f"known: {', '.join(connector_names())}"
        )
    return load(settings().sql / "connectors" / name)


def load_connectors() -> dict[str, Connector]:
    """All connectors by name."""
    return {name: load_connector(name) for name in connector_names()}


def check_connector(name: str, window: Window) -> dict[str, Any]:
    """Try a connector over a window without writing anything."""
    from bartizan.crawl.check import check

    return asdict(check(load_connector(name), open_engine(), window))


def crawl(name: str, windows: Sequence[Window]) -> CrawlResult:
    """Write the live metric files of a connector for the windows, as far as data were landed."""
    from bartizan.crawl.live import crawl as crawl_live
    from bartizan.store.landing import landed_hours

    until = max(landed_hours(open_store()), default=START_OF_TIME) + HOUR
    return crawl_live(open_engine(), load_connector(name), settings().metrics, windows, until)


def backfill(name: str, window: Window, dry_run: bool = True) -> dict[str, Any]:
    """Write the historical metric files of a connector for those hours of the window for which
    data were landed, or only count them. Raises UsageError when there are none."""
    from bartizan.crawl.history import backfill as backfill_history
    from bartizan.store.landing import changed_within

    connector = load_connector(name)
    landed = merged(Window.hour(hour) for hour in changed_within(open_store(), window))
    if not landed:
        raise UsageError(f"backfill {name}", f"nothing was landed in {window}", "land it first")
    result = backfill_history(open_engine(), connector, settings().metrics, landed, dry_run=dry_run)
    return asdict(result)


# --- detect, explain, dispatch ---------------------------------------------------------------


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


def explain() -> list[str]:
    """Add contributions and sample requests to incidents that lack them; returns their ids."""
    from bartizan.explain.run import explain as explain_incidents

    return explain_incidents(open_store(), open_engine(), load_connectors())


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
