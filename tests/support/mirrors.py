"""A lake beside an S3 and a Glue of its own, and readers of the mirror that know nothing of us."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path
from unittest import mock

import boto3
import pyarrow as pa
import s3fs
from lakes import SmallLake, landed, requests
from moto.server import ThreadedMotoServer
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import Table

from bartizan.jobs.upkeep import ledger
from bartizan.lake import replace_window
from bartizan.lake.compact import compact, small_files
from bartizan.lake.mirror import Change, Mirror, update
from bartizan.lake.mirror_target import Target
from bartizan.lake.schemas import TableSpec
from bartizan.model.window import Window, aware

BUCKET = "mirrored"
START = datetime(2026, 11, 1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COUNTS = TableSpec(
    "agg.counts",
    pa.schema({"bucket": pa.timestamp("us"), "event_date": pa.date32(), "n": pa.int64()}),
    ("event_date",),
)


@contextmanager
def aws() -> Iterator[str]:
    """Loopback S3 and Glue, with the environment that leads boto3 and s3fs to them."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        with mock.patch.dict(os.environ, environment):
            s3fs.S3FileSystem.clear_instance_cache()  # those of another server
            yield endpoint
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


@dataclass(frozen=True)
class MirroredLake:
    """A small lake and the place of its mirror; each test has databases of its own."""

    small: SmallLake
    target: Target
    reader: GlueCatalog  # as any other user of Glue has it, with another S3 client than ours

    @classmethod
    def open(cls, folder: Path, endpoint: str) -> MirroredLake:
        """Two landed batches of two hours each on two days, and an aggregate of the first day."""
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        options = {"endpoint": endpoint, "region": "us-east-1"}
        options |= {"access-key-id": "testing", "secret-access-key": "testing"}
        reader = GlueCatalog("reader", **{f"s3.{key}": value for key, value in options.items()})
        house = cls(SmallLake.open(folder), Target.parse(f"s3://{BUCKET}"), reader)
        house.land("a")
        house.land("b", START + DAY)
        house.count(1)
        return house

    def at(self, test: str) -> MirroredLake:
        """The same lake with another mirror, that of a test."""
        name = "".join(letter if letter.isalnum() else "_" for letter in test.lower())
        return replace(self, target=Target.parse(f"s3://{BUCKET}/{name}/lake", f"{name}_"))

    def mirror(self) -> Mirror:
        return Mirror.open(self.small.lake, self.target)

    def update(self) -> list[Change]:
        return update(self.mirror())

    def land(self, name: str, first: datetime = START, hours: int = 2) -> None:
        """A request and a rule hit at each of so many hours."""
        times = [first + number * HOUR for number in range(hours)]
        hits = [{"event_time": time, "rule": name, "terminating": True} for time in times]
        self.small.land(
            name, requests=requests(times, uri=f"/{name}"), rule_hits=landed("rule_hits", hits)
        )

    def count(self, n: int, first: datetime = START, spec: TableSpec = COUNTS) -> None:
        """Replace the aggregate of one day by one row."""
        table = self.small.lake.create(spec)
        row = {"bucket": first, "event_date": first.date(), "n": n}
        rows = pa.Table.from_pylist([row], schema=spec.schema)
        window = Window(aware(first), aware(first) + DAY)
        replace_window(table, rows, window, "bucket", f"built-{n}")

    def compact(self, name: str) -> None:
        for small in small_files(self.small.lake, name, most_files=1):
            compact(self.small.lake, small, ledger(self.small.store))

    def table(self, name: str) -> Table:
        """The mirrored table as it is in Glue now."""
        return self.reader.load_table(self.target.identifier(name))

    def shown(self) -> dict[str, set[str]]:
        """Names of the files that each mirrored table shows now; all of them are there, whole."""
        found, etags = {}, self.objects()
        for name in self.small.lake.names():
            if self.reader.table_exists(self.target.identifier(name)):
                found[name] = set(entries(self.table(name), self.target.uri(self.target.prefix)))
                for file in found[name]:
                    content = (self.small.lake.root / file).read_bytes()
                    assert etags[self.target.prefix + file] == f'"{md5(content).hexdigest()}"'
        return found

    def held(self) -> dict[str, set[str]]:
        """Names of the files that each table of the lake has."""
        lake, root = self.small.lake, f"file://{self.small.lake.root}/"
        return {name: set(entries(lake.table(name), root)) for name in lake.names()}

    def objects(self) -> dict[str, str]:
        """ETags of all objects of the mirror, by key."""
        listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=self.target.prefix)
        return {entry["Key"]: entry["ETag"] for entry in listed.get("Contents", ())}

    def body(self, key: str) -> bytes:
        return boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()


def rows(table: Table) -> list[str]:
    """All rows of a table in any order, each as text: nested columns have no order of their own."""
    return sorted(map(str, table.scan().to_arrow().to_pylist()))


def assert_same(house: MirroredLake) -> None:
    """Every table of the lake and its mirror have the same columns, rows and file entries."""
    names = house.small.lake.names()
    assert names
    for name in names:
        local, remote = house.small.lake.table(name), house.table(name)
        assert remote.schema() == local.schema(), name
        assert remote.spec().fields == local.spec().fields, name
        assert rows(remote) == rows(local), name
        assert entries(remote, house.target.uri(house.target.prefix)) == entries(
            local, f"file://{house.small.lake.root}/"
        ), name


def entries(table: Table, root: str) -> dict[str, list[object]]:
    """Of each data file its partition, size and statistics, by its path below a root."""
    files = [task.file for task in table.scan().plan_files()]
    assert all(file.file_path.startswith(root) for file in files)
    return {
        file.file_path.removeprefix(root): [
            file.partition,
            file.record_count,
            file.file_size_in_bytes,
            file.column_sizes,
            file.value_counts,
            file.null_value_counts,
            file.lower_bounds,
            file.upper_bounds,
            file.split_offsets,
        ]
        for file in files
    }
