"""Turns a query around a moving clock into one over [start, end)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bartizan.crawl.folder import identifier
from bartizan.crawl.lint import END, START
from bartizan.crawl.lookout.clock import Bound, bounds
from bartizan.crawl.tokens import Token, groups, require_select, tokens
from bartizan.errors import ConfigError

_FLAGS = re.IGNORECASE | re.DOTALL
_UNLOAD = re.compile(
    r"\s*unload\s*\(\s*(?:'(?P<quoted>(?:[^'\\]|''|\\.)*+)'|\$\$(?P<dollar>.*?)\$\$)\s*\)(?P<rest>.*)",
    _FLAGS,
)
_LEADING = re.compile(r"\A(?:\s++|--[^\n]*+\n|/\*.*?\*/)++", _FLAGS)  # spaces and comments
_TOUCHING = {"word", "number"}
_HIDDEN = "\N{WHITE SQUARE}"  # stands for a window when two queries are compared


@dataclass(frozen=True)
class Rewritten:
    """`query` uses the window; `changed` and `dropped` say what was done, `look_at` what may be
    wrong with it."""

    query: str
    changed: tuple[str, ...]
    dropped: tuple[str, ...]
    look_at: tuple[str, ...]


def unwrapped(text: str, origin: str) -> Rewritten:
    """The one SELECT of a file: without UNLOAD, the escapes it needs, and the last semicolon.

    Raises ConfigError for a file with no query, with several, or with another statement.
    """
    changed, dropped = [], []
    text = text.removeprefix("\ufeff")
    body = _LEADING.sub("", text)
    if re.match(r"unload\b", body, _FLAGS):
        text, rest = _unloaded(body, origin)
        dropped.append(f"UNLOAD around the query: {rest}")
    elif _is_doubled(tokens(text, origin)):
        text = text.replace("''", "'")
        changed.append("doubled quotes, which the original needed inside its UNLOAD, are single")
    code = tokens(text, origin)
    while code and code[-1].key == ";":
        text, code = text[: code[-1].start], code[:-1]
    require_select(code, origin)
    return Rewritten(text.strip(), tuple(changed), tuple(dropped), ())


def over_window(query: str, timestamp: str, origin: str) -> Rewritten:
    """The query with every comparison of a time column with a clock put on [start, end).

    One that has only one side gets both. The whole query is filtered on `timestamp` where that
    does not suffice: without any comparison, and with one that an OR makes optional.
    """
    code = tokens(query, origin)
    found, column = bounds(code), _time_column(code, timestamp)
    replaced = [one for one in found if _is_window(one, found, column)]
    changed: list[str] = []
    text = query
    for one in reversed(replaced):
        wanted = _wanted(one, replaced)
        text = text[: code[one.first].start] + wanted + text[code[one.last - 1].end :]
        changed.insert(0, f"{_text(query, code, one)}  ->  {wanted}")
    look_at = [
        *(f"{_text(query, code, one)}: left as it is" for one in found if one not in replaced),
        *(f"{_text(query, code, one)}: stands beside OR" for one in replaced if one.optional),
        *_elsewhere(replaced, column),
    ]
    if not replaced or any(one.optional for one in replaced):
        text = _filtered(text, timestamp)
        changed.append(f"the whole query is filtered on {timestamp}")
    return Rewritten(text, tuple(changed), (), tuple(look_at))


def difference(live: str, history: str, timestamp: str, origin: str) -> str | None:
    """The first place where two queries differ in more than their windows, None where nowhere."""
    ours, theirs = (_windowless(query, timestamp, origin) for query in (live, history))
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for tag, first, last, other_first, other_last in matcher.get_opcodes():
        if tag != "equal":
            one, other = ours[first:last], theirs[other_first:other_last]
            return f"live has {_some(one)} where history has {_some(other)}"
    return None


def _unloaded(text: str, origin: str) -> tuple[str, str]:
    """The query of an UNLOAD, and what stands behind it: target, role, options."""
    match = _UNLOAD.fullmatch(text)
    if not match:
        raise ConfigError(origin, "its UNLOAD has no quoted query", "write UNLOAD ('select …')")
    if any(token.key == ";" for token in tokens(match["rest"], origin)[:-1]):
        raise ConfigError(origin, "holds several statements", "leave the one that selects")
    quoted = match["quoted"]
    query = match["dollar"] if quoted is None else re.sub(r"\\(.)|'(')", r"\1\2", quoted)
    return query, " ".join(match["rest"].split())


def _is_doubled(code: Sequence[Token]) -> bool:
    """Whether text was written to stand between quotes: `''x''` is an empty text that touches x."""
    touching = ((one, other) for one, other in pairwise(code) if one.end == other.start)
    return any(
        (one.text == "''" and other.kind in _TOUCHING)
        or (other.text == "''" and one.kind in _TOUCHING)
        for one, other in touching
    )


def _time_column(code: Sequence[Token], timestamp: str) -> str:
    """The column that the query selects `as <timestamp>`, empty for a call, else that name."""
    inside = groups(code)
    for place in range(2, len(code)):
        column, alias = code[place - 2], code[place - 1]
        named = alias.key == "as" and _last_part(code[place].text) == timestamp.lower()
        in_cast = inside[place] > 0 and code[inside[place] - 1].key == "cast"
        if named and not in_cast:
            return column.text if column.is_name else ""
    return timestamp


def _is_window(one: Bound, found: Sequence[Bound], column: str) -> bool:
    """A bound on the time column, or on the only column its select compares with a clock."""
    others = {other.column.lower() for other in found if other.scope == one.scope}
    return not one.negated and (len(others) == 1 or _is_column(one.column, column))


def _elsewhere(replaced: Sequence[Bound], column: str) -> list[str]:
    others = {one.column for one in replaced if column and not _is_column(one.column, column)}
    return [f"the window is on {other}, the time column is {column}" for other in sorted(others)]


def _is_column(one: str, other: str) -> bool:
    return _last_part(one) == _last_part(other)


def _last_part(column: str) -> str:
    return column.rpartition(".")[2].strip('"').lower()


def _wanted(one: Bound, replaced: Sequence[Bound]) -> str:
    conditions = {"start": f"{one.column} >= {START}", "end": f"{one.column} < {END}"}
    beside = {
        side
        for other in replaced
        if (other.scope, other.column.lower()) == (one.scope, one.column.lower())
        for side in other.sides
    }
    if len(beside) == 2 and len(one.sides) == 1 and not one.optional:
        return conditions[next(iter(one.sides))]
    return f"({conditions['start']} and {conditions['end']})"


def _filtered(query: str, timestamp: str) -> str:
    column = identifier(timestamp)
    return f"""\
select *
from (
{query}
) as imported
where
    {column} >= {START}
    and {column} < {END}"""


def _windowless(query: str, timestamp: str, origin: str) -> list[str]:
    """The words of a query without its windows and the AND or WHERE that held them."""
    code = tokens(query, origin)
    found, column = bounds(code), _time_column(code, timestamp)
    words = [token.key for token in code]
    for one in reversed([one for one in found if _is_window(one, found, column)]):
        words[one.first : one.last] = [_HIDDEN]
    text = re.sub(f"( and {_HIDDEN})+", "", " ".join(words))
    return text.replace(f"{_HIDDEN} and ", "").replace(f" where {_HIDDEN}", "").split(" ")


def _some(words: Sequence[str]) -> str:
    return repr(" ".join(words)) if words else "nothing"


def _text(query: str, code: Sequence[Token], one: Bound) -> str:
    return " ".join(query[code[one.first].start : code[one.last - 1].end].split())
