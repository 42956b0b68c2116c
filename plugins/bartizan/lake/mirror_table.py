"""The tables of a mirror in Glue: found if they are ours, changed by one commit a time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchIcebergTableError,
    NoSuchPropertyException,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationException,
)
from pyiceberg.manifest import DATA_FILE_TYPE, DataFile
from pyiceberg.table import (
    CreateTableTransaction,
    StagedTable,
    Table,
    TableProperties,
    Transaction,
)
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import AddSchemaUpdate, SetCurrentSchemaUpdate
from pyiceberg.table.update.snapshot import _MergeAppendFiles, _OverwriteFiles

from bartizan.aws_errors import calling
from bartizan.errors import TransientError, UsageError
from bartizan.lake.mirror_target import Target
from bartizan.lake.s3 import client
from bartizan.lake.transaction import transaction

MIRROR_OF = "bartizan.mirror-of"  # of a table: the uuid of the table in the lake
SNAPSHOT = "bartizan.snapshot"  # of a snapshot: the id of the one in the lake


class MirrorTables:
    """The Glue catalog at a target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        # s3fs finds credentials where boto3 finds them; Arrow's own S3 client looks elsewhere.
        self._catalog = GlueCatalog(
            "mirror", client("glue"), **{"py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO"}
        )

    def find(self, name: str, local: Table) -> Table | None:
        """The mirror of a table of the lake; None before it was first mirrored.

        Raises UsageError when something else has its name, or another writer has changed it.
        """
        identifier = self._target.identifier(name)
        thing = f"Glue table {'.'.join(identifier)}"
        try:
            with calling(thing):
                found = self._load(identifier, thing)
        except (NoSuchIcebergTableError, NoSuchPropertyException, ValueError) as error:
            raise _foreign(thing, "is not an Iceberg table") from error
        except NoSuchTableError:
            return None
        owner = found.properties.get(MIRROR_OF)
        if owner is None:
            raise _foreign(thing, "was not made by a mirror")
        if owner != str(local.metadata.table_uuid):
            raise _foreign(thing, f"mirrors another lake's table ({owner})")
        if found.location() != self._location(name):
            raise _foreign(thing, f"has its files at {found.location()}")
        current = found.current_snapshot()
        if current is not None and mirrored_snapshot(found) is None:
            raise UsageError(
                thing,
                f"snapshot {current.snapshot_id} was committed by another writer",
                "switch off table optimizers, drop the table in Glue and mirror again",
            )
        return found

    def _load(self, identifier: tuple[str, str], thing: str) -> Table:
        try:
            return self._catalog.load_table(identifier)
        except FileNotFoundError as error:
            raise _foreign(thing, "has lost its files in S3") from error

    def commit(
        self,
        name: str,
        local: Table,
        remote: Table | None,
        added: Sequence[DataFile],
        removed: Sequence[DataFile],
    ) -> None:
        """Create or change the mirror of a table by one commit.

        `added` are the lake's entries with their paths in the bucket; `removed` are the mirror's.
        Raises TransientError, changing nothing, when another mirror was first.
        """
        thing = f"Glue table {'.'.join(self._target.identifier(name))}"
        try:
            with calling(thing), self._transaction(name, local, remote) as changes:
                if added or removed:
                    _replace(changes, added, removed, local.metadata.current_snapshot_id)
        except (CommitFailedException, ValidationException, TableAlreadyExistsError) as error:
            raise TransientError(thing, "another mirror was first", "run it again") from error

    def _transaction(self, name: str, local: Table, remote: Table | None) -> Transaction:
        if remote is not None:
            changes = transaction(remote)
            _evolve(changes, local)
            return changes
        identifier = self._target.identifier(name)
        if not self._catalog.namespace_exists(identifier[0]):
            self._catalog.create_namespace_if_not_exists(identifier[0])
        return self._creation(identifier, local, self._location(name))

    def _creation(self, identifier: tuple[str, str], local: Table, location: str) -> Transaction:
        # `create_table_transaction` would number the columns anew; the files carry numbers.
        metadata = local.metadata.model_copy(
            update={
                "location": location,
                "table_uuid": uuid.uuid4(),
                "properties": _properties(local),
                "snapshots": [],
                "snapshot_log": [],
                "metadata_log": [],
                "statistics": [],
                "refs": {},
                "current_snapshot_id": None,
                "last_sequence_number": 0,
            }
        )
        io = self._catalog._load_file_io(metadata.properties, location)
        return CreateTableTransaction(
            StagedTable(identifier, metadata, f"{location}/metadata/", io, self._catalog)
        )

    def _location(self, name: str) -> str:
        return self._target.uri(self._target.folder(name)).rstrip("/")


def mirrored_snapshot(remote: Table) -> int | None:
    """Id of the lake's snapshot that a mirror shows; None if it shows none of them."""
    current = remote.current_snapshot()
    if current is None or current.summary is None:
        return None
    found = current.summary.additional_properties.get(SNAPSHOT)
    return None if found is None else int(found)


def moved(file: DataFile, uri: str) -> DataFile:
    """The same entry at another path."""
    names = [field.name for field in DATA_FILE_TYPE[2].fields]
    values = dict(zip(names, (file[at] for at in range(len(file))), strict=True))
    return DataFile.from_args(2, **values | {"file_path": uri})


def evolved(local: Table, remote: Table) -> bool:
    """Whether the lake's table has columns, or names for them, that its mirror lacks."""
    named = remote.properties.items() >= _properties(local).items()
    return not named or remote.schema() != local.schema()


def _evolve(changes: Transaction, local: Table) -> None:
    metadata = changes.table_metadata
    if metadata.schema() != local.schema():
        schema = local.schema()
        newest = SetCurrentSchemaUpdate.model_validate({"schema-id": -1})
        changes._apply((AddSchemaUpdate(schema=schema), newest))
    if not metadata.properties.items() >= _properties(local).items():
        changes.set_properties(_properties(local))


def _properties(local: Table) -> dict[str, str]:
    ours = {
        MIRROR_OF: str(local.metadata.table_uuid),
        TableProperties.MANIFEST_MERGE_ENABLED: "true",
    }
    mapping = local.properties.get(TableProperties.DEFAULT_NAME_MAPPING)
    return ours if mapping is None else ours | {TableProperties.DEFAULT_NAME_MAPPING: mapping}


def _replace(
    changes: Transaction,
    added: Sequence[DataFile],
    removed: Sequence[DataFile],
    snapshot_id: int | None,
) -> None:
    with _Replacement(
        operation=Operation.OVERWRITE if removed else Operation.APPEND,
        transaction=changes,
        io=changes._table.io,
        snapshot_properties={SNAPSHOT: str(snapshot_id)},
    ) as replacement:
        for file in added:
            file.spec_id = changes.table_metadata.default_spec_id
            replacement.append_data_file(file)
        for file in removed:
            replacement.delete_data_file(file)


class _Replacement(_OverwriteFiles, _MergeAppendFiles):
    """Adds and takes out files by one snapshot, and merges manifests when there are a hundred.

    Without the merging a mirror that runs every hour would have thousands of them after a year,
    each an object that readers open. A commit that fails is tried again only if nobody else
    committed: what is to change was found in the snapshot before.
    """

    def _validate_concurrency(self) -> None:
        if self._commit_window is not None and not self._commit_window.is_empty():
            raise ValidationException("another writer committed first")


def _foreign(thing: str, what: str) -> UsageError:
    return UsageError(thing, what, "give another --database-prefix, or drop it in Glue")
