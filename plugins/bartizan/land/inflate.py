"""Decompresses one object: gzip of any number of members, damaged gzip, or plain text.

ISA-L checks the CRC of each member. What was readable before damage is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from isal import isal_zlib

GZIP_MAGIC = b"\x1f\x8b"
LARGEST = 1024**3  # bytes of text taken from one object; well below what 32-bit offsets reach
_DAMAGED = cast(type[Exception], isal_zlib.error)  # declared wrongly in its stubs
_GZIP = 31  # window bits: a gzip header and trailer around 32 KiB windows


@dataclass(frozen=True)
class Inflated:
    """Text of an object, and what was wrong with it (empty if nothing was)."""

    text: bytes
    problem: str = ""


def inflate(data: bytes, largest: int = LARGEST) -> Inflated:
    """The text of an object, at most `largest` bytes of it. Never raises for bad data."""
    if not data.startswith(GZIP_MAGIC):
        cut = "" if len(data) <= largest else f"object is larger than {largest} bytes"
        return Inflated(data[:largest], cut)
    parts: list[bytes] = []
    size = 0
    rest = data
    while rest.startswith(GZIP_MAGIC):
        member = isal_zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(rest, largest - size + 1)
        except _DAMAGED as error:
            parts.append(_readable(rest, largest - size))
            return Inflated(b"".join(parts), f"gzip is damaged: {error}")
        parts.append(part)
        size += len(part)
        if size > largest:
            return Inflated(b"".join(parts)[:largest], f"text is larger than {largest} bytes")
        if not member.eof:
            return Inflated(b"".join(parts), "gzip is truncated")
        rest = member.unused_data
    junk = rest.strip(b"\0")  # tools pad gzip with zeros
    problem = f"{len(junk)} bytes that are not gzip follow the gzip data" if junk else ""
    return Inflated(b"".join(parts), problem)


def _readable(member: bytes, largest: int) -> bytes:
    """The text of a damaged member up to the damage.

    A call that fails yields nothing, so the place of the damage is closed in on with ever smaller
    steps, each time from the start.
    """
    good, text = 0, b""
    for step in (65_536, 256, 1):
        stream = isal_zlib.decompressobj(_GZIP)
        text = stream.decompress(member[:good]) if good else b""
        parts = [text]
        try:
            while good < len(member) and len(text) <= largest:
                parts.append(stream.decompress(member[good : good + step]))
                good += step
        except _DAMAGED:
            pass
        text = b"".join(parts)
    return text[:largest]
