"""What every engine does: run one SELECT over a window and answer in Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from bartizan.model.window import Window


class EngineName(StrEnum):
    """Also the middle of a query file that only one engine can run: `query.<name>.sql`, or
    `query.cloudwatch.yaml`."""

    DUCKDB = "duckdb"
    ATHENA = "athena"
    REDSHIFT = "redshift"
    POSTGRESQL = "postgresql"
    CLOUDWATCH = "cloudwatch"


SQL_ENGINES = (
    EngineName.DUCKDB,
    EngineName.ATHENA,
    EngineName.REDSHIFT,
    EngineName.POSTGRESQL,
)


@dataclass(frozen=True)
class Scan:
    """The most that a query reads of a table (or of all, where an engine tells no more).

    None is "the engine cannot say".
    """

    table: str
    files: int | None
    rows: int | None
    bytes: int | None


class Engine(Protocol):
    """Runs SQL over tables named `<schema>.<table>`; in a lake `waf.<table>` and `agg.<table>`.
    CloudWatch has no SQL: its query names metrics.

    Answers have the same types whatever the engine: int64, double, decimal128, bool, string,
    date32, and timestamp[us] without a zone, in UTC (an instant with a zone is converted).
    """

    @property
    def name(self) -> EngineName: ...

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of `query` over `window`.

        `given` are further small tables by name; a query that has them need not use the window.
        Raises ConfigError naming `origin` for a query that is refused or fails by its own fault,
        TransientError when the engine cannot be reached, is busy, or takes too long.
        """
        ...

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        """What the query would read, without running it. Raises as `query` does."""
        ...
