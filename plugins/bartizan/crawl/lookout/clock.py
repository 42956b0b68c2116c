"""Finds where a query compares a column with a moving clock: `ts > dateadd(hour, -1, getdate())`.

Understands the forms of Redshift, Athena, PostgreSQL and DuckDB: now-functions, DATEADD,
date_trunc, casts, minus an interval or a number of days. What it does not understand it does not
report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.crawl.tokens import Token, groups

_NOW = {"getdate", "sysdate", "now", "current_timestamp", "current_date", "localtimestamp"}
_SHIFT = {"dateadd", "date_add"}
_TRUNCATE = {"date_trunc", "datetrunc"}
_PLAIN = {"trunc", "date", "timestamp"}
_BEFORE = {"where", "and", "or", "on", "not", "(", "having", "when"}
_AFTER = {"and", "or", ")", "group", "order", "having", "limit", "then", ";"} | {
    "union", "except", "intersect", "qualify",
}  # fmt: skip
_SIDES = {"<": "end", "<=": "end", ">": "start", ">=": "start"}
LONGEST = 40  # tokens of a clock
_MIRRORED = {"start": "end", "end": "start"}
_SETS = {"union", "except", "intersect"}


@dataclass(frozen=True)
class Bound:
    """The tokens [first, last) compare `column` with a clock; `sides` are those of the window that
    they bound, `scope` the select they are in. `optional` is beside an OR, `negated` after NOT."""

    first: int
    last: int
    column: str
    sides: frozenset[str]
    scope: int
    optional: bool
    negated: bool


def bounds(code: Sequence[Token]) -> list[Bound]:
    """All comparisons with a clock, in order."""
    scopes, inside = _scopes(code), groups(code)
    ors = {inside[place] for place, token in enumerate(code) if token.key == "or"}
    found = []
    for place in range(len(code)):
        for first, last, column, sides in _compared(code, place):
            negated = "not" in (_key(code, first - 1), _key(code, inside[first] - 1))
            optional = inside[first] in ors
            found.append(Bound(first, last, column, sides, scopes[first], optional, negated))
    return found


def operand_before(code: Sequence[Token], place: int) -> int | None:
    """Where the column or call that ends before `place` begins; None when there is none."""
    first = place - 1
    if _key(code, first - 1) == "::":
        first -= 2
    if _key(code, first) == ")":
        first = _opening(code, first) - 1
    if first < 0 or not code[first].is_name:
        return None
    while _key(code, first - 1) == "." and first >= 2 and code[first - 2].is_name:
        first -= 2
    return first


_Compared = tuple[int, int, str, frozenset[str]]


def _compared(code: Sequence[Token], place: int) -> list[_Compared]:
    """The comparison whose operator, or whose BETWEEN, is at `place`."""
    key = _key(code, place)
    if key in _SIDES:
        found = _column_first(code, place) or _clock_first(code, place)
    else:
        found = _between(code, place) if key == "between" else None
    return [found] if found else []


def _column_first(code: Sequence[Token], place: int) -> _Compared | None:
    first, last = operand_before(code, place), _clock(code, place + 1)
    if first is None or last is None or not _stands_alone(code, first, last):
        return None
    return first, last, _text(code, first, place), frozenset({_SIDES[code[place].key]})


def _clock_first(code: Sequence[Token], place: int) -> _Compared | None:
    starts = (
        first for first in range(max(place - LONGEST, 0), place) if _clock(code, first) == place
    )
    first, last = next(starts, None), _operand(code, place + 1)
    if first is None or last is None or not _stands_alone(code, first, last):
        return None
    side = _MIRRORED[_SIDES[code[place].key]]
    return first, last, _text(code, place + 1, last), frozenset({side})


def _between(code: Sequence[Token], place: int) -> _Compared | None:
    first, middle = operand_before(code, place), _clock(code, place + 1)
    if first is None or middle is None or _key(code, middle) != "and":
        return None
    last = _clock(code, middle + 1)
    if last is None or not _stands_alone(code, first, last):
        return None
    return first, last, _text(code, first, place), frozenset({"start", "end"})


def _stands_alone(code: Sequence[Token], first: int, last: int) -> bool:
    ends = last >= len(code) or code[last].key in _AFTER
    return ends and _key(code, first - 1) in _BEFORE


def _operand(code: Sequence[Token], place: int) -> int | None:
    """The end of the column at `place`."""
    if place >= len(code) or not code[place].is_name:
        return None
    last = place + 1
    while _key(code, last) == "." and last + 1 < len(code) and code[last + 1].is_name:
        last += 2
    return last


def _clock(code: Sequence[Token], place: int) -> int | None:
    """The end of the clock at `place`, with what is added to it or taken from it."""
    last = _term(code, place)
    while last is not None and _key(code, last) in ("+", "-"):
        last = _span(code, last + 1)
    if last is not None and _key(code, last) == "::":
        last += 2
    return last


def _term(code: Sequence[Token], place: int) -> int | None:
    key = _key(code, place)
    if key in _NOW:
        return _empty_call(code, place + 1)
    if key == "(":
        return _closed(code, _clock(code, place + 1))
    return _closed(code, _argument(code, place))


def _argument(code: Sequence[Token], place: int) -> int | None:
    """The end of the clock in the call at `place`, where its parenthesis should close."""
    key, first = _key(code, place), place + 2
    if _key(code, place + 1) != "(":
        return None
    if key == "cast":
        last = _clock(code, first)
        return last + 2 if last is not None and _key(code, last) == "as" else None
    if key in _SHIFT:  # unit, number, clock
        first += 4 + (_key(code, first + 2) in ("-", "+"))
    elif key in _TRUNCATE:  # unit, clock
        first += 2
    elif key not in _PLAIN:
        return None
    return _clock(code, first)


def _empty_call(code: Sequence[Token], place: int) -> int:
    """The end of `()` or `(6)` at `place`, which a now-function may have."""
    for length in (2, 3):
        if _key(code, place) == "(" and _key(code, place + length - 1) == ")":
            return place + length
    return place


def _span(code: Sequence[Token], place: int) -> int | None:
    """The end of `interval '1' hour`, `interval '1 hour'`, `1` or `1/24` at `place`."""
    if _key(code, place) == "interval":
        last = place + 2
        plain = _key(code, last) in _AFTER | {"::", "+", "-", ""} | set(_SIDES)
        return last if plain else last + 1
    if place >= len(code) or code[place].kind != "number":
        return None
    return place + 3 if _key(code, place + 1) == "/" else place + 1


def _closed(code: Sequence[Token], place: int | None) -> int | None:
    return place + 1 if place is not None and _key(code, place) == ")" else None


def _opening(code: Sequence[Token], place: int) -> int:
    """The parenthesis that the one at `place` closes, or -1."""
    depth = 0
    for at in range(place, -1, -1):
        depth += {")": 1, "(": -1}.get(code[at].key, 0)
        if not depth:
            return at
    return -1


def _scopes(code: Sequence[Token]) -> list[int]:
    """For each token the select it is in: parentheses and set operations begin another."""
    stack, count, result = [0], 0, []
    for place, token in enumerate(code):
        if token.key == "(" and _key(code, place + 1) in ("select", "with"):
            count += 1
            stack.append(count)
        elif token.key == "(":
            stack.append(stack[-1])
        elif token.key == ")" and len(stack) > 1:
            stack.pop()
        elif token.key in _SETS:
            count += 1
            stack[-1] = count
        result.append(stack[-1])
    return result


def _key(code: Sequence[Token], place: int) -> str:
    return code[place].key if 0 <= place < len(code) else ""


def _text(code: Sequence[Token], first: int, last: int) -> str:
    """The tokens as they were written, one space between two names."""
    pieces = [code[first].text]
    for before, token in zip(code[first : last - 1], code[first + 1 : last], strict=True):
        pieces += [" " * (before.end != token.start), token.text]
    return "".join(pieces)
