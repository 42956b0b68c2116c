"""Counts what the records of a batch hold that has no column: schema drift.

Names in another spelling and the known variants that normalise.py brings into shape have a column
and are no drift; only what is left in `extra` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.land.shape import RECORD, Shape
from bartizan.model.text import short
from bartizan.model.window import HOUR, floor
from bartizan.store.drift import Drift, DriftKind

MOST_PATHS = 200  # of a batch: a forwarder may turn what clients send into names of members
OTHER = "(other)"
_PATH_CHARACTERS = 200

_ENTRIES = r"""
create or replace temp table drift_entries as
select
    record,
    event_ms,
    left(regexp_replace(entry.key, '\[\d+\]', '[]', 'g'), $characters) as path,
    case entry.value[1]
        when '{' then 'object' when '[' then 'array' when '"' then 'string'
        when 't' then 'boolean' when 'f' then 'boolean' when 'n' then 'null'
        else 'number'
    end as json_type
from (
    select row_number() over () as record, event_ms, unnest(map_entries(extra)) as entry
    from drifted
)
"""

_NEW_PATHS = """
select path from drift_entries where not list_contains($known, path)
group by path order by count(*) desc, path limit $free
"""

_BY_PATH = """
select
    case when list_contains($known, path) then path else $other end as path_or_other,
    min(json_type),
    count(distinct record),
    min(event_ms)
from drift_entries group by path_or_other
"""


class DriftCounts:
    """Drift of one batch, table by table of its rows.

    The first 200 paths to appear are named, of those new in a table the most frequent; all others
    are counted together as `(other)`.
    """

    def __init__(self) -> None:
        self._by_path: dict[str, Drift] = {}

    def add(self, connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
        """Count the drift in rows of waf.requests. Costs nothing where `extra` is all NULL."""
        extra = rows.column("extra")
        if extra.null_count == len(extra):
            return
        connection.register(
            "drifted", rows.select(["event_ms", "extra"]).filter(pc.is_valid(extra))
        )
        connection.execute(_ENTRIES, {"characters": _PATH_CHARACTERS})
        connection.unregister("drifted")
        known = [path for path in self._by_path if path != OTHER]
        free = {"known": known, "free": MOST_PATHS - len(known)}
        known += [path for (path,) in connection.execute(_NEW_PATHS, free).fetchall()]
        counted = connection.execute(_BY_PATH, {"known": known, "other": OTHER}).fetchall()
        for path, json_type, records, first_ms in sorted(counted):
            hour = floor(datetime.fromtimestamp(first_ms / 1000, UTC), HOUR)
            found = Drift(path, _kind(path), json_type, records, hour)
            _merge(self._by_path, path, found)

    def found(self) -> list[Drift]:
        """The drift so far, by path; paths are inert text of at most 200 characters."""
        shown: dict[str, Drift] = {}
        for path, drift in sorted(self._by_path.items()):
            name = short(path, _PATH_CHARACTERS)
            _merge(shown, f"{name}\x1f{drift.kind}", replace(drift, path=name))
        return list(shown.values())


def _merge(found: dict[str, Drift], key: str, drift: Drift) -> None:
    """Add `drift` to what `found` holds under `key`."""
    before = found.get(key, replace(drift, records=0))
    found[key] = replace(
        drift,
        json_type=min(before.json_type, drift.json_type),
        records=before.records + drift.records,
        first_hour=min(before.first_hour, drift.first_hour),
    )


def _kind(path: str) -> DriftKind:
    """A documented path has a column, so its value must be one that the column cannot hold."""
    return DriftKind.OTHER_TYPE if path.lower() in _COLUMNS else DriftKind.UNKNOWN_FIELD


def _documented(shape: Shape, path: str = "") -> Iterator[str]:
    """The folded paths of everything that has a column, in lower case."""
    if path:
        yield path.lower()
    if isinstance(shape, dict):
        for name, member in shape.items():
            yield from _documented(member, f"{path}.{name}" if path else name)
    elif isinstance(shape, list):
        yield from _documented(shape[0], f"{path}[]")


_COLUMNS = frozenset(_documented(RECORD))
