"""What a mirror on S3 and Glue shows is what is committed here, by one commit a table."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from mirrors import COUNTS, DAY, START, MirroredLake, assert_same, aws, rows
from pyiceberg.table import TableProperties

from bartizan.errors import SourceError, TransientError, UsageError
from bartizan.lake.expire import expire
from bartizan.lake.mirror import Mirror, plan, size, update
from bartizan.lake.mirror_table import SNAPSHOT, moved
from bartizan.lake.mirror_target import Target
from bartizan.lake.read import current_files
from bartizan.lake.schemas import TableSpec


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MirroredLake]:
    with aws() as endpoint:
        yield MirroredLake.open(tmp_path_factory.mktemp("shared"), endpoint)


@pytest.fixture
def house(shared: MirroredLake, request: pytest.FixtureRequest) -> MirroredLake:
    """A lake that all tests change, with a mirror of this test's own."""
    return shared.at(request.node.name)


def test_first_run_shows_all_and_the_next_does_nothing(house: MirroredLake) -> None:
    lake, heard = house.small.lake, []
    planned = plan(house.mirror())
    assert house.objects() == {}
    names = [change.name for change in planned]
    assert names[:4] == ["waf.quarantine", "waf.rule_hits", "waf.requests", "agg.counts"]
    done = update(house.mirror(), lambda *progress: heard.append(progress))

    assert_same(house)
    files = [file for name in lake.names() for file in current_files(lake.table(name))]
    assert len(files) >= 4 + 4 + 1
    assert sum(len(change.uploads) for change in planned) == len(files) == len(heard)
    assert heard[-1] == (size(files), size(files))
    assert [change.name for change in done] == names
    for name in ("waf.requests", "agg.counts"):
        [snapshot] = house.table(name).snapshots()
        assert snapshot.summary is not None
        assert snapshot.summary[SNAPSHOT] == str(lake.table(name).metadata.current_snapshot_id)
    before = house.objects()
    assert not any(str(lake.root).encode() in house.body(key) for key in before if "meta" in key)

    assert update(house.mirror()) == []
    assert house.objects() == before


def test_what_left_and_what_came_is_one_commit_a_table(shared: MirroredLake) -> None:
    endpoint, folder = shared.reader.properties["s3.endpoint"], shared.small.lake.root.parent
    house = MirroredLake.open(folder / "own", endpoint).at("own")
    house.update()
    house.land("c", START + DAY)
    house.count(2)
    house.count(3, START + DAY)
    house.compact("waf.requests")
    expire(house.small.lake, "waf.requests", (START + DAY).date(), dry_run=False)

    done = {change.name: (len(change.added), len(change.removed)) for change in house.update()}

    # Of requests two hours of the first day went; two of the second were two files each, now one.
    assert done == {"waf.requests": (2, 4), "waf.rule_hits": (2, 0), "agg.counts": (2, 1)}
    assert_same(house)
    assert len(rows(house.table("waf.requests"))) == 4
    for name in done:
        assert len(house.table(name).snapshots()) == 2, name
    assert house.update() == []


def test_columns_of_a_later_release_arrive(house: MirroredLake) -> None:
    spec = TableSpec("agg.wider", COUNTS.schema, COUNTS.partition)
    house.count(1, spec=spec)
    house.update()
    more = pa.field("more", pa.struct({"mean": pa.float64()}))
    house.small.lake.create(replace(spec, schema=COUNTS.schema.append(more)))
    [change] = house.update()
    assert (change.name, change.added, change.removed) == ("agg.wider", (), ())
    assert house.table("agg.wider").scan().to_arrow()["more"].to_pylist() == [None]

    more = pa.field("more", pa.struct({"mean": pa.float64(), "worst": pa.string()}))
    house.count(2, START + DAY, replace(spec, schema=COUNTS.schema.append(more)))
    house.update()
    assert_same(house)
    later = house.at("later")  # the numbers of the columns are in the order in which they came
    later.update()
    assert_same(later)


def test_manifests_are_merged(house: MirroredLake) -> None:
    house.update()
    table = house.mirror().tables.find("agg.counts", house.small.lake.table("agg.counts"))
    assert table is not None
    with table.transaction() as transaction:
        transaction.set_properties({TableProperties.MANIFEST_MIN_MERGE_COUNT: "3"})
    for number in range(20, 24):
        house.count(number, START + number % 3 * DAY)
        house.update()
    table = house.table("agg.counts")
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert len(snapshot.manifests(table.io)) <= 3
    assert house.shown() == house.held()


def test_two_mirrors_at_once(house: MirroredLake) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(update, [house.mirror(), house.mirror()])
    assert sorted([bool(first), bool(second)]) == [False, True]
    assert house.shown() == house.held()


def test_the_slower_of_two_machines_changes_nothing(house: MirroredLake) -> None:
    """Also where both add the same files: they would show every row twice."""
    mirror = house.mirror()
    for number in (31, 32):  # the one creates the table, the other adds to it
        house.count(number, START + number * DAY)
        stale = next(change for change in plan(mirror) if change.name == "agg.counts")
        assert (stale.remote is None, stale.removed) == (number == 31, ())
        house.update()
        seen = house.table("agg.counts")
        with pytest.raises(TransientError, match="another mirror was first"):
            added = [moved(file, mirror.target.uri(mirror.key(file))) for file in stale.added]
            mirror.tables.commit(stale.name, stale.local, stale.remote, added, stale.removed)
        assert house.table("agg.counts").metadata == seen.metadata
    assert house.shown() == house.held()


def test_a_file_that_changed_or_went_is_not_mirrored(house: MirroredLake) -> None:
    file = current_files(house.small.lake.table("agg.counts"))[0]
    path = Path(file.file_path.removeprefix("file://"))
    content = path.read_bytes()
    path.write_bytes(content + b"more")
    with pytest.raises(SourceError, match="the table says"):
        house.update()
    path.unlink()
    with pytest.raises(TransientError, match="swept"):
        house.update()
    assert "waf.requests" in house.shown()
    assert "agg.counts" not in house.shown()
    path.write_bytes(content)
    house.update()
    assert house.shown() == house.held()


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [
        ("/var/mirror", ""),
        ("gs://bucket/x", ""),
        ("s3://", ""),
        ("s3://b", ""),
        ("s3://Bucket/x", ""),
        ("s3://bucket/../x", ""),
        ("s3://bucket//x", ""),
        ("s3://bucket/a b", ""),
        ("s3://bucket/x?y=1", ""),
        ("s3://bucket/x", "Waf-"),
    ],
)
def test_what_is_no_place_for_a_mirror(uri: str, prefix: str) -> None:
    with pytest.raises(UsageError):
        Target.parse(uri, prefix)


def test_places() -> None:
    root, deep = Target.parse("s3://bucket"), Target.parse("s3://bucket/a/b=1/", "x_")
    assert root.uri(root.folder("waf.requests")) == "s3://bucket/waf/requests/"
    assert deep.uri(deep.folder("agg.counts")) == "s3://bucket/a/b=1/agg/counts/"
    assert deep.identifier("agg.counts") == ("x_agg", "counts")


def test_no_such_bucket(house: MirroredLake) -> None:
    with pytest.raises(UsageError, match=r"s3://nowhere.*no such bucket"):
        Mirror.open(house.small.lake, Target.parse("s3://nowhere/x"))
