"""Amazon Redshift by its Data API, provisioned or serverless; rows come by UNLOAD to S3."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Literal

import pyarrow as pa

from bartizan.engines.base import EngineName, Scan
from bartizan.engines.connections import Redshift
from bartizan.engines.guard import admit
from bartizan.engines.redshift_data import DataApi
from bartizan.engines.redshift_files import Files
from bartizan.engines.redshift_text import (
    Given,
    as_columns,
    result_schema,
    statements,
    unload_prefix,
)
from bartizan.errors import TransientError, UsageError
from bartizan.model.window import Window

_ROWS, _GIVEN = "rows/", "given"  # below the prefix of one query


class RedshiftEngine:
    """Runs Redshift's SQL over its tables `<schema>.<table>`, local or of an external schema.

    A query is one batch of statements, thus one session and one transaction: temporary tables for
    what is `given`, the types of the result, the UNLOAD of its rows, and their number.
    `pause` sleeps that many seconds; `clock` tells seconds that only grow.
    """

    name = EngineName.REDSHIFT

    def __init__(
        self,
        connection: Redshift,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._api = DataApi(connection, pause, clock)
        self._files = Files(connection.region)

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
        token = _token(admitted.text)
        try:
            statement = self._submit(admitted.text, token, origin, given)
            self._api.wait(statement, origin)
            return self.fetch(statement, origin)
        finally:
            self._files.remove_all(self._prefix(token))

    def start(self, sql: str, run: str | None = None, origin: str = "query") -> str:
        """Starts an admitted text; the id for `state` and `fetch`, which any process may call.

        The same text of the same `run` is started once: a repeated call answers the id again,
        also after that statement failed, so a run is one attempt.
        """
        return self._submit(sql, _token(sql, run), origin, {})

    def state(self, statement: str, origin: str = "query") -> Literal["running", "finished"]:
        """Where a started query is. Raises as `query` does for one that failed."""
        described = self._api.describe(statement, origin)
        return "finished" if described["Status"] == "FINISHED" else "running"

    def cancel(self, statement: str) -> None:
        """Ends a started query; one that has ended stays as it is."""
        self._api.cancel(statement)

    def fetch(self, statement: str, origin: str = "query") -> pa.Table:
        """Rows of a finished query, once: their files are removed.

        Raises TransientError when the files do not hold the rows that were unloaded.
        """
        parts = self._api.describe(statement, origin).get("SubStatements", [])
        for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
            prefix = unload_prefix(part["QueryString"])
            if prefix is not None and prefix.startswith(self._connection.unload):
                schema = result_schema(self._api.result(before["Id"])["ColumnMetadata"], origin)
                count = self._api.result(after["Id"])["Records"][0][0]["longValue"]
                return self._taken(prefix, schema, count, origin)
        raise UsageError(statement, "is no query of this engine", "give the id that start answered")

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        """The tables the query reads; see `Engine`.

        EXPLAIN checks the query. Its estimates are of rows that pass the filters, from statistics
        of some earlier day, so they are no upper bound of what is read: that stays unknown.
        """
        admitted = admit(query, window, self.name, origin)
        text = f"explain {admitted.text.strip().rstrip(';')}"
        self._api.wait(self._api.submit([text], _token(text), origin), origin)
        return [Scan(table, None, None, None) for table in admitted.tables]

    def _submit(self, sql: str, token: str, origin: str, given: Mapping[str, pa.Table]) -> str:
        prefix = self._prefix(token)
        brought: list[Given] = []
        for table, rows in given.items():
            columns, typed = as_columns(rows, origin)
            uri = f"{prefix}{_GIVEN}{len(brought)}/rows.parquet"
            self._files.put_parquet(uri, typed)
            brought.append(Given(table, columns, uri))
        texts = statements(sql, f"{prefix}{_ROWS}", self._connection.role, brought)
        return self._api.submit(texts, token, origin)

    def _taken(self, prefix: str, schema: pa.Schema, count: int, origin: str) -> pa.Table:
        files = [
            rows.rename_columns(schema.names).cast(schema)
            for rows in self._files.read_unloaded(prefix)
        ]
        table = pa.concat_tables([schema.empty_table(), *files])
        if table.num_rows != count:
            raise TransientError(
                origin,
                f"{count:,} rows were unloaded, {table.num_rows:,} are at {prefix}",
                "start the query again, as another run",
            )
        self._files.remove_all(prefix.removesuffix(_ROWS))
        return table

    def _prefix(self, token: str) -> str:
        return f"{self._connection.unload}{token}/"


def _token(sql: str, run: str | None = None) -> str:
    """Names one execution: the same for the same text of the same run, new without a run."""
    if run is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{run}\n{sql}".encode()).hexdigest()[:32]
