"""Kinds of hostile compressed data and envelopes."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from hostile_maker import Made, Maker
from waf_logs import line

_CUT_ZONE = 64  # bytes before a cut in compressed data that readers may fail to see


def cut_gzip(make: Maker) -> Made:
    data, goods = _gzip(make)
    return _readable(data[: make.rng.randrange(1, len(data))], goods)


def flipped_gzip(make: Maker) -> Made:
    data, goods = _gzip(make)
    damaged = bytearray(data)
    damaged[make.rng.randrange(10, len(data) - 8)] ^= 1 << make.rng.randrange(8)
    return _readable(bytes(damaged), goods)


def wrong_checksum(make: Maker) -> Made:
    data, goods = _gzip(make)
    damaged = bytearray(data)
    damaged[-make.rng.randint(1, 8)] ^= 1
    return Made(bytes(damaged), tuple(goods))


def junk_behind_gzip(make: Maker) -> Made:
    data, goods = _gzip(make)
    junk = make.rng.choice((bytes(512), b"\x1f\x8b", b"\x1f\x8b\x08\x00junk", b"\n", b"junk"))
    return Made(data + junk, tuple(goods))


def last_member_damaged(make: Maker) -> Made:
    first, goods = _gzip(make)
    second, others = _gzip(make)
    torn = _readable(second[: make.rng.randrange(1, len(second))], others)
    return Made(first + torn.content, (*goods, *torn.sure), torn.torn)


def members_across_records(make: Maker) -> Made:
    goods = make.goods()
    text = b"\n".join(goods.values())
    cut = make.rng.randrange(len(text))
    members = (text[:cut], b"", text[cut:])
    return Made(b"".join(gzip.compress(one, mtime=0) for one in members), tuple(goods))


def gzip_of_gzip(make: Maker) -> Made:
    return Made(gzip.compress(gzip.compress(make.among().content)), ())


def bomb(make: Maker) -> Made:
    filler = make.rng.choice((b"\x00", b"\n", b"{", b" ", b"a", b"{}\n"))
    return Made(gzip.compress(filler * (9_000 // len(filler))), ())


def bomb_of_line_ends(make: Maker) -> Made:
    return Made(gzip.compress(b"\n" * 5_000_000), ())


def bomb_of_zeros(make: Maker) -> Made:
    return Made(gzip.compress(bytes(50_000_000)), ())


def zstd(make: Maker) -> Made:
    goods = make.goods()
    text = b"\n".join(goods.values())
    return Made(pa.compress(text, codec="zstd", asbytes=True), tuple(goods))


def subscription(make: Maker) -> Made:
    goods = make.goods(6)
    texts = [one.decode() for one in goods.values()]
    junk = make.rng.choice(([], ["not a record"], ["{}"], [None], ['{"timestamp":']))
    parts = (texts[:1], [], texts[1:] + junk)
    envelopes = [line(_envelope(part)) for part in parts] + [line(_envelope([], "CONTROL"))]
    packed = [gzip.compress(one, mtime=0) for one in envelopes]
    form = make.rng.choice(("members", "base64", "text"))
    if form == "members":
        return Made(b"".join(packed), tuple(goods))
    shown = map(base64.b64encode, packed) if form == "base64" else envelopes
    return Made(make.packed(b"\n".join(shown)), tuple(goods))


def _gzip(make: Maker) -> tuple[bytes, dict[int, bytes]]:
    goods = make.goods(8)
    text = b"\n".join(goods.values()) + b"\n"
    return gzip.compress(text, make.rng.choice((1, 6, 9)), mtime=0), goods


def _readable(data: bytes, goods: dict[int, bytes]) -> Made:
    """What zlib, given one byte after the other, can read of damaged gzip."""
    text = b"".join(_inflated(data))
    whole = dict.fromkeys(text[: max(len(text) - _CUT_ZONE, 0)].split(b"\n")[:-1])
    sure = tuple(number for number, one in goods.items() if one in whole)
    return Made(data, sure, tuple(number for number in goods if number not in sure))


def _inflated(data: bytes) -> Iterator[bytes]:
    stream = zlib.decompressobj(31)
    for byte in data:
        try:
            yield stream.decompress(bytes([byte]))
        except zlib.error:
            return


def _envelope(messages: list[str | None], kind: str = "DATA") -> dict[str, Any]:
    events = [{"id": str(n), "timestamp": 1, "message": one} for n, one in enumerate(messages)]
    return {
        "messageType": f"{kind}_MESSAGE",
        "owner": "111122223333",
        "logGroup": "aws-waf-logs-shop",
        "logStream": "cloudfront_shop_site_0",
        "subscriptionFilters": ["all"],
        "logEvents": events,
    }
