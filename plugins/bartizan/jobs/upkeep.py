"""Jobs that keep the lake healthy."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from bartizan.jobs.here import open_lake, open_store, settings
from bartizan.model.landing import BatchState

if TYPE_CHECKING:
    from bartizan.lake.batches import Ledger
    from bartizan.store import Store

GRACE_HOURS = 24


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
            done = compact(lake, small, ledger(store))
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


def sweep_lake(
    at: datetime,
    grace: timedelta = timedelta(hours=GRACE_HOURS),
    dry_run: bool = True,
    list_files: bool = True,
) -> list[dict[str, Any]]:
    """Forget snapshots and delete files unused for `grace` at `at`, or only list them.

    A row's `files` are their paths, or how many there are unless `list_files`.
    """
    from bartizan.lake.sweep import sweep

    store, lake = open_store(), open_lake()
    found = [sweep(lake, name, at, ledger(store), grace, dry_run) for name in lake.names()]
    return [asdict(one) | ({} if list_files else {"files": len(one.files)}) for one in found]


def lake_ddl(
    engine: Literal["athena", "redshift"], location: str = "", role: str = "default"
) -> dict[str, str]:
    """Statements by name, in order, that show the lake's tables to an engine at AWS.

    Athena needs the s3:// `location` of the tables, Redshift the `role` that reads them.
    """
    from bartizan.aggregate import load_tables
    from bartizan.lake import ddl
    from bartizan.lake.schemas import LANDED

    sql = settings().sql
    tables = [*LANDED.values(), *(table.spec for table in load_tables(sql).values())]
    if engine == "athena":
        return ddl.athena(tables, location, sql)
    return ddl.redshift(tables, role, sql)


def ledger(store: Store) -> Ledger:
    """What the landing ledger says about its batches, whenever it is asked."""
    from bartizan.lake.batches import Batches
    from bartizan.store.landing import in_state, unpublished

    return lambda: Batches(
        published=frozenset(in_state(store, BatchState.PUBLISHED)),
        unfinished=frozenset(unpublished(store, rejected=True)),
    )
