"""The number of a record: its hash against CPython's, its key, and who is the first of a number."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from waf_logs import line, record

from bartizan.engines.duckdb import connect
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.duplicates import Seen
from bartizan.land.framing import Piece, cut_out
from bartizan.land.memory import address
from bartizan.land.siphash import siphash

SEED = 42
HASHES = "import json, sys; print([hash(bytes(one)) for one in json.load(sys.stdin)])"


def key_of(seed: int) -> bytes:
    """The key that CPython makes of PYTHONHASHSEED (lcg_urandom in Python/bootstrap_hash.c)."""
    made = bytearray()
    for _ in range(16):
        seed = (seed * 214013 + 2531011) % 2**32
        made.append(seed >> 16 & 0xFF)
    return bytes(made)


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="CPython hashes otherwise")
def test_the_hash_is_that_of_cpython() -> None:
    """For the same key: texts of every length up to 80 bytes, and longer ones."""
    random = np.random.default_rng(7)
    texts = [random.bytes(length) for length in [*range(1, 81), 1000, 2399, 65_536]]
    frames = cut_out([Piece(0, 0, text) for text in texts])
    keys = np.frombuffer(bytes(16) + key_of(SEED), "<u8").reshape(2, 2).astype(np.uint64)
    numbers = np.empty(len(texts), np.int64)
    for row, seed in enumerate((0, SEED)):  # CPython's key is all zero for the first
        siphash(
            address(np.frombuffer(frames.buffer, np.uint8)), frames.start,
            frames.start + frames.length, keys, np.full(len(texts), row), numbers,
        )  # fmt: skip
        by_cpython = subprocess.run(
            [sys.executable, "-c", HASHES],
            input=json.dumps([list(text) for text in texts]),
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True, check=True, text=True,
        )  # fmt: skip
        assert numbers.tolist() == json.loads(by_cpython.stdout)
    assert len(set(numbers.tolist())) == len(texts)


def numbers_of(*records: dict[str, object]) -> dict[int, int]:
    """The number of each record, by its time."""
    text = b"".join(map(line, records))
    found = read_chunk([ObjectText("a", text)], Columns(), "batch")
    rows = [row for part in found.parts for row in part.to_pylist()]
    assert len(rows) == len(records)
    return {row["event_ms"]: row["record_hash"] for row in rows}


def test_a_record_has_its_number_whatever_is_beside_it() -> None:
    """Each web ACL has a key of its own; a record without one has a number too."""
    arn = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/{}"
    ids = [arn.format(name) for name in "cab"] + [None]
    records = [record(number, webaclId=ids[number % len(ids)]) for number in range(12)]
    together = numbers_of(*records)
    alone: dict[int, int] = {}
    for one in records:
        alone |= numbers_of(one)
    assert together == alone
    assert len(set(together.values())) == len(records)


KEYS = st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=8), max_size=5)


@given(KEYS)
def test_the_first_of_each_key_is_kept(tables: list[list[tuple[int, int]]]) -> None:
    """Two records are the same if both time and number are, in one table or in several."""
    before: set[tuple[int, int]] = set()
    with connect() as connection:
        seen = Seen(connection)
        for keys in tables:
            expected = []
            for position, key in enumerate(keys):
                if key not in before:
                    before.add(key)
                    expected.append((*key, position))
            times, hashes = zip(*keys, strict=True) if keys else ((), ())
            rows = pa.table(
                {
                    "event_ms": pa.array(times, pa.int64()),
                    "record_hash": pa.array(hashes, pa.int64()),
                    "position": pa.array(range(len(keys)), pa.int64()),
                }
            )
            kept = seen.first_of_each(rows)
            assert [tuple(row.values()) for row in kept.to_pylist()] == expected
