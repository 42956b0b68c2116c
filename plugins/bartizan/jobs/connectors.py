"""Jobs for those who write connectors."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.errors import ConfigError, UsageError
from bartizan.jobs.here import has_home, open_engine, open_store, require_home, settings
from bartizan.jobs.metrics import connector_names, load_connector
from bartizan.jobs.sources import check_files
from bartizan.model.window import Window, floor, parse_duration

if TYPE_CHECKING:
    from bartizan.model.connector import Connector
    from bartizan.store import Store


def list_connectors() -> list[dict[str, Any]]:
    """Every folder under include/sql/connectors: its metrics and detector, or what is wrong."""
    folder = settings().sql / "connectors"
    found = sorted(path.parent for path in folder.glob("*/connector.yaml"))
    store = open_store() if has_home() else None
    return [_listed(one, store) for one in found]


def _listed(folder: Path, store: Store | None) -> dict[str, Any]:
    from bartizan.crawl.config import load_connector as load
    from bartizan.store.detectors import load_detector

    try:
        connector = load(folder)
    except ConfigError as error:
        return {"name": folder.name, "error": str(error)}
    return {
        "name": connector.name,
        "from": "files" if connector.source else connector.engine,
        "every": str(connector.frequency),
        "dimensions": ",".join(connector.dimensions),
        "measures": ",".join(measure.name for measure in connector.measures),
        "detector": load_detector(store, connector.name).state.value if store else "no home yet",
        "description": connector.description,
    }


def check_connector(which: str, window: Window | None = None) -> dict[str, Any]:
    """Try a connector, given by name or folder, without writing anything: over the window, or else
    over the last of its intervals that is due."""
    from bartizan.crawl.check import check

    connector = _connector_at(which)
    if connector.reads_lake:
        require_home()
    over = window or _last_interval(connector)
    if connector.source is not None:
        return check_files(connector, over.aligned(connector.frequency))
    engine = open_engine(connector.engine, connector.connection)
    result = check(connector, engine, over)
    return asdict(result) | {
        "window": str(over),
        "intervals": len(list(over.split(connector.frequency))),
        "reads": [asdict(scan) for scan in engine.scans(connector.query, over, connector.origin)],
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


def import_connector(original: Path, name: str, engine: str | None = None) -> dict[str, Any]:
    """Convert the folder of an original Lookout for Metrics connector; the folder stays.

    Raises UsageError for an engine that does not exist.
    """
    from bartizan.crawl.lookout import import_connector as convert
    from bartizan.engines.base import SQL_ENGINES, EngineName

    if engine is not None and engine not in SQL_ENGINES:
        raise UsageError("--engine", f"{engine!r} is unknown", f"one of {', '.join(SQL_ENGINES)}")
    run_by = EngineName(engine) if engine else None
    return asdict(convert(original, settings().sql / "connectors", name, run_by))


def publish_zeros(name: str, namespace: str, window: Window, write: bool = False) -> dict[str, Any]:
    """Write the zeros that CloudWatch leaves out of a connector's metrics to a namespace of one's
    own, or only count them. Raises UsageError for a connector over another engine."""
    from bartizan.engines import cloudwatch_zeros
    from bartizan.engines.cloudwatch import CloudWatchEngine

    connector = load_connector(name)
    engine = open_engine(connector.engine, connector.connection)
    if not isinstance(engine, CloudWatchEngine):
        raise UsageError(f"connector {name}", "is not over cloudwatch", "name one that is")
    measured = engine.measured(connector.query, window, connector.origin)
    now = datetime.now(UTC)
    return asdict(cloudwatch_zeros.publish_zeros(engine.api, measured, namespace, now, write))


def calendar_entries(file: Path, timezone: str) -> dict[str, Any]:
    """The events of an .ics file as entries of a calendar, and what is left out."""
    from bartizan.ics import read_ics

    found = read_ics(file, timezone)
    return {"entries": list(found.entries), "left_out": list(found.left_out)}


def _connector_at(which: str) -> Connector:
    from bartizan.crawl.config import load_connector as load

    folder = Path(which)
    if which in connector_names() or not folder.is_dir():
        return load_connector(which)
    return load(folder.resolve())


def _last_interval(connector: Connector) -> Window:
    """The last interval that is due: over the lake of those that landed, else of all."""
    from bartizan.store.landing import landed_hours

    if not connector.reads_lake:
        end = floor(datetime.now(UTC) - connector.offset, connector.frequency)
        return Window(end - connector.frequency, end)
    hours = landed_hours(open_store())
    if not hours:
        raise UsageError(
            "window", "nothing was landed yet", "land first, or give --start and --end"
        )
    end = Window.hour(hours[-1]).aligned(connector.frequency).end
    return Window(end - connector.frequency, end)
