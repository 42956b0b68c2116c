"""A number for each record that is the same however the record was framed.

It is the first 64 bits of the SHA-256 of the record's JSON as AWS WAF writes it: without white
space, characters outside ASCII as they are. Logs are written by attackers, so it is a hash for
which nobody can make two records alike.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from hashlib import sha256

import numpy as np

from bartizan.land.framing import Frames, Ints
from bartizan.land.locate import AS_WRITTEN

_WITHOUT_SPACE = re.compile(rb'\{"[^"]*":\S')  # who writes one space, writes all
_OTHER_ESCAPES = re.compile(rb"\\[u/]")  # may be written in another way too


def identities(frames: Frames, chosen: Ints, verdict: Ints) -> Ints:
    """The numbers of the chosen records, as signed integers of 64 bits. `verdict` is that of
    land/locate.py: what AWS WAF wrote is hashed as it is.
    """
    text = memoryview(frames.buffer)
    starts, ends = frames.start[chosen], frames.start[chosen] + frames.length[chosen]
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    hashes = [sha256(text[start:end]).digest() for start, end in spans]
    numbers = np.frombuffer(b"".join(hashes), ">i8")[:: sha256().digest_size // 8].astype(np.int64)
    for row in np.flatnonzero(verdict[chosen] != AS_WRITTEN).tolist():
        number = identity(frames.raw(int(chosen[row])))
        numbers[row] = int.from_bytes(number, "big", signed=True)
    return numbers


def identity(raw: bytes) -> bytes:
    """The number of a record, JSON text, as 8 bytes."""
    text = raw.strip()
    if _OTHER_ESCAPES.search(text) or not _WITHOUT_SPACE.match(text):
        with suppress(ValueError):  # of an integer of more than 4,300 digits
            text = compact(json.loads(text, strict=False)).encode(errors="surrogatepass")
    return sha256(text).digest()[:8]


def compact(value: object) -> str:
    """JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
