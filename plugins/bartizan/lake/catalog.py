"""Opens a lake folder and its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from bartizan.lake.evolution import evolve
from bartizan.lake.lock import locked
from bartizan.lake.schemas import LANDED, TableSpec


@dataclass(frozen=True)
class Lake:
    """A folder with an Iceberg catalog (SQLite) and one folder per table."""

    root: Path
    catalog: SqlCatalog

    @classmethod
    def open(cls, root: Path) -> Lake:
        """Open the lake at `root`, creating the folder and the landing tables at first use.

        Columns that an earlier release did not know are added. Raises UsageError when a table has
        a column that this release lacks, or knows with another type.
        """
        root.mkdir(parents=True, exist_ok=True)
        with locked(root, "open"):  # several workers may be the first
            catalog = SqlCatalog(
                "bartizan",
                uri=f"sqlite:///{root / 'catalog.db'}?timeout=60",
                warehouse=f"file://{root}",
            )
            lake = cls(root, catalog)
            for spec in LANDED.values():
                lake._create(spec)
        return lake

    def create(self, spec: TableSpec) -> Table:
        """The table of `spec`, created if it does not exist yet, else with its columns added.

        Raises UsageError when the table has a column that `spec` lacks or has with another type.
        """
        with locked(self.root, "open"):
            return self._create(spec)

    def _create(self, spec: TableSpec) -> Table:
        if self.catalog.table_exists(spec.name):
            table = self.catalog.load_table(spec.name)
            evolve(table, spec)
            return table
        self.catalog.create_namespace_if_not_exists(spec.name.split(".", maxsplit=1)[0])
        with (
            self.catalog.create_table_transaction(
                spec.name, schema=spec.schema, properties={"format-version": "2"}
            ) as transaction,
            transaction.update_spec() as update,
        ):
            for column in spec.partition:
                update.add_identity(column)
        return self.catalog.load_table(spec.name)

    def table(self, name: str) -> Table:
        """An existing table by its full name, such as `waf.requests`."""
        return self.catalog.load_table(name)

    def names(self) -> list[str]:
        """Full names of all tables, sorted."""
        return sorted(
            ".".join(identifier)
            for namespace in self.catalog.list_namespaces()
            for identifier in self.catalog.list_tables(namespace)
        )

    def data_path(self, name: str) -> Path:
        """Folder for data files of a table. Files in it are invisible until they are published."""
        return self.root.joinpath(*name.split("."), "data")
