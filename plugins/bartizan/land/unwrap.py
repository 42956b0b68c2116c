"""Takes records out of the envelopes in which a CloudWatch Logs subscription delivers them.

An envelope is a JSON object with the records as text in `logEvents`; as it leaves CloudWatch it is
gzip, and base64 where it passed through Kinesis or Lambda.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from bartizan.land.framing import GZIP_BASE64, spans
from bartizan.land.identity import compact
from bartizan.land.inflate import inflate
from bartizan.land.normalise import parse

MARK = b'"logEvents"'
_LARGEST = 16 * 1024**2  # bytes of one envelope; CloudWatch sends at most 1 MB


def unwrap(raw: bytes) -> Iterator[bytes]:
    """The records in an envelope, in order; anything else as it is.

    A control message, by which CloudWatch tries whether the destination can be reached, has none.
    """
    if raw.startswith(GZIP_BASE64):
        yield from _unpack(raw)
        return
    envelope = _envelope(raw) if MARK in raw else None
    if envelope is None:
        yield raw
    elif envelope["messageType"] != "CONTROL_MESSAGE":
        for event in envelope["logEvents"]:
            message = event.get("message") if isinstance(event, dict) else None
            yield (message if isinstance(message, str) else compact(event)).encode()


def _envelope(raw: bytes) -> dict[str, Any] | None:
    try:
        value = parse(raw)
    except ValueError:
        return None
    return value if isinstance(value.get("logEvents"), list) and "messageType" in value else None


def _unpack(raw: bytes) -> Iterator[bytes]:
    try:
        packed = base64.b64decode(raw, validate=True)
    except binascii.Error:
        yield raw
        return
    pieces = list(inflate(packed, _LARGEST))
    text = b"".join(piece.text for piece in pieces)
    if pieces[-1].problem:
        yield raw
        return
    for span in spans(text):
        inner = text[span.start : span.end]
        yield from [inner] if inner.startswith(GZIP_BASE64) else unwrap(inner)
