"""A mirror neither replaces nor deletes what it did not write, and nothing that a reader needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from lakes import SmallLake
from mirrors import BUCKET, DAY, HOUR, START, MirroredLake, assert_same, aws, rows
from typer.testing import CliRunner

from bartizan.aws_errors import calling
from bartizan.cli import app
from bartizan.errors import BartizanError, TransientError, UsageError
from bartizan.lake.mirror import plan, update
from bartizan.lake.mirror_sweep import MirrorSweep, sweep_mirror
from bartizan.lake.s3 import Bucket
from bartizan.lake.schemas import LANDED

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MirroredLake]:
    with aws() as endpoint:
        yield MirroredLake.open(tmp_path_factory.mktemp("shared"), endpoint)


@pytest.fixture
def house(shared: MirroredLake, request: pytest.FixtureRequest) -> MirroredLake:
    """A lake that all tests change, with a mirror of this test's own."""
    return shared.at(request.node.name)


def swept(house: MirroredLake, at: datetime, dry_run: bool = False) -> dict[str, MirrorSweep]:
    found = sweep_mirror(house.mirror(), at, 24 * HOUR, dry_run)
    return {one.table: one for one in found if one.files or one.snapshots}


def test_sweep_deletes_what_no_snapshot_of_the_last_day_needs(house: MirroredLake) -> None:
    assert len(house.small.lake.table("waf.requests").snapshots()) == 2, "is the first test"
    house.update()
    house.land("c")
    house.count(2)
    house.compact("waf.requests")
    house.update()
    before = house.objects()
    assert swept(house, NOW + 23 * HOUR) == {}
    foreign = f"{house.target.folder('waf.requests')}data/theirs.parquet"
    notes = f"{house.target.folder('waf.requests')}metadata/notes.json"
    for key in (foreign, notes):
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"theirs")

    planned = swept(house, NOW + 26 * HOUR, dry_run=True)
    assert before.items() <= house.objects().items()
    done = swept(house, NOW + 26 * HOUR)

    assert done == planned
    assert sorted(done) == ["agg.counts", "waf.requests", "waf.rule_hits"]
    assert all(one.snapshots == 1 for one in done.values())
    data = {name: sum("/data/" in file for file in one.files) for name, one in done.items()}
    # Those of the two hours that were compacted with files that were never mirrored.
    assert data == {"agg.counts": 1, "waf.requests": 2, "waf.rule_hits": 0}
    assert {foreign, notes} <= house.objects().keys()
    assert_same(house)
    assert swept(house, NOW + 26 * HOUR) == {}


def test_sweep_keeps_what_was_uploaded_and_not_committed(
    house: MirroredLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bartizan.lake.mirror_table._replace", interrupted)
        house.update()
    uploaded = {key for key in house.objects() if "/data/" in key}
    assert uploaded
    swept(house, NOW + 26 * HOUR)
    assert uploaded <= house.objects().keys()
    house.update()
    assert house.shown() == house.held()


def test_grace_is_an_hour_at_least(house: MirroredLake) -> None:
    with pytest.raises(UsageError, match="too short"):
        sweep_mirror(house.mirror(), NOW, timedelta(minutes=59))


def test_tables_of_others_are_refused(house: MirroredLake, tmp_path: Path) -> None:
    glue, database = boto3.client("glue"), f"{house.target.database_prefix}waf"
    glue.create_database(DatabaseInput={"Name": database})
    hive = {"Name": "requests", "TableType": "EXTERNAL_TABLE", "Parameters": {}}
    glue.create_table(DatabaseName=database, TableInput=hive)
    refused(house, "is not an Iceberg table")
    glue.delete_table(DatabaseName=database, Name="requests")

    house.reader.create_table(
        (database, "requests"), house.small.lake.table("waf.requests").schema(), "s3://mirrored/t"
    )
    refused(house, "was not made by a mirror")
    glue.delete_table(DatabaseName=database, Name="requests")

    house.update()
    other = replace(house, small=SmallLake.open(tmp_path))
    refused(other, "another lake")
    refused(replace(house, target=replace(house.target, prefix="elsewhere/")), "has its files at")

    counts = house.table("agg.counts")
    theirs = {"bucket": START + DAY, "event_date": START.date(), "n": 9}
    counts.append(pa.Table.from_pylist([theirs], schema=counts.schema().as_arrow()))
    refused(house, "by another writer")
    assert str(theirs) in rows(house.table("agg.counts"))
    with pytest.raises(UsageError, match="by another writer"):
        sweep_mirror(house.mirror(), NOW + 2 * DAY, DAY, dry_run=False)


def test_objects_of_others_are_not_replaced(house: MirroredLake) -> None:
    file = min(house.held()["waf.requests"])
    boto3.client("s3").put_object(Bucket=BUCKET, Key=house.target.prefix + file, Body=b"theirs")
    refused(house, f"{file}: is there")


def refused(house: MirroredLake, why: str) -> None:
    """Neither planned nor mirrored; no object comes or goes."""
    before = house.objects()
    for call in (plan, update):
        with pytest.raises(UsageError, match=why):
            call(house.mirror())
    assert house.objects() == before


@pytest.mark.parametrize(
    ("code", "status", "kind", "remedy"),
    [
        ("AccessDenied", 403, UsageError, "docs/lake.md"),
        ("NoSuchBucket", 404, UsageError, "no such bucket"),
        ("PermanentRedirect", 301, UsageError, "AWS_DEFAULT_REGION"),
        ("SlowDown", 503, TransientError, "retry"),
        ("InternalError", 500, TransientError, "retry"),
    ],
)
def test_errors_say_what_to_do(
    code: str, status: int, kind: type[BartizanError], remedy: str
) -> None:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = ClientError(answer, "PutObject")
    with pytest.raises(kind, match=remedy), calling("s3://b/k"):
        raise error
    with pytest.raises(kind, match=remedy), calling("s3://b/k"):
        raise PermissionError("as s3fs does") from error


def test_objects_that_may_not_be_deleted(
    house: MirroredLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(BUCKET)
    answer = {"Errors": [{"Key": "k", "Code": "AccessDenied"}]}
    monkeypatch.setattr(bucket._s3, "delete_objects", lambda **options: answer)
    with pytest.raises(UsageError, match="s3:DeleteObject"):
        bucket.delete(["k"])


def test_command_tells_first_and_then_does(
    house: MirroredLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, uri = house.small.lake.root, house.target.uri(house.target.prefix)
    monkeypatch.setenv("BARTIZAN_LAKE", str(root))
    monkeypatch.setenv("BARTIZAN_STORE", f"sqlite:///{root / 'store.db'}")

    def run(*options: str) -> list[dict[str, object]]:
        result = CliRunner().invoke(app, ["lake", "mirror", "--json", *options])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    missing = CliRunner().invoke(app, ["lake", "mirror"])
    assert isinstance(missing.exception, UsageError)
    assert "BARTIZAN_MIRROR" in str(missing.exception)

    named = ("--to", uri, "--database-prefix", house.target.database_prefix)
    told = run(*named)
    assert house.objects() == {}
    assert [row["table"] for row in told] == [*reversed(LANDED), "agg.counts"]
    assert all(row["files_uploaded"] == row["files_added"] for row in told)
    monkeypatch.setenv("BARTIZAN_MIRROR", uri)
    monkeypatch.setenv("BARTIZAN_MIRROR_PREFIX", house.target.database_prefix)
    assert run("--yes") == told
    assert house.shown() == house.held()
    assert run("--yes") == []
    assert sum(len(row["files"]) for row in run("--sweep", "--yes")) == 0


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt
