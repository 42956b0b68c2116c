"""What in a query's text makes it unfit to be run again for any interval."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bartizan.crawl.tokens import Token

# Without a call they are names that a column may have.
_CALLED = frozenset(
    {
        "clock_timestamp",
        "gen_random_uuid",
        "getdate",
        "newid",
        "now",
        "rand",
        "random",
        "setseed",
        "today",
        "transaction_timestamp",
        "uuid",
    }
)
_BARE = frozenset(
    {
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "sysdate",
        "tablesample",
    }
)
START, END = "{{ start }}", "{{ end }}"
_LOSSY = {
    (">", START): f"rows at the start are lost: write >= {START}",
    ("<=", END): f"takes rows of the next interval: write < {END}",
    ("between", START): f"takes rows of the next interval: write >= {START} and < {END}",
}


def moving(code: Sequence[Token]) -> list[str]:
    """Functions of the query whose result depends on when it runs or on chance, each once."""
    names = dict.fromkeys(
        token.key for place, token in enumerate(code) if _is_moving(code, place, token)
    )
    return list(names)


def warnings(code: Sequence[Token]) -> list[str]:
    """What a person should correct, one line each. `waf_logs` is the window's rows already."""
    used = {_placeholder(token) for token in code if token.kind == "placeholder"}
    windowed = any(token.key.strip('"') == "waf_logs" for token in code)
    lacking = [name for name in (START, END) if name not in used and not windowed]
    return [
        *(f"no window bound: {name} is not in the code of the query" for name in lacking),
        *(f"{name} differs from run to run: use {START} and {END}" for name in moving(code)),
        *_lossy(code),
    ]


def _is_moving(code: Sequence[Token], place: int, token: Token) -> bool:
    before = code[place - 1].key if place else ""
    after = code[place + 1].key if place + 1 < len(code) else ""
    if token.kind != "word" or before in (".", "as") or after == ".":
        return False
    return token.key in _BARE or (token.key in _CALLED and after == "(")


def _lossy(code: Sequence[Token]) -> list[str]:
    """Bounds that leave a row between two intervals, or give it to both."""
    pairs = [
        (before.key, _placeholder(token))
        for before, token in pairwise(code)
        if token.kind == "placeholder"
    ]
    return [f"{' '.join(pair)}: {_LOSSY[pair]}" for pair in pairs if pair in _LOSSY]


def _placeholder(token: Token) -> str:
    return f"{{{{ {token.text.strip('{} ')} }}}}"
