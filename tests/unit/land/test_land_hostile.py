"""Nothing in a folder of hostile objects crashes landing or costs a good record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hostile import CLOUDWATCH_AND_ZSTD, KINDS, Hostile, hostile_folder
from hostile_maker import good
from hostile_texts import SEPARATORS
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_worker import accept
from upath import UPath
from waf_logs import line, lines, record_at

from bartizan.config import store_in
from bartizan.lake import Lake, planned_files
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.run import land
from bartizan.model.landing import ObjectCounts
from bartizan.store.database import Store
from bartizan.store.landing import object_counts

_OF_THE_FILE = {"source_object", "source_offset", "batch_id"}


@dataclass(frozen=True)
class Landed:
    requests: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]
    objects: dict[str, ObjectCounts]


def landed(root: Path, source: Path) -> Landed:
    """Everything below `source` in a new lake."""
    lake = Lake.open(root)
    store = Store.open(store_in(root))
    land(store, lake, UPath(source), validator=accept, workers=1)

    def rows(name: str) -> list[dict[str, Any]]:
        files = planned_files(lake.table(name))
        return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]

    requests, quarantine = rows("waf.requests"), rows("waf.quarantine")
    batches = {row["batch_id"] for row in [*requests, *quarantine]}
    counts = [one for batch_id in batches for one in object_counts(store, batch_id)]
    return Landed(requests, quarantine, {one.uri: one for one in counts})


def values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _OF_THE_FILE}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Hostile], Landed, Landed]:
    """The objects, what landed of them, and what lands of the good records alone."""
    root = tmp_path_factory.mktemp("hostile")
    objects = hostile_folder(root / "raw", kinds=KINDS + CLOUDWATCH_AND_ZSTD)
    numbers = sorted(number for one in objects for number in one.sure + one.torn)
    assert len(numbers) == len(set(numbers)) > 800
    (root / "clean").mkdir()
    (root / "clean" / "all.log").write_bytes(lines(good(number) for number in numbers))
    clean = landed(root / "clean-lake", root / "clean")
    assert len(clean.requests) == len(numbers)
    assert not clean.quarantine
    return objects, landed(root / "lake", root / "raw"), clean


def test_every_good_record_lands_once_and_unchanged(folder) -> None:
    objects, found, clean = folder
    wanted = {row["request_id"]: values(row) for row in clean.requests}
    times = Counter(row["request_id"] for row in found.requests)
    rows = {row["request_id"]: row for row in found.requests}
    for one in objects:
        for name in (f"good-{number}" for number in one.sure):
            assert times[name] == 1, (one, name)
            assert values(rows[name]) == wanted[name], (one, name)
            assert rows[name]["source_object"] == str(one.file)
        # What lies at a cut may be lost, or changed unseen by damage that a checksum tells of.
        assert all(times[f"good-{number}"] <= 1 for number in one.torn)


def test_every_piece_of_every_object_is_accounted_for(folder) -> None:
    objects, found, _ = folder
    assert set(found.objects) == {str(one.file) for one in objects}
    requests = Counter(row["source_object"] for row in found.requests)
    quarantined = Counter(row["source_object"] for row in found.quarantine)
    for uri, counts in found.objects.items():
        assert counts.records == counts.requests + counts.duplicates + counts.quarantined
        assert (counts.requests, counts.quarantined) == (requests[uri], quarantined[uri]), uri


def test_what_is_quarantined_has_its_place_and_reason_and_is_no_good_record(folder) -> None:
    _, found, _ = folder
    assert len(found.quarantine) > 200
    for entry in found.quarantine:
        assert entry["source_offset"] >= 0
        assert entry["length"] >= 0
        assert entry["reason"].isprintable()
        assert not set(map(ord, entry["raw"])) & {*range(32), *range(127, 160), 0x2028, 0x2029}
        try:
            value = json.loads(entry["raw"])
        except (ValueError, RecursionError):
            continue
        request = value.get("httpRequest") if isinstance(value, dict) else None
        name = request.get("requestId") if isinstance(request, dict) else None
        assert not str(name).startswith("good-"), entry


FORMS = {
    "compact": lambda value: line(value).decode(),
    "spaced": lambda value: json.dumps(value, ensure_ascii=False),
    "pretty": lambda value: json.dumps(value, indent=2),
}
Operation = tuple[str, float, int, bytes]  # kind, where as a share of the text, bytes, new bytes
operations = st.lists(
    st.tuples(
        st.sampled_from(["replace", "delete", "insert", "repeat"]),
        st.floats(0, 1),
        st.integers(1, 40),
        st.binary(min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=4,
)
pieces = st.lists(
    st.tuples(st.sampled_from(sorted(FORMS)), st.sampled_from(SEPARATORS)), min_size=1, max_size=6
)


def mutated(text: bytes, asked: Sequence[Operation]) -> tuple[bytes, list[tuple[int, int]]]:
    """The text after the operations, and the ranges of it that they touched."""
    touched: list[tuple[int, int]] = []
    # From the end on, so that places further ahead stay where they are; none twice.
    for kind, share, size, new in sorted(asked, key=lambda one: -one[1]):
        start = int(share * len(text))
        end = min(start + (1 if kind == "replace" else size), touched[-1][0] if touched else 10**9)
        if kind in ("insert", "repeat"):
            again = text[start:end] if kind == "repeat" else new
            text = text[:start] + again + text[start:]
            touched.append((start, start))
        else:
            text = text[:start] + (new[:1] if kind == "replace" else b"") + text[end:]
            touched.append((start, end))
    return text, touched


@settings(max_examples=120)
@given(pieces, st.sampled_from(["", "\ufeff", "[", "\n"]), operations)
def test_bytes_changed_anywhere_cost_only_the_records_they_lie_in(forms, head, asked) -> None:
    text, places = head.encode(), []
    for number, (form, separator) in enumerate(forms):
        one = FORMS[form](good(number)).encode()
        places.append((len(text), len(text) + len(one)))
        text += one + separator.encode()
    damaged, touched = mutated(text, asked)
    untouched = {
        number
        for number, (start, end) in enumerate(places)
        if not any(max(a, start) < min(b, end) or start < a == b < end for a, b in touched)
    }

    found = read_chunk([ObjectText("a", damaged)], Columns(), "batch")

    offsets = [one for part in found.parts for one in part["source_offset"].to_pylist()]
    requests = [json.loads(record_at(damaged, one), strict=False) for one in offsets]
    assert found.framed["a"] == len(requests) + len(found.quarantined)
    for number in untouched:
        assert requests.count(good(number)) == 1, number
    assert all(entry.reason for entry in found.quarantined)
    for entry in found.quarantined:
        piece = damaged[entry.source_offset : entry.source_offset + entry.length]
        assert not any(text[slice(*places[number])] in piece for number in untouched), piece
