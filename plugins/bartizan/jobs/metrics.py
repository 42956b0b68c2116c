"""Jobs from published rows to metric files."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import yaml

from bartizan.errors import UsageError
from bartizan.jobs.here import open_engine, open_lake, open_store, settings
from bartizan.jobs.sources import arrived
from bartizan.model.connector import LAKE_ENGINE, NAME
from bartizan.model.text import inert
from bartizan.model.window import HOUR, Window, merged, parse_time, without

if TYPE_CHECKING:
    from bartizan.aggregate.build import BuildResult
    from bartizan.crawl.live import CrawlResult
    from bartizan.model.connector import Connector
    from bartizan.store import Store


log = logging.getLogger(__name__)


START_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def aggregate(windows: Sequence[Window] | None, force: bool = False) -> list[BuildResult]:
    """Rebuild the changed hours of every aggregate table, in the windows (None: wherever)."""
    from bartizan.aggregate.build import build_all
    from bartizan.aggregate.spec import load_tables

    tables = load_tables(settings().sql).values()
    return build_all(open_store(), open_lake(), open_engine(), tables, windows, force)


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


class Feed(StrEnum):
    """What a connector's metrics come from: queries of the lake, of another engine, or files that
    others write."""

    LAKE = "lake"
    ENGINE = "engine"
    FILES = "files"


def feed_of(name: str) -> Feed:
    """What a connector's crawl follows: the lake's aggregates, or a schedule of its own.

    Reads one small file, so that DAGs parse fast. What is no YAML fails when it is crawled.
    """
    path = settings().sql / "connectors" / name / "connector.yaml"
    try:
        content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return Feed.LAKE
    if not isinstance(content, dict):
        return Feed.LAKE
    if "source" in content:
        return Feed.FILES
    return Feed.LAKE if content.get("engine", LAKE_ENGINE) == LAKE_ENGINE else Feed.ENGINE


def crawl(name: str, windows: Sequence[Window], catch_up: bool = False) -> CrawlResult:
    """Write the live metric files of a connector for the windows: over the lake as far as data were
    landed, over another engine to their end, which must have passed. Files that others write are
    only looked for.

    `catch_up` goes back by BARTIZAN_LATE, for what an earlier run missed or came too early for; the
    lake announces such hours itself.
    """
    from bartizan.crawl.live import crawl as crawl_live
    from bartizan.crawl.live import due_windows, without_rows
    from bartizan.engines.base import EngineName

    connector, metrics = load_connector(name), settings().metrics
    if connector.reads_lake:
        until = landed_until(open_store())
        return crawl_live(open_engine(), connector, metrics, windows, until)
    until = max((_past(window).end for window in windows), default=START_OF_TIME)
    due = due_windows(connector, windows, until)
    looks_back = bool(due) and catch_up and bool(settings().late)
    before = [Window(due[0].start - settings().late, due[0].start)] if looks_back else []
    if connector.source is not None:
        return arrived(connector, merged([*_unscored(connector, before), *due]))
    # An interval of CloudWatch has rows whether its datapoints came or not: it is asked for again,
    # which costs no more there.
    late = before
    if connector.engine != EngineName.CLOUDWATCH:
        late = [part for window in before for part in without_rows(connector, metrics, window)]
    engine = open_engine(connector.engine, connector.connection)
    return crawl_live(engine, connector, metrics, windows, until, late)


def landed_until(store: Store) -> datetime:
    """The end of the last hour of which requests were landed."""
    from bartizan.store.landing import landed_hours

    return max(landed_hours(store), default=START_OF_TIME) + HOUR


def _unscored(connector: Connector, windows: Sequence[Window]) -> list[Window]:
    """What of the windows comes after the last interval that was scored."""
    from bartizan.store.detectors import load_detector

    scored = load_detector(open_store(), connector.name).scored_through
    return (
        without(windows, [Window(START_OF_TIME, parse_time(scored))]) if scored else list(windows)
    )


def backfill(
    name: str,
    window: Window,
    dry_run: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
    parallel: int = 1,
    force: bool = False,
) -> dict[str, Any]:
    """Write the historical metric files of a connector for the window, or only count them.

    Over the lake it is cut to the hours for which data were landed; raises UsageError when there
    are none. Chunks that are there from the same source are not queried again unless `force`.
    """
    from bartizan.crawl.history import backfill as backfill_history
    from bartizan.crawl.made_by import lake_version

    connector = load_connector(name)
    if connector.source is not None:
        raise UsageError(f"backfill {name}", "its files are written by others", "run detect")
    engine = open_engine(connector.engine, connector.connection)
    lake = open_lake() if connector.reads_lake else None
    windows = [_past(window)] if lake is None else _landed(name, window)
    result = backfill_history(
        engine,
        connector,
        settings().metrics,
        windows,
        on_progress=on_progress,
        dry_run=dry_run,
        parallel=parallel,
        force=force,
        version=lambda part: "" if lake is None else lake_version(lake, connector, part),
    )
    return asdict(result)


def _landed(name: str, window: Window) -> list[Window]:
    from bartizan.store.landing import changed_within

    landed = merged(Window.hour(hour) for hour in changed_within(open_store(), window))
    if not landed:
        raise UsageError(f"backfill {name}", f"nothing was landed in {window}", "land it first")
    return landed


def not_to_come(window: Window) -> Window:
    """The window, if it has passed or was landed: a detector would take one to come for scored, so
    that its data were never looked at. Raises UsageError for any other."""
    return window if window.end <= landed_until(open_store()) else _past(window)


def _past(window: Window) -> Window:
    """The window, if it has passed: what is yet to come would look like nothing delivered."""
    if window.end > datetime.now(UTC):
        raise UsageError("window", f"{window} is not over", "end it in the past")
    return window
