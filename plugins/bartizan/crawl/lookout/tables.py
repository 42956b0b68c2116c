"""Which tables a query names."""

from __future__ import annotations

from collections.abc import Sequence

from bartizan.crawl.tokens import Token, groups

_FROM_WITHOUT_TABLE = {"extract", "overlay", "substring", "trim"}  # extract(hour from ts)


def table_names(code: Sequence[Token]) -> list[str]:
    """Names in lower case that FROM and JOIN read, but for those of the query's own WITH."""
    own = {
        name.key.strip('"').lower()
        for name, as_, opening in zip(code, code[1:], code[2:], strict=False)
        if name.is_name and as_.key == "as" and opening.key == "("
    }
    inside, found = groups(code), dict[str, None]()
    for place, token in enumerate(code):
        called = code[inside[place] - 1].key if inside[place] > 0 else ""
        if token.key in ("from", "join") and called not in _FROM_WITHOUT_TABLE:
            found |= dict.fromkeys(_named(code, place + 1))
    return [name for name in found if name not in own]


def _named(code: Sequence[Token], place: int) -> list[str]:
    """Table names of the comma list at `place`, with their schemas."""
    names = []
    while place < len(code) and code[place].is_name:
        parts = [code[place].key.strip('"').lower()]
        place += 1
        while place + 1 < len(code) and code[place].key == ".":
            parts.append(code[place + 1].key.strip('"').lower())
            place += 2
        names.append(".".join(parts))
        place += place < len(code) and code[place].key == "as"
        if place + 1 < len(code) and code[place].is_name and code[place + 1].key == ",":
            place += 1
        if place >= len(code) or code[place].key != ",":
            break
        place += 1
    return names
