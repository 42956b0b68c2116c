"""A number for each record that is the same however the record was framed.

It is the first 64 bits of the SHA-256 of the record's JSON as AWS WAF writes it: without white
space, characters outside ASCII as they are. Logs are written by attackers, so it is a hash for
which nobody can make two records alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256

import numpy as np

from bartizan.land.framing import Ints

_WITHOUT_SPACE = re.compile(rb'\{"[^"]*":\S')  # who writes one space, writes all
_OTHER_ESCAPES = re.compile(rb"\\[u/]")  # may be written in another way too
BYTES = 8


def escaped(text: bytes) -> bool:
    """Whether some character in the text is written in a way that AWS WAF may not write it."""
    return _OTHER_ESCAPES.search(text) is not None


def identity(raw: bytes, rewrite: bool) -> bytes:
    """The number of a record, JSON text, as 8 bytes; `rewrite` if its escapes need care."""
    text = raw.strip()
    if rewrite or not _WITHOUT_SPACE.match(text):
        with suppress(ValueError):  # of an integer of more than 4,300 digits
            text = compact(json.loads(text, strict=False)).encode(errors="surrogatepass")
    return sha256(text).digest()[:BYTES]


def compact(value: object) -> str:
    """JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_numbers(identities: Sequence[bytes]) -> Ints:
    """Identities of 8 bytes as signed integers."""
    return np.frombuffer(b"".join(identities), ">i8").astype(np.int64)
