"""An engine whose source is one Arrow table, for tests of what is done with a query's rows."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from bartizan.engines.base import EngineName, Scan
from bartizan.model.window import Window, naive


class TableEngine:
    """Answers every query with the rows of `table` whose `timestamp` lies in the window."""

    name = EngineName.DUCKDB

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.windows: list[Window] = []

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        self.windows.append(window)
        return self._rows(window)

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        rows = self._rows(window)
        return [Scan("table", None, rows.num_rows, rows.nbytes)]

    def _rows(self, window: Window) -> pa.Table:
        times = self.table["timestamp"]
        inside = pc.and_(
            pc.greater_equal(times, naive(window.start)), pc.less(times, naive(window.end))
        )
        return self.table.filter(inside)
