"""An engine whose source is one Arrow table, for tests of what is done with a query's rows."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from bartizan.model.window import Window, naive


class TableEngine:
    """Answers every query with the rows of `table` whose `timestamp` lies in the window."""

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
        times = self.table["timestamp"]
        inside = pc.and_(
            pc.greater_equal(times, naive(window.start)), pc.less(times, naive(window.end))
        )
        return self.table.filter(inside)
