"""Whatever lies between records, each record is found once and nothing else is lost."""

from __future__ import annotations

import gzip
import json
import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waf_logs import lines, record, record_at

from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.inflate import Inflated, inflate

SEPARATORS = ["\n", "\r\n", "\r", "", "\n\n\n", ",\n", " ", "\ufeff", "\n\x1e", "]\n["]
JUNK = [
    "# a comment",
    "not json }}",
    '{"timestamp": 17937504',
    '{"cut":"in a string',
    '{"cut":{"nested":[1,2',
    '{"a": 1 "b": 2}',
    "\x00\x01\x02",
    "42",
    '"text"',
    '{"deep":' * 3000,
]


def inflated(data: bytes, **limit: int) -> Inflated:
    """All pieces as one."""
    pieces = list(inflate(data, **limit))
    assert not any(piece.problem for piece in pieces[:-1])
    return Inflated(b"".join(piece.text for piece in pieces), pieces[-1].problem)


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def pretty(value: object) -> str:
    return json.dumps(value, indent=2)


piece = st.one_of(
    st.tuples(st.sampled_from([compact, pretty, json.dumps]), st.sampled_from(SEPARATORS)),
    st.tuples(st.sampled_from(JUNK), st.sampled_from(["\n", "\r\n", "\r"])),
)


@settings(max_examples=150)
@given(st.lists(piece, max_size=12), st.sampled_from(["", "\ufeff", "[", "\n"]))
def test_any_mix_of_framings_and_junk(pieces, head):
    text, expected, junk = head, [], 0
    for number, (content, separator) in enumerate(pieces):
        if callable(content):
            expected.append(record(number)["timestamp"])
            text += content(record(number)) + separator
        else:
            junk += 1
            text += content + separator
    raw = text.encode()

    found = read_chunk([ObjectText("a", raw)], Columns(), "batch")

    landed = [ms for part in found.parts for ms in part["event_ms"].to_pylist()]
    assert sorted(landed) == expected
    assert found.framed["a"] == len(expected) + len(found.quarantined)
    assert bool(found.quarantined) == bool(junk)
    rest = bytearray(raw)
    for part in found.parts:
        for offset, event_ms in zip(
            *part.select(["source_offset", "event_ms"]).to_pydict().values(), strict=True
        ):
            one = record_at(bytes(rest), offset)  # fails where spans overlap
            assert json.loads(one)["timestamp"] == event_ms
            rest[offset : offset + len(one)] = b" " * len(one)
    for span in found.quarantined:
        end = span.source_offset + span.length
        assert span.reason
        rest[span.source_offset : end] = b" " * span.length
    assert re.fullmatch(rb"(?:[\s,\[\]\x1e]|\xef\xbb\xbf)*", bytes(rest))


def test_one_broken_line_costs_one_line():
    text = lines([record(1), record(2)]) + b'{"timestamp":1,"action"\n' + lines([record(3)])
    found = read_chunk(
        [ObjectText("a", text), ObjectText("b", lines([record(4)]))], Columns(), "batch"
    )
    [bad] = found.quarantined
    assert text[bad.source_offset : bad.source_offset + bad.length].startswith(b'{"timestamp":1')
    assert found.framed == {"a": 4, "b": 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": 0}, "no usable timestamp"),
        ({"timestamp": "yesterday"}, "no usable timestamp"),
        ({"timestamp": 10**30}, "no usable timestamp"),
        ({"action": None, "webaclId": None}, "neither action nor webaclId"),
    ],
)
def test_an_object_that_is_no_log_record_is_set_aside(changes, reason):
    found = read_chunk(
        [ObjectText("a", lines([record(1, **changes), record(2)]))], Columns(), "batch"
    )
    assert [len(part) for part in found.parts] == [1]
    [entry] = found.quarantined
    assert entry.source_offset == 0
    assert reason in entry.reason


def test_invalid_utf8_is_set_aside_and_shown_as_escapes():
    strange = b"Ex\xff\x1b[31m\xe2\x80\xaeClient"
    damaged = lines([record(1)]).replace(b"ExampleClient", strange)
    found = read_chunk([ObjectText("a", damaged + lines([record(2)]))], Columns(), "batch")
    [entry] = found.quarantined
    assert "\\xff\\u001b[31m\\u202eClient" in entry.raw
    assert entry.raw.isprintable()
    assert sum(len(part) for part in found.parts) == 1


def test_secrets_do_not_reach_the_quarantine():
    headers = [{"name": "Cookie", "value": 'session="s3cret"'}]
    broken = lines([record(1, httpRequest={"headers": headers})])[:-30]
    [entry] = read_chunk([ObjectText("a", broken)], Columns(), "batch").quarantined
    assert "s3cret" not in entry.raw
    assert '"value":"REDACTED' in entry.raw


TEXT = lines(record(number) for number in range(400))


def test_gzip_of_several_members_and_padding():
    members = gzip.compress(TEXT[:1000]) + gzip.compress(b"") + gzip.compress(TEXT[1000:])
    assert inflated(members).text == TEXT
    assert inflated(members + bytes(512)) == inflated(members)
    assert inflated(TEXT).text == TEXT
    assert inflated(b"").text == inflated(gzip.compress(b"")).text == b""


@pytest.mark.parametrize("share", [0.2, 0.5, 0.999])
def test_truncated_gzip_keeps_what_zlib_can_read(share):
    data = gzip.compress(TEXT, mtime=0)
    cut = data[: int(len(data) * share)]
    readable = zlib.decompressobj(31).decompress(cut)
    found = inflated(cut)
    assert found.problem == "gzip is truncated"
    assert readable.startswith(found.text)
    assert len(readable) - len(found.text) < 64  # what the last bits stand for


def test_damage_in_the_middle_keeps_what_lies_before_it():
    data = bytearray(gzip.compress(TEXT, mtime=0))
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    found = inflated(bytes(data))
    assert "damaged" in found.problem
    intact = next(
        (n for n, (a, b) in enumerate(zip(found.text, TEXT, strict=False)) if a != b),
        len(found.text),
    )
    assert intact > len(TEXT) // 4


def test_wrong_checksum_is_noticed():
    data = bytearray(gzip.compress(TEXT, mtime=0))
    data[-6] ^= 1
    found = inflated(bytes(data))
    assert found.problem
    assert TEXT.startswith(found.text)
    assert len(found.text) > 0.99 * len(TEXT)


def test_a_bomb_is_cut():
    found = inflated(gzip.compress(bytes(1_000_000)), largest=1000)
    assert len(found.text) == 1000
    assert "larger than 1000 bytes" in found.problem


def test_a_damaged_object_has_one_entry_for_its_tail():
    data = gzip.compress(TEXT, mtime=0)
    cut = inflated(data[: len(data) // 2])
    found = read_chunk([ObjectText("a", cut.text, cut.problem)], Columns(), "batch")
    [tail] = found.quarantined
    assert tail.reason.startswith("gzip is truncated")
    assert tail.source_offset + tail.length == len(cut.text)
    whole = cut.text.count(b"\n")
    assert sum(len(part) for part in found.parts) == whole


def test_reading_goes_on_behind_a_damaged_gzip_member():
    first, last = (lines(record(n) for n in numbers) for numbers in (range(50), range(50, 90)))
    damaged = bytearray(gzip.compress(first))
    damaged[len(damaged) // 2 : len(damaged) // 2 + 40] = bytes(40)
    found = inflated(bytes(damaged) + gzip.compress(last))
    assert found.text.endswith(last)
    assert "gzip is damaged" in found.problem
    assert "read on at byte" in found.problem
    records = read_chunk([ObjectText("a", found.text, found.problem)], Columns(), "batch")
    landed = {ms for part in records.parts for ms in part["event_ms"].to_pylist()}
    assert {record(n)["timestamp"] for n in range(50, 90)} <= landed
    assert records.quarantined
