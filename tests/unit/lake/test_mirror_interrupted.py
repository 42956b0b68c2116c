"""A mirror that is killed anywhere stays readable, and the next run ends what it began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mirrors import DAY, START, MirroredLake, assert_same, aws
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.fsspec import FsspecFileIO

from bartizan.lake.s3 import Bucket


class Killed(BaseException):
    """Nothing that runs after it may count on being run."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MirroredLake]:
    with aws() as endpoint:
        yield MirroredLake.open(tmp_path_factory.mktemp("shared"), endpoint)


@pytest.fixture
def house(shared: MirroredLake, request: pytest.FixtureRequest) -> MirroredLake:
    """A lake that all tests change, with a mirror of this test's own."""
    return shared.at(request.node.name)


FIRST = [
    (Bucket, "upload", 3, False),
    (FsspecFileIO, "new_output", 4, False),  # a manifest
    (GlueCatalog, "_create_glue_table", 3, True),
]
NEXT = [
    (FsspecFileIO, "new_output", 1, False),  # a manifest
    (GlueCatalog, "_update_glue_table", 1, False),
    (GlueCatalog, "_update_glue_table", 2, True),
]


@pytest.mark.parametrize(("of", "step", "number", "after"), FIRST)
def test_killed_in_its_first_run(
    house: MirroredLake, of: type, step: str, number: int, after: bool
) -> None:
    assert_mended(house, of, step, number, after)
    for name in house.small.lake.names():
        assert len(house.table(name).snapshots()) <= 1


@pytest.mark.parametrize(("of", "step", "number", "after"), NEXT)
def test_killed_in_a_later_run(
    house: MirroredLake, of: type, step: str, number: int, after: bool
) -> None:
    house.update()
    house.land(f"{step}-{number}-{after}", START + DAY)
    house.count(number)
    assert_mended(house, of, step, number, after)
    for name in ("waf.requests", "waf.rule_hits", "agg.counts"):
        assert len(house.table(name).snapshots()) == 2


def assert_mended(house: MirroredLake, of: type, step: str, number: int, after: bool) -> None:
    """Killed at that step each table shows what it showed or what it should; then run again."""
    old = house.shown()
    new = house.held()
    assert old != new
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(of, step, dying(getattr(of, step), number, after))
        house.update()
    for name, shown in house.shown().items():
        assert shown in (old.get(name), new[name]), name
    assert house.shown() != new or after

    uploaded = {key for key in house.objects() if "/data/" in key}
    sent: list[str] = []
    upload = Bucket.upload

    def recorded(bucket: Bucket, path: Path, key: str, owner: str) -> None:
        sent.append(key)
        upload(bucket, path, key, owner)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bucket, "upload", recorded)
        house.update()
    assert not uploaded.intersection(sent)
    assert house.shown() == new
    assert house.update() == []


def test_a_commit_whose_answer_was_lost(
    house: MirroredLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retried by the HTTP client, it meets its own first attempt and is refused."""
    house.update()
    house.count(3)
    update_glue = GlueCatalog._update_glue_table

    def refused(*args: Any, **options: Any) -> None:
        update_glue(*args, **options)
        raise CommitFailedException("another version")

    with monkeypatch.context() as patch:
        patch.setattr(GlueCatalog, "_update_glue_table", refused)
        house.update()
    assert_same(house)
    assert len(house.table("agg.counts").snapshots()) == 2
    assert house.update() == []


def dying(step: Callable[..., Any], number: int, after: bool) -> Callable[..., Any]:
    """The step, which kills at its so manieth call, before or after it is done."""
    calls = iter(range(1, 1000))

    def call(*args: Any, **options: Any) -> Any:
        mine = next(calls)
        if mine == number and not after:
            raise Killed
        result = step(*args, **options)
        if mine >= number:
            raise Killed
        return result

    return call
