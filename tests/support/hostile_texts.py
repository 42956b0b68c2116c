"""Kinds of hostile text: damage, odd framings, odd records."""

from __future__ import annotations

import json
from typing import Any

from hostile_maker import Made, Maker, good
from waf_logs import line, record

_MEMBERS = (*record(0), "responseCodeSent", "oversizeFields", "clientAsn", "ja4Fingerprint")
_REQUEST_MEMBERS = tuple(record(0)["httpRequest"])
_BAD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    "text",
    "2026-11-04T00:00:00Z",
    "\u0000\u001b[31m\u2028",
    "'; drop table requests; --",
    "[[[[",
    '[{"name":"\\ud800"}]',
    [],
    [None],
    [[[]]],
    {},
    {"a": {"b": [1, {"c": None}]}},
)
_JUNK = (
    b"# a comment",
    b"not json }}",
    b'{"timestamp": 17937504',
    b'{"cut":"in a string',
    b'{"cut":"behind a backslash\\',
    b'{"cut":{"nested":[1,2',
    b'{"labels":[',
    b'{"httpRequest":',
    b'{"a": 1 "b": 2}',
    b"\x00\x01\x02",
    b"\xff\xfe{\x00",
    b"\xed\xa0\x80",
    b"42",
    b"null",
    b'"text"',
    b"[1, 2",
    b"<html><body>503 Slow Down</body></html>",
)
SEPARATORS = ("\n", "\r\n", "\r", "", "\n\n\n", ",\n", " ", "\ufeff", "\n\x1e", "]\n[")


def flipped_bytes(make: Maker) -> Made:
    mutant = bytearray(line(make.mutant()))
    for _ in range(make.rng.choice((1, 1, 2, 20))):
        mutant[make.rng.randrange(len(mutant))] ^= 1 << make.rng.randrange(8)
    return make.among(bytes(mutant))


def moved_bytes(make: Maker) -> Made:
    mutant = line(make.mutant())
    start = make.rng.randrange(len(mutant))
    end = min(len(mutant), start + make.rng.choice((1, 2, 50, 400)))
    piece = mutant[start:end]
    other = make.rng.choice((b"", piece * 2, piece[::-1]))
    return make.among(mutant[:start] + other + mutant[end:])


def cut_text(make: Maker) -> Made:
    goods = make.goods()
    mutant = line(make.mutant())
    text = b"\n".join([*goods.values(), mutant[: make.rng.randrange(1, len(mutant))]])
    return Made(make.packed(text), tuple(goods))


def cut_in_a_character(make: Maker) -> Made:
    goods = make.goods()
    mutant = line(make.mutant())
    cut = mutant.index("😀".encode()) + make.rng.randint(1, 3)
    return Made(make.packed(b"\n".join([*goods.values(), mutant[:cut]])), tuple(goods))


def junk_lines(make: Maker) -> Made:
    return make.among(*make.rng.sample(_JUNK, 3), make.rng.randbytes(200))


def junk_before_a_record(make: Maker) -> Made:
    goods = make.goods()
    junk = bytes(set(make.rng.randbytes(30)) - set(b"{\r\n"))
    return Made(make.packed(b"".join(junk + one for one in goods.values())), tuple(goods))


def mixed_framing(make: Maker) -> Made:
    goods = make.goods(8)
    text = make.rng.choice(("", "\ufeff", "[", "\r\n"))
    for one in goods.values():
        indent = make.rng.choice((None, None, 0, 2))
        text += json.dumps(json.loads(one), indent=indent, ensure_ascii=False)
        text += make.rng.choice(SEPARATORS)
    return Made(make.packed(text.encode()), tuple(goods))


def pretty_and_damaged(make: Maker) -> Made:
    goods = make.goods()
    texts = [json.dumps(json.loads(one), indent=1) for one in goods.values()]
    broken = json.dumps(make.mutant(), indent=1)
    texts.insert(make.rng.randint(0, len(texts)), broken[: make.rng.randrange(len(broken))])
    return Made(make.packed("\n".join(texts).encode()), tuple(goods))


def export_times(make: Maker) -> Made:
    goods = make.goods()
    stamp = b"2026-11-04T00:00:01.000Z "
    return Made(b"\n".join(stamp + one for one in goods.values()), tuple(goods))


def nothing_at_all(make: Maker) -> Made:
    texts = (b"", b"{}", b"[]", b"\n\n", b"\xef\xbb\xbf", b"[{},{}]", b"\x00" * 100, b"{", b" ")
    return Made(make.packed(make.rng.choice(texts)), ())


def wrong_value(make: Maker) -> Made:
    mutants = []
    for value in make.rng.sample(_BAD_VALUES, 4):
        mutants.append(make.mutant(**{make.rng.choice(_MEMBERS): value}))
        request = mutants[-1]["httpRequest"]
        if isinstance(request, dict) and request is not value:
            request[make.rng.choice(_REQUEST_MEMBERS)] = value
    return make.among(*(json.dumps(one).encode() for one in mutants))


def missing_member(make: Maker) -> Made:
    mutants = [make.mutant() for _ in range(3)]
    for one in mutants:
        del one[make.rng.choice(tuple(one))]
    return make.among(*map(line, mutants))


def repeated_member(make: Maker) -> Made:
    mutant = line(make.mutant())
    again = make.rng.choice(
        (b'"timestamp":1', b'"action":null', b'"labels":[]', b'"httpRequest":{}')
    )
    front, back = b"{" + again + b"," + mutant[1:], mutant[:-1] + b"," + again + b"}"
    return make.among(front, back)


def strange_number(make: Maker) -> Made:
    numbers = (b"NaN", b"-Infinity", b"1e999", b"9" * 30, b"9" * 5000, b"-0", b"1E3", b"007")
    mutant = line(make.mutant(unknown=0, clientAsn=None))
    value = make.rng.choice(numbers)
    return make.among(
        mutant.replace(b'"unknown":0', b'"unknown":' + value),
        mutant.replace(b'"clientAsn":null', b'"clientAsn":' + value),
    )


def strange_text(make: Maker) -> Made:
    texts = (b"\\ud800", b"\\udc00\\ud800", b"\\u0000", b"\x00", b"\x1b[2J", b"\t\x7f", b"\\x")
    not_utf8 = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe6\xbc")
    return make.among(
        line(make.mutant()).replace(b"top", make.rng.choice(texts)),
        line(make.mutant()).replace(b"fragment", make.rng.choice(texts)),
        line(make.mutant()).replace(b"top", make.rng.choice(not_utf8)),
        line(make.mutant()).replace(b"fragment", make.rng.choice(not_utf8)),
    )


def deep_nesting(make: Maker) -> Made:
    depth = make.rng.choice((10, 100, 400, *range(950, 1001, 5), 5000))
    opened, closed = make.rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"labels":', b"}]")))
    deep = opened * depth + b"1" + closed * depth
    whole = line(make.mutant(deep=0)).replace(b'"deep":0', b'"deep":' + deep)
    as_text = line(make.mutant(labels=deep.decode()))
    return make.among(whole, as_text, opened * depth)


def other_names(make: Maker) -> Made:
    lowered = line({key.lower(): value for key, value in make.mutant().items()})
    both = line(make.mutant(Timestamp=5, ACTION="x", Labels={"a": None}))
    maps = line(
        make.mutant(
            labels={"a": None, "b.c[0]": {"name": "other"}},
            rateBasedRuleList={"limit": {"limitKey": "IP"}},
            **{"httpRequest.body": 1, "": 2},
        )
    )
    return make.among(lowered, both, maps)


def long_text(make: Maker) -> Made:
    return make.among(line(make.mutant(unknown="x" * 2_000_000)))


def many_lists(make: Maker) -> Made:
    labels = [{"name": f"label:{number}"} for number in range(20_000)]
    return make.among(line(make.mutant(labels=labels, unknown=[{}] * 20_000)))


def ten_megabytes(make: Maker) -> Made:
    return make.among(line(make.mutant(unknown="é" * 5_000_000)))


def huge_line(make: Maker) -> Made:
    return make.among(line(make.mutant(unknown=["x" * 100] * 500_000)))


def huge_damaged_line(make: Maker) -> Made:
    return make.among(line(make.mutant(unknown=["x" * 100] * 500_000))[:-2])


def huge_pretty(make: Maker) -> Made:
    goods = make.goods(1)
    mutants = [good(number, "mutant") for number in range(3_000)]
    values = [*mutants, *map(json.loads, goods.values())]
    return Made(json.dumps(values, indent=1, ensure_ascii=False).encode(), tuple(goods))
