"""A number for each record that is the same however the record was framed.

It is a hash of the record's JSON as AWS WAF writes it: without white space, characters outside
ASCII as they are. Logs are written by attackers, who could make two records alike if they could
compute it; so its key is the id of the web ACL, which every record names, clients are not told, and
of whose ARN 122 bits are random (docs/adr/0008-records-are-recognised-by-a-keyed-hash.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.land.framing import Frames, Ints, Piece, cut_out
from bartizan.land.locate import AS_WRITTEN
from bartizan.land.memory import address
from bartizan.land.siphash import siphash

_WITHOUT_SPACE = re.compile(rb'\{"[^"]*":\S')  # who writes one space, writes all
_OTHER_ESCAPES = re.compile(rb"\\[u/]")  # may be written in another way too


def identities(frames: Frames, chosen: Ints, verdict: Ints, webacl: pa.DictionaryArray) -> Ints:
    """The numbers of the chosen records, as signed integers of 64 bits. `webacl` has their web
    ACLs, `verdict` is that of land/locate.py for all: what AWS WAF wrote is hashed as it is.
    """
    keys = _keys([*webacl.dictionary.to_pylist(), ""])
    key_of_each = pc.fill_null(webacl.indices, len(keys) - 1).to_numpy().astype(np.int64)
    numbers = _hashed(frames, chosen, keys, key_of_each)
    others = np.flatnonzero(verdict[chosen] != AS_WRITTEN)
    if len(others):
        written = cut_out([Piece(0, 0, _as_written(frames.raw(row))) for row in chosen[others]])
        numbers[others] = _hashed(written, np.arange(len(others)), keys, key_of_each[others])
    return numbers


def _hashed(frames: Frames, chosen: Ints, keys: np.ndarray, key_of_each: Ints) -> Ints:
    starts = frames.start[chosen]
    numbers = np.empty(len(chosen), np.int64)
    text = np.frombuffer(frames.buffer, np.uint8)
    siphash(address(text), starts, starts + frames.length[chosen], keys, key_of_each, numbers)
    return numbers


def _keys(webacls: Sequence[str]) -> np.ndarray:
    digests = [sha256(webacl.encode()).digest()[:16] for webacl in webacls]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64).reshape(-1, 2)


def _as_written(raw: bytes) -> bytes:
    """A record, JSON text, without what framing adds."""
    text = raw.strip()
    if _OTHER_ESCAPES.search(text) or not _WITHOUT_SPACE.match(text):
        with suppress(ValueError):  # of an integer of more than 4,300 digits
            return compact(json.loads(text, strict=False)).encode(errors="surrogatepass")
    return text


def compact(value: object) -> str:
    """JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
