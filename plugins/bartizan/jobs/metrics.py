"""Jobs from published rows to metric files."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.here import open_engine, open_lake, open_store, settings
from bartizan.model.connector import NAME
from bartizan.model.text import inert
from bartizan.model.window import HOUR, Window, merged

if TYPE_CHECKING:
    from bartizan.aggregate.build import BuildResult
    from bartizan.crawl.live import CrawlResult
    from bartizan.model.connector import Connector


log = logging.getLogger(__name__)


START_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)


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
