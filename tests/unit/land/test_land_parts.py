"""Large objects are decoded in parts, and it cannot be seen from what lands."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from waf_logs import lines, record

from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.parts import parts
from bartizan.land.stage import chunks
from bartizan.model.landing import LogObject

PART = 5_000  # bytes: about four records
NUMBERS = range(60)
CUT = b'{"cut":"in a string\n'


def pretty(numbers: Iterable[int]) -> bytes:
    return json.dumps([record(number) for number in numbers], indent=0).encode()


def landed(chunked: Iterable[list[ObjectText]]) -> tuple[dict[int, bytes], set[tuple[int, str]]]:
    """Records by their offset, and where something was set aside and why."""
    records: dict[int, bytes] = {}
    set_aside: set[tuple[int, str]] = set()
    for chunk in chunked:
        found = read_chunk(chunk)
        for part in found.parts:
            for row in part.select(["source_offset", "logged"]).to_pylist():
                assert row["source_offset"] not in records
                records[row["source_offset"]] = row["logged"].rstrip().encode()
        set_aside |= {(entry.source_offset, entry.reason) for entry in found.quarantined}
    return records, set_aside


@pytest.mark.parametrize(
    "text",
    [
        lines(record(number) for number in NUMBERS),
        lines(record(number) for number in NUMBERS).replace(b"\n", b"\r\n"),
        lines(record(number) for number in range(30)) + CUT * 20 + lines([record(30), record(31)]),
        pretty(NUMBERS),
        b"".join(lines([record(number)])[:-1] for number in NUMBERS),
    ],
    ids=["lines", "CRLF", "damaged lines", "pretty-printed array", "no delimiter"],
)
@pytest.mark.parametrize("problem", ["", "gzip is truncated"])
def test_parts_hold_what_the_whole_holds(text: bytes, problem: str) -> None:
    whole = ObjectText("a", text, problem)
    cut = list(parts(whole, PART))
    assert b"".join(part.text for part in cut) == text
    assert [part.problem for part in cut] == [""] * (len(cut) - 1) + [problem]
    found = landed([part] for part in cut)
    assert found == landed([[whole]])
    assert len(found[0]) >= 32
    for offset, logged in found[0].items():
        assert text[offset : offset + len(logged)] == logged


@pytest.mark.parametrize(
    ("content", "cut"),
    [(lines(record(n) for n in range(300)), True), (pretty(range(300)), False)],
    ids=["lines", "pretty-printed"],
)
def test_only_json_lines_are_read_by_the_part(tmp_path: Path, content: bytes, cut: bool) -> None:
    large, small = tmp_path / "large.log.gz", tmp_path / "small.log"
    large.write_bytes(gzip.compress(content))
    small.write_bytes(lines([record(900)]))
    objects = [LogObject(str(one), "1", one.stat().st_size) for one in (large, small)]
    sizes = [sum(len(text.text) for text in chunk) for chunk in chunks(objects, PART)]
    assert sum(sizes) == len(content) + small.stat().st_size
    assert (max(sizes) < 3 * PART) == cut
