"""Every job of the house: one call each for the DAGs and for the command, on the same settings.

DAG files import this module whenever they are parsed, so rooms are imported when they are used.
Results are plain values that fit into JSON.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.config import Settings
from bartizan.errors import UsageError, ValidationFailed
from bartizan.model.window import DAY, Window, parse_time

log = logging.getLogger(__name__)

if TYPE_CHECKING:
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
    here.lake.mkdir(parents=True, exist_ok=True)
    return Store.open(here.store_url)


def open_lake() -> Lake:
    from bartizan.lake import Lake

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


def land(window: Window | None, on_progress: Callable[[int, int], None]) -> LandReport:
    """Land everything new: the tasks below, one after the other."""
    from bartizan.land.run import land as land_all

    store, lake, source = open_store(), open_lake(), settings().source
    return land_all(store, lake, source, window, validator=_validate, on_progress=on_progress)


def plan_landing(windows: Sequence[Window]) -> list[str]:
    """Register new objects; returns the ids of all batches that are not published yet."""
    from bartizan.land.plan import plan

    store, source = open_store(), settings().source
    batch_ids: list[str] = []
    for window in windows:
        planned = plan(store, source, window)
        batch_ids = list(planned.batch_ids)
        for item in planned.changed:
            log.warning("not landed again: %s has changed since it was landed", item.uri)
    return batch_ids


def stage_batch(batch_id: str) -> dict[str, Any]:
    from bartizan.land.stage import stage

    batch = stage(open_store(), open_lake(), batch_id)
    return {"batch_id": batch_id, "state": batch.state.value, **asdict(batch.counts)}


def validate_batches(batch_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Check staged batches; a rejected one is reported here and never published."""
    if not batch_ids:
        return []
    verdicts = _validate(open_store(), open_lake(), batch_ids)
    return [{"batch_id": v.batch_id, "passed": v.passed, "reason": v.reason} for v in verdicts]


def validation_page() -> Path:
    """Where the results of the checks can be read."""
    return settings().lake / "validation.html"


def _validate(store: Store, lake: Lake, batch_ids: Sequence[str]) -> list[BatchVerdict]:
    """Check the batches, then render the results of all there are, rejected ones first."""
    from bartizan.store.landing import validated
    from bartizan.validate.page import render
    from bartizan.validate.run import validate

    verdicts = validate(store, lake, batch_ids)
    path = validation_page()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(store, validated(store)), encoding="utf-8")
    return verdicts


def publish_batches(batch_ids: Sequence[str], windows: Sequence[Window]) -> list[Window]:
    """Publish what is valid; returns the windows to announce.

    These are the hours that the batches changed and, so that a broken-off run can be repeated, the
    run's own hours that hold data. Raises ValidationFailed after publishing the valid batches when
    one was rejected.
    """
    from bartizan.land.publish import publish
    from bartizan.model.window import merged
    from bartizan.store.landing import changed_within

    store = open_store()
    result = publish(store, open_lake(), batch_ids)
    if result.rejected:
        batch_id, reason = result.rejected[0]
        raise ValidationFailed(
            f"batch {batch_id}", reason, f"nothing of it was published; see {validation_page()}"
        )
    hours = {*result.hours, *(hour for window in windows for hour in changed_within(store, window))}
    return merged(Window.hour(hour) for hour in hours)


# --- aggregate, crawl ------------------------------------------------------------------------


def aggregate(windows: Sequence[Window], force: bool = False) -> list[dict[str, Any]]:
    """Rebuild the changed hours of every aggregate table."""
    from bartizan.aggregate.build import build
    from bartizan.aggregate.spec import load_tables

    store, lake, engine = open_store(), open_lake(), open_engine()
    results = [
        build(store, lake, engine, table, windows, force)
        for table in load_tables(settings().sql).values()
    ]
    return [
        {"table": r.table, "windows": [str(w) for w in r.windows], "rows": r.rows} for r in results
    ]


def connector_names() -> list[str]:
    """Folder names under include/sql/connectors; reads no file, so that DAGs parse fast."""
    folder = settings().sql / "connectors"
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
    """Write the live metric files of a connector for the windows."""
    from bartizan.crawl.live import crawl as crawl_live

    return crawl_live(open_engine(), load_connector(name), settings().metrics, windows)


def backfill(name: str, window: Window, dry_run: bool = True) -> dict[str, Any]:
    """Write the historical metric files of a connector for the window, or only count them."""
    from bartizan.crawl.history import backfill as backfill_history

    result = backfill_history(
        open_engine(), load_connector(name), settings().metrics, window, dry_run=dry_run
    )
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
