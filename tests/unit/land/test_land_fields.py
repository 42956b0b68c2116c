"""Every documented field reaches its column, in each form that is seen in the wild."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from field_cases import ABSENT, CASES, ROW
from hostile_maker import good
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.lake.schemas import REQUESTS
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.shape import JSON_TEXT, RECORD, TEXT

PATH = "s3://logs/AWSLogs/o-1ab2/222233334444/WAFLogs/eu-west-1/old_acl/2026/11/04/00/00/a.log.gz"
_OWN = {"record_hash", "source_object", "source_offset", "batch_id"}


def landed(records: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows of the records in their order; each must land."""
    texts = [json.dumps(one).encode() + b"\n" for one in records]
    found = read_chunk([ObjectText(PATH, b"".join(texts))], Columns(), "batch")
    assert not found.quarantined
    rows = {row["source_offset"]: row for table in found.parts for row in table.to_pylist()}
    offsets = [sum(map(len, texts[:number])) for number in range(len(texts))]
    assert sorted(rows) == offsets
    return [rows[offset] for offset in offsets]


def values(row: dict[str, Any]) -> dict[str, Any]:
    """The columns that follow from the record, `extra` parsed."""
    extra = row["extra"] and {path: json.loads(text) for path, text in row["extra"]}
    return {name: row[name] for name in row if name not in _OWN} | {"extra": extra}


def put(root: Any, path: str, value: Any) -> None:
    """Set or remove what is at a path like `ruleGroupList.0.terminatingRule`."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        root = root[step]
    if value is ABSENT:
        del root[last]
    else:
        root[last] = value


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    entry = json.loads(json.dumps(good(1)))
    for path, value in changes.items():
        put(entry, path, value)
    return entry


def test_each_documented_field_has_a_column() -> None:
    assert set(good(1)) == set(RECORD)
    assert set(ROW) | _OWN == set(REQUESTS.names)
    [row] = landed([good(1)])
    assert values(row) == ROW
    assert row["source_object"] == PATH


def test_forms_of_every_field() -> None:
    rows = landed([changed(case.changes) for case in CASES])
    assert len(rows) == len(CASES) > 150
    for case, row in zip(CASES, rows, strict=True):
        assert values(row) == ROW | case.columns | {"extra": case.extra}, case.changes


def test_a_path_does_not_hide_another() -> None:
    entry = good(1) | {"httpRequest.body": 1}
    entry["httpRequest"] |= {"body": 2}
    entry["labels"] = {"shown": {"name": "logged"}}
    [row] = landed([entry])
    assert row["labels"] == ["logged"]
    assert values(row)["extra"] == {
        '"httpRequest.body"': 1,
        "httpRequest.body": 2,
        "labels[0].key of the map": "shown",
    }


def paths(shape: Any, value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of the record good(1), lists and objects included, with its shape."""
    if isinstance(shape, dict) and isinstance(value, dict):
        for name, member in shape.items():
            if name in value:
                inner = f"{path}.{name}" if path else name
                yield inner, member
                yield from paths(member, value[name], inner)
    elif isinstance(shape, list) and value:
        yield from paths(shape[0], value[0], f"{path}.0")


MEMBERS = [(path, shape) for path, shape in paths(RECORD, good(1)) if shape != JSON_TEXT]
NAMES = {
    "webaclId": ("webacl_id", "webacl", "account_id", "region"),
    "httpSourceName": ("source_name",),
    "httpSourceId": ("source_id",),
    "ruleGroupList": ("rule_groups",),
    "rateBasedRuleList": ("rate_based_rules",),
    "requestBodySizeInspectedByWAF": ("request_body_size_inspected",),
    "headers": ("headers", "user_agent"),
    "httpMethod": ("method",),
}

VALUES_OF_HEADERS = ("httpRequest.headers.0.value", "requestHeadersInserted.0.value")


def columns_of(path: str) -> set[str]:
    """The columns that depend on a member."""
    name, _, rest = path.partition(".")
    if name == "httpRequest":
        inner = [rest.partition(".")[0]] if rest else list(good(1)["httpRequest"])
        return {column for member in inner for column in columns_of(member)}
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return set(NAMES.get(name, (snake,)))


def cannot_hold(shape: Any) -> list[Any]:
    """Values that a member of this shape cannot have, whatever form they are read in."""
    if isinstance(shape, dict):
        return [1, "text", True, [1, {"a": None}], "\u0000'--"]
    if isinstance(shape, list):
        return [1, "text", "[[[[", "[" * 3000, False, 1.5, '"[]"']
    if shape == TEXT:
        return [{"a": "\u001b"}, [], ["text"], {}, [[None]]]
    return ["text", "", "1e3", 1.5, True, [], {"a": 1}, 10**30, "9" * 30, -(2**63) - 1, "\uff11"]


def test_a_bad_value_changes_no_other_column_and_is_kept() -> None:
    tried = [
        (path, bad) for path, shape in MEMBERS if path != "timestamp" for bad in cannot_hold(shape)
    ]
    assert len(tried) > 400
    rows = landed([changed({path: bad}) for path, bad in tried])
    for (path, bad), row in zip(tried, rows, strict=True):
        found = values(row)
        dotted = path.replace(".0", "[0]")
        shown = "REDACTED" if path in VALUES_OF_HEADERS else bad
        assert found["extra"] == {dotted: shown}, path
        left = columns_of(path) | {"extra"}
        kept = {name: value for name, value in found.items() if name not in left}
        assert kept == {name: value for name, value in ROW.items() if name not in left}, path
        own = columns_of(path)
        whole = "." not in path.removeprefix("httpRequest.") and len(own) == 1
        if whole and own != {"host"}:  # which may come from its header
            assert found[own.pop()] is None, path


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["name", "value"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(MEMBERS[1:]), ANYTHING), min_size=1, max_size=30))
def test_any_value_anywhere_changes_no_other_column(tried) -> None:
    rows = landed([changed({path: value}) for (path, _), value in tried])
    for ((path, _), value), row in zip(tried, rows, strict=True):
        left = columns_of(path) | {"extra"}
        kept = {name: one for name, one in values(row).items() if name not in left}
        assert kept == {name: one for name, one in ROW.items() if name not in left}
        held = any(row[name] is not None for name in columns_of(path))
        assert held or row["extra"] or value in (None, "-", "", {}), (path, value)
