"""The compiled parser against Python's, and against a strict reader of the same shape."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waf_logs import line, record

from bartizan.land.columns import Columns
from bartizan.land.framing import Piece, cut_out
from bartizan.land.locate import AS_DOCUMENTED, AS_WRITTEN, NEEDS_CARE
from bartizan.land.shape import RECORD
from schemas import strict_type

_STRICT = msgspec.json.Decoder(strict_type(RECORD))
_TEXT = pa.string()
FULL = record(
    7,
    labels=[{"name": "a"}, {"name": "b"}],
    ruleGroupList=[
        {
            "ruleGroupId": "g",
            "terminatingRule": {"ruleId": "r", "ruleMatchDetails": [{"matchedData": ["x", "y"]}]},
            "nonTerminatingMatchingRules": [],
            "excludedRules": None,
        }
    ],
    rateBasedRuleList=[{"maxRateAllowed": 100, "customValues": [{"key": "IP", "value": "1"}]}],
)


def read(*texts: bytes) -> tuple[Columns, list[int]]:
    """The parser after it read these records, and what it found each of them to be."""
    columns = Columns()
    return columns, columns.read(cut_out([Piece(0, 0, text) for text in texts])).tolist()


def as_a_strict_reader(text: bytes) -> bool:
    """Whether msgspec takes the text for a record, and no member displaces a value of its own."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if found.get(name) is not None:
                raise ValueError(f"{name} twice")
            found[name] = value
        return found

    try:
        _STRICT.decode(text)
        json.loads(text, object_pairs_hook=once)
    except (msgspec.DecodeError, ValueError):
        return False
    return True


@given(st.lists(st.text(), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_texts_are_those_that_python_reads(uris: list[str], ascii_only: bool, spaced: bool) -> None:
    given = [record(1, httpRequest={"uri": uri}) for uri in uris]
    separators = (", ", ": ") if spaced else (",", ":")
    texts = [
        json.dumps(one, ensure_ascii=ascii_only, separators=separators).encode(
            errors="surrogatepass"
        )
        for one in given
    ]
    columns, found = read(*texts)
    expected = [
        NEEDS_CARE
        if any(0xD800 <= ord(char) < 0xE000 for char in uri)
        else AS_DOCUMENTED
        if spaced or rb"\u" in text
        else AS_WRITTEN
        for uri, text in zip(uris, texts, strict=True)
    ]
    assert found == expected
    whole = np.flatnonzero(np.array(found) != NEEDS_CARE)
    landed = columns.column(("httpRequest", "uri"), _TEXT, whole[::-1])
    landed.validate(full=True)
    assert landed.to_pylist() == [uris[number] for number in whole[::-1]]


BITS = [
    *(b'"', b",", b":", b"{", b"}", b"[", b"]", b" ", b"\n", b"\t", b"\x00", b"\x1f", b"\\"),
    *(rb"\u00e9", rb"\ud83d\ude00", rb"\ud800", rb"\udc00", rb"\u12", rb"\n", rb"\/", rb"\x"),
    *("é".encode(), "😀".encode(), b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(b"null", b"true", b"1", b"-", b"-0", b"007", b"1.5", b"1e3", b"9" * 18, b"9" * 19, b"nul"),
    *(b"{}", b"[]", b'{"a":1}', b'"action":"x",', b'"formatVersion":1,', b"[null]", b'""'),
]


@settings(max_examples=1500)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.sampled_from(BITS)), max_size=3))
def test_it_takes_what_a_strict_reader_takes(changes: list[tuple[float, int, bytes]]) -> None:
    text = line(FULL)
    for place, cut, bit in changes:
        at = int(place * len(text))
        text = text[:at] + bit + text[at + cut :]
    _, [found] = read(text)
    if found != NEEDS_CARE:
        assert as_a_strict_reader(text), text
    elif as_a_strict_reader(text):
        # Left to those who take more time.
        assert re.search(rb"[0-9]{19}|[0-9][.eE]", text), text


def test_many_values_need_more_room_and_all_are_there() -> None:
    labels = [[{"name": f"{row}-{item}"} for item in range(row % 700)] for row in range(50)]
    groups = [
        {"ruleGroupId": "g", "nonTerminatingMatchingRules": [{"ruleId": str(n)}] * 9}
        for n in range(300)
    ]
    records = [record(row, labels=some) for row, some in enumerate(labels)] * 30
    records.append(record(1, ruleGroupList=groups * 20))
    columns, found = read(*map(line, records))
    assert set(found) == {AS_WRITTEN}
    kind = pa.list_(pa.struct({"name": _TEXT}))
    landed = columns.column(("labels",), kind, np.arange(len(records) - 1))
    assert landed.to_pylist() == labels * 30
    # Used again for fewer, nothing of those before is left.
    columns.read(cut_out([Piece(0, 0, line(record(1)))]))
    assert columns.column(("labels",), kind, np.array([0])).to_pylist() == [record(1)["labels"]]


def test_no_byte_behind_the_text_is_read(tmp_path: Path) -> None:
    """The text ends where the memory does that may be read: one byte more ends the process."""
    program = f"""
import ctypes, mmap, sys
import numpy as np
from bartizan.land.columns import Columns
from bartizan.land.framing import Frames

text = open({str(tmp_path / "record")!r}, "rb").read()
size = mmap.PAGESIZE * 4
memory = mmap.mmap(-1, size + mmap.PAGESIZE)
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
assert not ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), mmap.PAGESIZE, 0)
columns = Columns()
whole = 0
for length in range(1, len(text) + 1):
    memory[size - length : size] = text[:length]
    part = memoryview(memory)[size - length : size]
    zero = np.zeros(1, np.int64)
    frames = Frames(part, zero, np.array([length]), zero, zero)
    whole += int(columns.read(frames)[0] != 0)
if len(sys.argv) > 1:
    ctypes.string_at(start + size, 1)
print(length, whole)
"""
    text = line(FULL).replace(b"/item/7", rb"/\u00e9\ud83d\ude00" + "é😀".encode())
    (tmp_path / "record").write_bytes(text)
    paths = os.pathsep.join(sys.path)
    env = os.environ | {"PYTHONPATH": paths}
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{len(text)} 1\n"), done.stderr
    beyond = subprocess.run([*run, "beyond"], env=env, capture_output=True, check=False)
    assert beyond.returncode < 0, "the memory behind the text can be read"


@pytest.mark.parametrize("name", ["rateBasedRuleList", "ruleGroupList", "labels", "httpRequest"])
def test_a_member_twice_needs_care(name: str) -> None:
    text = line(FULL)[:-1] + f',"{name}":null}}'.encode()
    assert read(text)[1] == [NEEDS_CARE]
