"""Amazon Athena: queries by its API, rows from the CSV object it leaves in S3."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

import pyarrow as pa

from bartizan.engines.athena_executions import Executions
from bartizan.engines.athena_given import Given, with_tables
from bartizan.engines.athena_results import read_result
from bartizan.engines.base import EngineName, Scan
from bartizan.engines.connections import Athena
from bartizan.engines.guard import admit
from bartizan.engines.objects import Objects
from bartizan.model.window import Window


class AthenaEngine:
    """Runs Athena's SQL over the Glue tables `<database>.<table>` of one data catalog.

    `pause` sleeps that many seconds; `clock` tells seconds that only grow.
    """

    name = EngineName.ATHENA

    def __init__(
        self,
        connection: Athena,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executions = Executions(connection, pause, clock)
        self._objects = Objects(connection.region)
        self._given = Given(connection, self._objects)
        self._keeps_results = connection.reuse_minutes > 0

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of `query` over `window`; see `Engine`. UsageError for a wrong set-up."""
        given = given or {}
        admitted = admit(query, window, self.name, origin, given)
        with self._given.brought(given, origin) as tables:
            execution = self.start(with_tables(admitted.text, tables), origin=origin)
            self._executions.wait(execution, origin)
            return self.fetch(execution, origin)

    def start(self, sql: str, run: str | None = None, origin: str = "query") -> str:
        """Starts an admitted text; the id for `state` and `fetch`, which any process may call.

        The same text of the same `run` is started once: a repeated call answers the id again,
        also after that execution failed, so a run is one attempt.
        """
        return self._executions.start(sql, run, origin)

    def state(self, execution: str, origin: str = "query") -> Literal["running", "finished"]:
        """Where a started query is. Raises as `query` does for one that failed."""
        return self._executions.state(execution, origin)

    def cancel(self, execution: str) -> None:
        """Ends a started query; one that has ended stays as it is."""
        self._executions.cancel(execution)

    def fetch(self, execution: str, origin: str = "query") -> pa.Table:
        """Rows of a finished query, once: its files are removed, unless results are reused."""
        columns = self._executions.columns(execution)
        location = self._executions.result(execution)
        try:
            return read_result(self._objects.get(location), columns, origin)
        finally:
            if not self._keeps_results:
                self._remove(location)

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        """The tables the query reads; see `Engine`.

        EXPLAIN checks the query and reads no data. Its estimates come from table statistics that
        may be absent or old, so they are no upper bound: what is read stays unknown.
        """
        admitted = admit(query, window, self.name, origin)
        execution = self.start(f"explain {admitted.text}", origin=origin)
        self._executions.wait(execution, origin)
        self._remove(self._executions.result(execution))
        return [Scan(table, None, None, None) for table in admitted.tables]

    def _remove(self, location: str) -> None:
        self._objects.remove(location)
        self._objects.remove(f"{location}.metadata")
