"""Iceberg transactions that work the table's metadata out once for each change.

pyiceberg does so every time that a commit looks at it, some sixteen times, and copies all of it:
most of the time of a small commit, and more with every snapshot that the table keeps.
"""

from __future__ import annotations

from typing import Any

from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata


def transaction(table: Table) -> Transaction:
    """To be used as `with transaction(table) as changes`: committed at its end."""
    return _Transaction(table)


class _Transaction(Transaction):
    _known: tuple[Any, Any, TableMetadata] | None = None  # made of what; what came of it

    @property
    def table_metadata(self) -> TableMetadata:
        base, updates = self._table.metadata, self._updates
        known = self._known
        if known is None or known[0] is not base or known[1] is not updates:
            known = self._known = (base, updates, super().table_metadata)
        return known[2]
