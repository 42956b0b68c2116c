"""SQL statements of PostgreSQL without their literals, so that they can be counted and shown.

What is not surely a name, a keyword or an operator becomes `?`, and where reading gets unsure the
rest is left out: a statement may be cut anywhere, also within a text that must not be seen.
"""

from __future__ import annotations

import hashlib
import re

_TOKEN = re.compile(
    r"""
      (?P<space>(?:\s|--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/)+)  # no comment inside another
    | (?P<literal>
          [eE]'(?:[^'\\]|\\.|'')*+'
        | (?:[bBnNxX]|[uU]&)?'(?:[^'\\]|'')*+'
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
        | \$\d+
        | \.?\d[\w.]*(?:(?<=[eE])[+-]\d\w*)?
      )
    | (?P<name>(?:[uU]&)?"(?:[^"]|"")*+"|[^\W\d][\w$]*)
    | (?P<unsure>['"$\\]|/\*)
    | (?P<operator><=|>=|<>|!=|::|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LIST = re.compile(r"\?(?: , \?)+")
_TIGHT = re.compile(r"(?<=[(.]) | (?=[),.;])|(?<=::) | (?=::)")
_LONGEST = 1024


def without_literals(statement: str) -> str:
    """The statement on one line, each literal and parameter, or list of them, as one `?`."""
    pieces: list[str] = []
    for match in _TOKEN.finditer(statement):
        kind = match.lastgroup
        if kind == "unsure":
            pieces.append("?")
            break
        if kind == "name":
            pieces.append(match[0] if '"' in match[0] else match[0].lower())
        elif kind != "space":
            pieces.append("?" if kind in ("literal", "tag") else match[0])
    return _TIGHT.sub("", _LIST.sub("?", " ".join(pieces)))[:_LONGEST]


def digest(plain: str, query_id: int | None) -> str:
    """16 hexadecimal digits for all statements that differ in literals only.

    `query_id` is the server's own; without one they are those of the text `without_literals`.
    """
    if query_id is None:
        return hashlib.sha256(plain.encode()).hexdigest()[:16]
    return f"{query_id % 2**64:016x}"
