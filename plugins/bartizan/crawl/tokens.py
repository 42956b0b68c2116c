"""Tokens of SQL text: enough to tell code from strings and comments, whatever the dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from bartizan.errors import ConfigError

DEEPEST = 100  # parentheses

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<placeholder>\{\{.*?\}\})
    | (?P<string>'(?:[^']|'')*+'|\$\$.*?\$\$)
    | (?P<quoted>"(?:[^"]|"")*+")
    | (?P<unclosed>'|"|/\*|\$\$|\{\{)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<operator><=|>=|<>|!=|::|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of code at `start` of its query; `kind` is word, quoted, string, number, placeholder
    or operator. `key` is its text, in lower case for a word."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def key(self) -> str:
        return self.text.lower() if self.kind == "word" else self.text

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")


def tokens(query: str, origin: str) -> list[Token]:
    """The query without spaces and comments. Raises ConfigError for what is never closed."""
    found = []
    for match in _TOKEN.finditer(query):
        kind = str(match.lastgroup)
        if kind == "unclosed":
            line = query.count("\n", 0, match.start()) + 1
            raise ConfigError(origin, f"{match[0]} in line {line} is never closed", "close it")
        if kind not in ("space", "comment"):
            found.append(Token(kind, match[0], match.start()))
    return found


def require_select(code: Sequence[Token], origin: str) -> None:
    """Raises ConfigError unless the query is one SELECT, not nested beyond reading."""
    if any(token.key == ";" for token in code[:-1]):
        raise ConfigError(origin, "holds several statements", "leave the one that selects")
    if not code or code[0].key not in ("select", "with", "("):
        found = code[0].text if code else "nothing"
        raise ConfigError(origin, f"begins with {found!r}", "it must be one SELECT")
    depths = accumulate({"(": 1, ")": -1}.get(token.key, 0) for token in code)
    if (depth := max(depths)) > DEEPEST:
        raise ConfigError(origin, f"has {depth} parentheses inside each other", "simplify it")


def groups(code: Sequence[Token]) -> list[int]:
    """For each token the place of the parenthesis it is in, -1 outside."""
    stack, result = [-1], []
    for place, token in enumerate(code):
        if token.key == ")" and len(stack) > 1:
            stack.pop()
        result.append(stack[-1])
        if token.key == "(":
            stack.append(place)
    return result
