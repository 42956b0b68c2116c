"""Schema drift against a plain reading of `extra`, and what is no drift."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from waf_logs import ARN, START_MS, lines, record

from bartizan.config import store_in
from bartizan.engines.duckdb import connect
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.drift import MOST_PATHS, OTHER, DriftCounts
from bartizan.model.landing import Batch, LogObject
from bartizan.model.window import HOUR
from bartizan.store import Store
from bartizan.store.drift import Drift, DriftKind, load_drift, save_drift
from bartizan.store.landing import add_batches, finish

START = datetime.fromtimestamp(START_MS / 1000, UTC)
JSON_TYPES = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    str: "string",
    list: "array",
}


def rows(*extras: Mapping[str, str] | None, first: int = 0) -> pa.Table:
    """The two columns that count, two rows an hour, beginning with number `first`."""
    maps = [None if extra is None else list(extra.items()) for extra in extras]
    return pa.table(
        {
            "event_ms": [START_MS + 1_800_000 * (first + n) for n in range(len(extras))],
            "extra": pa.array(maps, pa.map_(pa.string(), pa.string())),
        }
    )


def counted(*tables: pa.Table) -> list[Drift]:
    counts = DriftCounts()
    with connect() as connection:
        for table in tables:
            counts.add(connection, table)
    return counts.found()


def of_records(*records: Any) -> dict[str, Drift]:
    """Drift of whole records by path."""
    read = read_chunk([ObjectText("file:///raw/a", lines(records))], Columns(), "batch")
    assert not read.quarantined
    return {drift.path: drift for drift in counted(*read.parts)}


def test_new_fields_and_other_types_are_told_apart() -> None:
    http = record(0)["httpRequest"]
    found = of_records(
        record(0),
        record(1, newFeature={"secret": "hunter2"}),
        record(3601, newFeature="text", responseCodeSent="teapot"),
        record(2, labels=[{"name": "a"}, {"name": "b", "score": 1}, {"name": "c", "score": 2}]),
        record(3, httpRequest=http | {"clientIp": {"v4": "192.0.2.1"}}, rateBasedRuleList=7),
    )
    assert {path: (drift.kind, drift.records) for path, drift in found.items()} == {
        "newFeature": (DriftKind.UNKNOWN_FIELD, 2),
        "labels[].score": (DriftKind.UNKNOWN_FIELD, 1),  # twice in one record
        "responseCodeSent": (DriftKind.OTHER_TYPE, 1),
        "httpRequest.clientIp": (DriftKind.OTHER_TYPE, 1),
        "rateBasedRuleList": (DriftKind.OTHER_TYPE, 1),
    }
    assert found["newFeature"].first_hour == START
    assert found["newFeature"].json_type == "object"
    assert found["responseCodeSent"].first_hour == START + HOUR
    assert found["rateBasedRuleList"].json_type == "number"
    assert "hunter2" not in repr(found)


def test_known_variants_are_no_drift() -> None:
    plain = record(0)
    variant = {key.upper(): value for key, value in record(1).items()}
    forwarded = record(2, labels={"awswaf:a": None}, formatVersion="1")
    old = record(3, webaclId="11111111-2222", clientAsn="64496")
    iso = record(4, timestamp="2026-11-04T00:00:04Z", webaclId=ARN)
    assert of_records(plain, variant, forwarded, old, iso) == {}


def test_hostile_paths_are_bounded_and_inert() -> None:
    flood = [{f"junk{n}.\x1b[2J{'x' * 300}": "1", "real": '"a"'} for n in range(MOST_PATHS + 50)]
    found = {drift.path: drift for drift in counted(rows(*flood), rows({"late": "null"}, None))}
    assert len(found) == MOST_PATHS + 1
    assert found["real"].records == len(flood)
    assert found[OTHER].records == len(flood) - (MOST_PATHS - 1) + 1
    assert sum(drift.records for drift in found.values()) == 2 * len(flood) + 1
    assert all(len(path) <= 200 and path.isprintable() for path in found)


@settings(max_examples=40)
@given(
    st.lists(
        st.none()
        | st.dictionaries(
            st.text(st.sampled_from("ab.[]01\n"), min_size=1, max_size=8),
            st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([]),
            max_size=4,
        ),
        max_size=12,
    ),
    st.integers(0, 12),
    st.booleans(),
)
@example([{"a[1]": 1}, None, {"a[2]": []}], 1, False)
@example([{"a[1]": 1}, None, {"a[2]": []}], 1, True)
def test_counts_are_those_of_a_plain_reading(extras: list[Any], cut: int, turned: bool) -> None:
    """However the rows are cut into tables, and whichever comes first."""
    records, types, hours = Counter[str](), defaultdict[str, set[str]](set), dict[str, datetime]()
    for n, extra in enumerate(extras):
        folded = {path: re.sub(r"\[\d+\]", "[]", path) for path in extra or {}}
        shown = {path: text.replace("\n", "\\u000a") for path, text in folded.items()}
        records.update(set(shown.values()))
        for path, text in shown.items():
            types[text].add(JSON_TYPES[type(extra[path])])
            hours.setdefault(text, START + n // 2 * HOUR)
    texts = [
        extra and {path: json.dumps(value) for path, value in extra.items()} for extra in extras
    ]
    tables = [rows(*texts[:cut]), rows(*texts[cut:], first=cut)]
    found = counted(*(reversed(tables) if turned else tables))
    assert {drift.path: drift.records for drift in found} == records
    assert {drift.path: drift.first_hour for drift in found} == hours
    assert {drift.path: drift.json_type for drift in found} == {
        path: min(several) for path, several in types.items()
    }


def test_staging_again_replaces_and_only_what_is_published_is_told(tmp_path: Path) -> None:
    store = Store.open(store_in(tmp_path))
    batches = [Batch.of([LogObject(f"file:///raw/{n}", "1", 1)]) for n in "abc"]
    add_batches(store, batches)
    published, other, unpublished = batches

    def drift(records: int, hour: datetime = START) -> Drift:
        return Drift("x", DriftKind.UNKNOWN_FIELD, "string", records, hour)

    save_drift(store, published.id, [drift(99), Drift("gone", *_rest())])
    save_drift(store, published.id, [drift(3, START + HOUR)])
    save_drift(store, other.id, [drift(4)])
    save_drift(store, unpublished.id, [drift(1000)])
    for batch in (published, other):
        finish(store, batch, [START])
    assert load_drift(store) == [drift(7)]


def _rest() -> tuple[DriftKind, str, int, datetime]:
    return DriftKind.OTHER_TYPE, "number", 1, START


@pytest.mark.parametrize("table", [rows(), rows(None, None)], ids=["no rows", "no extra"])
def test_without_extra_no_statement_is_run(table: pa.Table) -> None:
    closed = connect()
    closed.close()
    counts = DriftCounts()
    counts.add(closed, table)
    assert counts.found() == []
