"""Decompresses one object, piece by piece: gzip of any number of members, zstd, or plain text.

Checksums are checked: CRC by ISA-L for gzip, where the writer made one for zstd. What was readable
before damage is kept. Text that is gzip once more, as some forwarders leave it, is decompressed a
second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
from isal import isal_zlib

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LARGEST = 1024**3  # bytes of text taken from one object
_PIECE = 1024**2  # most bytes of text at a time, whatever the input expands to
_INPUT = 256 * 1024
_ZSTD_PIECE = 64 * 1024  # a read that fails yields nothing, so this much may be lost before damage
_MEMBER = GZIP_MAGIC + b"\x08"  # deflate is the only method
_TRIES = 1000  # places that look like the start of a member
_BROKEN = cast(type[Exception], isal_zlib.error)  # declared wrongly in its stubs
_GZIP = 31  # window bits: a gzip header and trailer around 32 KiB windows


@dataclass(frozen=True)
class Inflated:
    """A piece of an object's text; in the last piece, what was wrong (empty if nothing was)."""

    text: bytes
    problem: str = ""


class _DamagedError(Exception):
    """No more text can be had; says why."""


def inflate(data: bytes, largest: int = LARGEST) -> Iterator[Inflated]:
    """The text of an object in order, at least one piece, `largest` bytes at most in all.

    Never raises for bad data.
    """
    size = 0
    problem = ""
    try:
        for text in _text_of(data, largest):
            kept = text[: largest - size]
            size += len(kept)
            yield Inflated(kept)
            if len(kept) < len(text):
                problem = f"text is larger than {largest} bytes"
                break
    except _DamagedError as damage:
        problem = str(damage)
    yield Inflated(b"", problem)


def _text_of(data: bytes, largest: int) -> Iterator[bytes]:
    texts = _decompressed(data, largest)
    for first in texts:
        if first.startswith(GZIP_MAGIC) and not data.startswith(first[:64]):
            inner = b"".join([first, *texts])[:largest]
            yield from _decompressed(inner, largest)
            return
        yield first
        yield from texts


def _decompressed(data: bytes, largest: int) -> Iterator[bytes]:
    if data.startswith(GZIP_MAGIC):
        return _gunzip(data, largest)
    return _unzstd(data) if data.startswith(ZSTD_MAGIC) else _plain(data)


def _plain(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


def _gunzip(data: bytes, largest: int) -> Iterator[bytes]:
    view = memoryview(data)
    start = 0  # of the member
    damage = ""
    while view[start : start + 2] == GZIP_MAGIC:
        member = isal_zlib.decompressobj(_GZIP)
        position, size = start, 0
        while not member.eof:
            block = member.unconsumed_tail or view[position : position + _INPUT]
            if not block:
                raise _DamagedError(f"{damage}gzip is truncated")
            if not member.unconsumed_tail:
                position += len(block)
            try:
                text = member.decompress(block, _PIECE)
            except _BROKEN as error:
                yield _readable(view[start:], largest)[size:]
                start, skipped = _next_member(data, start)
                damage += f"gzip is damaged: {error}{skipped}; "
                break
            size += len(text)
            yield text
        else:
            start = position - len(member.unused_data)
    junk = bytes(view[start:]).strip(b"\0")  # tools pad gzip with zeros
    if junk:
        damage += f"{len(junk)} bytes that are not gzip follow the gzip data"
    if damage:
        raise _DamagedError(damage.removesuffix("; "))


def _unzstd(data: bytes) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        while True:
            try:
                text = stream.read(_ZSTD_PIECE)
            except OSError as error:
                raise _DamagedError(f"zstd is damaged: {error}") from error
            if not text:
                return
            yield text


def _next_member(data: bytes, damaged: int) -> tuple[int, str]:
    """Where an undamaged member may begin after the start of a damaged one, and what to say."""
    start = damaged
    for _ in range(_TRIES):
        start = data.find(_MEMBER, start + 1)
        if start < 0:
            break
        try:
            if isal_zlib.decompressobj(_GZIP).decompress(data[start : start + _INPUT], 1024):
                return start, f", read on at byte {start} of the object"
        except _BROKEN:
            continue
    return len(data), ""


def _readable(member: memoryview, largest: int) -> bytes:
    """The text of a damaged member up to the damage.

    A call that fails yields nothing, so the place of the damage is closed in on with ever smaller
    steps, each time from the start.
    """
    good, text = 0, b""
    for step in (65_536, 256, 1):
        stream = isal_zlib.decompressobj(_GZIP)
        parts = [stream.decompress(member[:good], largest)] if good else []
        size = sum(map(len, parts))
        try:
            while good < len(member) and size < largest and not stream.unconsumed_tail:
                parts.append(stream.decompress(member[good : good + step], largest - size))
                size += len(parts[-1])
                good += step
        except _BROKEN:
            pass
        text = b"".join(parts)
    return text
