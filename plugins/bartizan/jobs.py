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
from bartizan.errors import BartizanError, ConfigError, UsageError, ValidationFailed
from bartizan.model.connector import NAME
from bartizan.model.landing import BatchState
from bartizan.model.text import inert
from bartizan.model.window import DAY, HOUR, Window, format_time, merged, parse_duration, parse_time

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from bartizan.aggregate.build import BuildResult
    from bartizan.crawl.live import CrawlResult
    from bartizan.engines import DuckDBEngine
    from bartizan.lake import Lake
    from bartizan.lake.batches import Ledger
    from bartizan.land.run import LandReport
    from bartizan.model.connector import Connector
    from bartizan.overview import Overview
    from bartizan.reconcile import Reconciliation
    from bartizan.simulate import SimulationPlan
    from bartizan.store import Store


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


def land(window: Window | None, on_progress: Callable[[int, int], None]) -> LandReport:
    """Land everything new: the tasks below in a row; rejected batches are tried again."""
    from bartizan.land.redact import Redaction
    from bartizan.land.run import land as land_all
    from bartizan.validate.run import validate

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


# --- reconcile -------------------------------------------------------------------------------


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
    """Folder names under include/sql/connectors; reads no file, so that DAGs parse fast.

    A name unfit for DAG ids is left out with a warning: it must not take the others with it.
    """
    folder = settings().sql / "connectors"
    if not folder.is_dir():
        raise UsageError(
            "connectors", f"{folder} is not a folder", "set BARTIZAN_SQL to include/sql"
        )
    names = sorted(path.parent.name for path in folder.glob("*/connector.yaml"))
    for name in names:
        if not NAME.fullmatch(name):
            log.warning("no connector name, left out: %s", inert(name))
    return [name for name in names if NAME.fullmatch(name)]


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


# --- connectors ------------------------------------------------------------------------------


def list_connectors() -> list[dict[str, Any]]:
    """Every folder under include/sql/connectors: its metrics and detector, or what is wrong."""
    folder = settings().sql / "connectors"
    found = sorted(path.parent for path in folder.glob("*/connector.yaml"))
    store = open_store()
    return [_listed(one, store) for one in found]


def _listed(folder: Path, store: Store) -> dict[str, Any]:
    from bartizan.crawl.config import load_connector as load
    from bartizan.store.detectors import load_detector

    try:
        connector = load(folder)
    except ConfigError as error:
        return {"name": folder.name, "error": str(error)}
    return {
        "name": connector.name,
        "every": str(connector.frequency),
        "dimensions": ",".join(connector.dimensions),
        "measures": ",".join(measure.name for measure in connector.measures),
        "detector": load_detector(store, connector.name).state.value,
        "description": connector.description,
    }


def check_connector(which: str, window: Window | None = None) -> dict[str, Any]:
    """Try a connector, given by name or folder, without writing anything: over the window, or else
    over the last of its intervals for which data were landed."""
    from bartizan.crawl.check import check
    from bartizan.crawl.scan import scans

    connector = _connector_at(which)
    over = window or _last_interval(connector)
    result = check(connector, open_engine(), over)
    return asdict(result) | {
        "window": str(over),
        "intervals": len(list(over.split(connector.frequency))),
        "reads": [asdict(scan) for scan in scans(open_lake(), connector.query, over)],
    }


def new_connector(
    name: str,
    measures: Sequence[str],
    dimensions: Sequence[str],
    table: str,
    frequency: str | None = None,
) -> str:
    """Scaffold a connector over an aggregate table `agg.<name>`; returns its folder."""
    from bartizan.aggregate.spec import load_tables
    from bartizan.crawl.folder import create
    from bartizan.crawl.scaffold import Source, Wanted, connector_yaml, query_sql

    tables = {spec.spec.name: spec for spec in load_tables(settings().sql).values()}
    if table not in tables:
        raise UsageError("--from", f"{table!r} is no aggregate", f"known: {', '.join(tables)}")
    source = Source(table, tables[table].frequency, dict(tables[table].columns))
    wanted = Wanted(
        measures=tuple(dict.fromkeys(measures)),
        dimensions=tuple(dict.fromkeys(dimensions)),
        frequency=parse_duration(frequency) if frequency else None,
    )
    query, description = query_sql(source, wanted), connector_yaml(source, wanted)
    return str(create(settings().sql / "connectors", name, description, query))


def import_connector(original: Path, name: str) -> dict[str, Any]:
    """Convert the folder of an original Lookout for Metrics connector; the folder stays."""
    from bartizan.crawl.lookout import import_connector as convert

    return asdict(convert(original, settings().sql / "connectors", name))


def _connector_at(which: str) -> Connector:
    from bartizan.crawl.config import load_connector as load

    folder = Path(which)
    if which in connector_names() or not folder.is_dir():
        return load_connector(which)
    return load(folder.resolve())


def _last_interval(connector: Connector) -> Window:
    from bartizan.store.landing import landed_hours

    hours = landed_hours(open_store())
    if not hours:
        raise UsageError(
            "window", "nothing was landed yet", "land first, or give --start and --end"
        )
    end = Window.hour(hours[-1]).aligned(connector.frequency).end
    return Window(end - connector.frequency, end)


# --- lake ------------------------------------------------------------------------------------


def compact_lake(
    dry_run: bool = True, on_progress: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Merge the small files of every table, partition by partition, or only list them."""
    from bartizan.lake.compact import compact, small_files

    store, lake = open_store(), open_lake()
    found = [small for name in lake.names() for small in small_files(lake, name)]
    rows = []
    for number, small in enumerate(found):
        if on_progress is not None:
            on_progress(number, len(found))
        row: dict[str, Any] = {
            "table": small.table,
            "partition": str(small.folder.relative_to(lake.data_path(small.table))),
            "files": len(small.files),
            "bytes": small.bytes,
            "rows": small.rows,
        }
        if not dry_run:
            done = compact(lake, small, _ledger(store))
            row |= {"files_after": done.files, "bytes_after": done.bytes}
        rows.append(row)
    return rows


def expire_lake(at: datetime, dry_run: bool = True) -> list[dict[str, Any]]:
    """Take out the days that BARTIZAN_RETENTION no longer keeps at `at`, or only list them."""
    from bartizan.lake.expire import expire
    from bartizan.lake.retention import first_days, parse_retention

    lake = open_lake()
    name = "BARTIZAN_RETENTION"
    days = parse_retention(os.environ.get(name, ""), name)
    found = [expire(lake, *limit, dry_run) for limit in first_days(lake, days, at).items()]
    return [
        {
            "table": one.table,
            "keeps_from": one.first.isoformat(),
            "days": [day.isoformat() for day in one.days],
            "files": one.files,
            "bytes": one.bytes,
            "rows": one.rows,
        }
        for one in found
    ]


def sweep_lake(at: datetime, grace: timedelta, dry_run: bool = True) -> list[dict[str, Any]]:
    """Forget snapshots and delete files unused for `grace` at `at`, or only list them."""
    from bartizan.lake.sweep import sweep

    store, lake = open_store(), open_lake()
    found = [sweep(lake, name, at, _ledger(store), grace, dry_run) for name in lake.names()]
    return [asdict(one) for one in found]


def _ledger(store: Store) -> Ledger:
    from bartizan.lake.batches import Batches
    from bartizan.store.landing import in_state, unpublished

    return lambda: Batches(
        published=frozenset(in_state(store, BatchState.PUBLISHED)),
        unfinished=frozenset(unpublished(store, rejected=True)),
    )


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
