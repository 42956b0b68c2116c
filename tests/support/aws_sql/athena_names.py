"""What a query calls and reads, as written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType


@dataclass(frozen=True)
class Call:
    """A function call: its name as written, where, and the number of arguments."""

    name: str
    place: str
    arguments: int


def calls(text: str) -> Iterator[Call]:
    """Each word before a parenthesis, but for aliases, CTE names and types.

    By tokens, not by the tree, because sqlglot gives a function the same node under all the names
    it has in any database, and leaves out arguments that Trino does not have.
    """
    tokens = sqlglot.tokenize(text, dialect="trino")
    for index, (token, after) in enumerate(pairwise(tokens)):
        word = token.text.isidentifier() and token.token_type is not TokenType.STRING
        if after.token_type is TokenType.L_PAREN and word and not _names(tokens, index):
            place = f"line {token.line}:{token.col - len(token.text) + 1}"
            yield Call(token.text.lower(), place, _arguments(tokens, index + 1))


def _names(tokens: Sequence[Token], index: int) -> bool:
    """Whether the word names a type, an alias with columns, or a CTE with columns."""
    before = tokens[index - 1].token_type if index else None
    if before in (TokenType.ALIAS, TokenType.R_PAREN, TokenType.VAR, TokenType.IDENTIFIER):
        return True
    closing = _closing(tokens, index + 1)
    following = [token.token_type for token in tokens[closing + 1 : closing + 3]]
    return following == [TokenType.ALIAS, TokenType.L_PAREN]


def _arguments(tokens: Sequence[Token], opening: int) -> int:
    inside = tokens[opening + 1 : _closing(tokens, opening)]
    depths = _depths(inside)
    commas = [token for token, depth in zip(inside, depths, strict=True) if depth == 0]
    return sum(token.token_type is TokenType.COMMA for token in commas) + bool(inside)


def _closing(tokens: Sequence[Token], opening: int) -> int:
    depths = _depths(tokens[opening:])
    return opening + depths.index(0)


def _depths(tokens: Sequence[Token]) -> list[int]:
    """How many parentheses and brackets are open after each token."""
    depth, depths = 0, []
    for token in tokens:
        depth += token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET)
        depth -= token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET)
        depths.append(depth)
    return depths


def tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The tables that a query reads, without the names its WITH defines."""
    defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and (
            table.db or table.name.lower() not in defined
        ):
            yield table
