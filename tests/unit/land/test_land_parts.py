"""Large objects are read in parts, and it cannot be seen from what lands."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from waf_logs import lines, record, record_at

from bartizan.land import inflate as inflate_module
from bartizan.land import parts as parts_module
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.inflate import Inflated, inflate
from bartizan.land.parts import parts
from bartizan.land.stage import chunks
from bartizan.model.landing import LogObject

PART = 5_000  # bytes: about four records
NUMBERS = range(60)
CUT = b'{"cut":"in a string\n'


def pretty(numbers: Iterable[int]) -> bytes:
    return json.dumps([record(number) for number in numbers], indent=0).encode()


def pieces(text: bytes, problem: str = "") -> Iterator[Inflated]:
    for start in range(0, len(text), 700):
        yield Inflated(text[start : start + 700])
    yield Inflated(b"", problem)


def landed(
    chunked: Iterable[list[ObjectText]],
) -> tuple[dict[int, dict[str, Any]], set[tuple[int, str]]]:
    """Records by their offset, and where something was set aside and why."""
    records: dict[int, dict[str, Any]] = {}
    set_aside: set[tuple[int, str]] = set()
    for chunk in chunked:
        found = read_chunk(chunk, Columns(), "batch")
        for part in found.parts:
            for row in part.to_pylist():
                assert row["source_offset"] not in records
                records[row["source_offset"]] = row
        set_aside |= {(entry.source_offset, entry.reason) for entry in found.quarantined}
    return records, set_aside


@pytest.mark.parametrize(
    "text",
    [
        lines(record(number) for number in NUMBERS),
        lines(record(number) for number in NUMBERS).replace(b"\n", b"\r\n"),
        lines(record(number) for number in NUMBERS).replace(b"\n", b"\r"),
        lines(record(number) for number in range(30)) + CUT * 20 + lines([record(30), record(31)]),
        pretty(NUMBERS),
        b"".join(lines([record(number)])[:-1] for number in NUMBERS),
    ],
    ids=["lines", "CRLF", "CR", "damaged lines", "pretty-printed array", "no delimiter"],
)
@pytest.mark.parametrize("problem", ["", "gzip is truncated"])
def test_parts_hold_what_the_whole_holds(text: bytes, problem: str) -> None:
    cut = list(parts("a", pieces(text, problem), PART))
    assert b"".join(part.text for part in cut) == text
    assert [part.problem for part in cut] == [""] * (len(cut) - 1) + [problem]
    assert max(len(part.text) for part in cut) < 3 * PART
    found = landed([part] for part in cut)
    assert found == landed([[ObjectText("a", text, problem)]])
    assert len(found[0]) >= 32
    for offset, row in found[0].items():
        assert json.loads(record_at(text, offset))["timestamp"] == row["event_ms"]


def test_a_record_without_an_end_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "LARGEST_RECORD", 20_000)
    endless = b'{"timestamp":1,"httpRequest":{"uri":"' + b"x" * 50_000
    text = lines([record(1)]) + endless + b"\n" + lines(record(n) for n in range(2, 30))
    records, set_aside = landed([part] for part in parts("a", pieces(text), PART))
    expected = [record(n)["timestamp"] for n in range(1, 30)]
    assert [records[offset]["event_ms"] for offset in sorted(records)] == expected
    assert "record is larger than 20000 bytes" in min(set_aside)[1]


def envelope(records: Iterable[dict[str, object]], kind: str = "DATA_MESSAGE") -> bytes:
    """As a CloudWatch Logs subscription sends it."""
    events = [
        {"id": f"{n:056}", "timestamp": one["timestamp"], "message": json.dumps(one)}
        for n, one in enumerate(records)
    ]
    return json.dumps(
        {
            "messageType": kind,
            "owner": "111122223333",
            "logGroup": "aws-waf-logs-shop",
            "logStream": "us-east-1_shop_0",
            "subscriptionFilters": ["all"],
            "logEvents": events,
        }
    ).encode()


def test_envelopes_of_a_cloudwatch_subscription() -> None:
    """One object each of: members of gzip without delimiter, base64 lines, gzip in gzip, zstd."""
    groups = [[record(n) for n in group] for group in (NUMBERS[at : at + 7] for at in NUMBERS[::7])]
    control = envelope([], "CONTROL_MESSAGE").replace(b"[]", b'[{"message": "checking"}]')
    members = [gzip.compress(envelope(group)) for group in groups] + [gzip.compress(control)]
    whole = lines(record(number) for number in NUMBERS)
    objects = {
        "members": b"".join(members),
        "base64": b"\n".join(map(base64.b64encode, members)),
        "twice": gzip.compress(b"".join(members)),
        "zstd": pa.compress(whole, codec="zstd", asbytes=True),
    }
    expected = (
        read_chunk([ObjectText("whole", whole)], Columns(), "batch")
        .parts[0]["record_hash"]
        .to_pylist()
    )
    assert len(set(expected)) == len(NUMBERS)
    for name, data in objects.items():
        found = [read_chunk(chunk, Columns(), "batch") for chunk in read(name, data)]
        hashes = [row for one in found for part in one.parts for row in hashes_of(part)]
        assert sorted(hashes) == sorted(expected), name
        assert sum(one.framed[name] for one in found) == len(NUMBERS)
        assert not any(one.quarantined for one in found)


def test_a_damaged_envelope_is_set_aside_and_the_next_one_read() -> None:
    text = envelope([record(1)])[:-40] + b"\n" + envelope([record(2), {"timestamp": 3}])
    found = read_chunk([ObjectText("a", text)], Columns(), "batch")
    assert [ms for part in found.parts for ms in part["event_ms"].to_pylist()] == [
        record(2)["timestamp"]
    ]
    reasons = [entry.reason for entry in found.quarantined]
    assert len(reasons) == 2, reasons
    assert found.framed["a"] == 3


def test_objects_are_grouped_and_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large object comes in parts, small ones together, each byte once and in its place."""
    monkeypatch.setattr(inflate_module, "_PIECE", 700)
    contents = {"large": lines(record(n) for n in range(300))}
    contents |= {f"small-{n}": lines([record(900 + n)]) for n in range(6)}
    objects = []
    for name, content in contents.items():
        file = tmp_path / f"{name}.log.gz"
        file.write_bytes(gzip.compress(content))
        objects.append(LogObject(str(file), "1", file.stat().st_size))
    grouped = list(chunks(objects, PART))

    sizes = [sum(len(part.text) for part in chunk) for chunk in grouped]
    assert len(sizes) > 10
    assert max(sizes) < 3 * PART
    assert max(len({part.uri for part in chunk}) for chunk in grouped) >= 3
    for item, content in zip(objects, contents.values(), strict=True):
        own = [part for chunk in grouped for part in chunk if part.uri == item.uri]
        assert b"".join(part.text for part in own) == content
        assert [content[part.start :][: len(part.text)] for part in own] == [p.text for p in own]


def read(name: str, data: bytes) -> Iterator[list[ObjectText]]:
    for part in parts(name, inflate(data), PART):
        yield [part]


def hashes_of(part: pa.Table) -> list[int]:
    return list(part["record_hash"].to_pylist())
