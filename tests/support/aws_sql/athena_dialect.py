"""What Athena's parser accepts: DuckDB, and sqlglot, accept far more.

Athena answers a text it cannot parse at once (StartQueryExecution fails); names, types and
functions it checks when the query runs (the execution fails). This file is the first half.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from aws_sql.athena_functions import TYPES


class Malformed(Exception):
    """The text does not parse; Athena names line and column."""

    def __init__(self, token: Token | None, problem: str) -> None:
        line, column = (token.line, token.col - len(token.text) + 1) if token else (1, 1)
        super().__init__(f"line {line}:{column}: {problem}")


# Operators and marks that Trino's grammar does not have.
_MARKS = {
    TokenType.DCOLON,
    TokenType.L_BRACE,
    TokenType.DSTAR,
    TokenType.NULLSAFE_EQ,
    TokenType.ILIKE,
    TokenType.SIMILAR_TO,
    TokenType.RLIKE,
    TokenType.TILDE,
    TokenType.DAT,
    TokenType.PARAMETER,
    TokenType.QUALIFY,
    TokenType.PIVOT,
    TokenType.UNPIVOT,
    TokenType.ASOF,
    TokenType.SEMI,
    TokenType.ANTI,
    TokenType.UNKNOWN,
}
_TEXTS = {"==", "^", "//", "**", "&", "|", "<<", ">>"}
_UNITS = {"second", "minute", "hour", "day", "week", "month", "year"}
_UNLOAD = re.compile(
    r"\s*unload\s*\((?P<query>.*)\)\s*to\s*'(?P<target>[^']*)'\s*"
    r"with\s*\((?P<options>[^()]*)\)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(r"(\w+)\s*=\s*'([^']*)'")


def parse(text: str) -> exp.Expr:
    """The tree of one statement. Raises Malformed."""
    try:
        tokens = sqlglot.tokenize(text, dialect="trino")
        parsed = sqlglot.parse(text, dialect=Athena)
    except ParseError as error:
        where = error.errors[0]
        raise Malformed(None, f"mismatched input '{where['highlight']}'") from error
    except TokenError as error:
        raise Malformed(None, str(error)) from error
    if len(parsed) != 1 or parsed[0] is None:
        raise Malformed(None, "mismatched input. Expecting: one statement")
    tree = parsed[0]
    if not isinstance(tree, exp.Query | exp.Create | exp.Insert | exp.Drop):
        raise Malformed(None, f"Queries of this type are not supported: {tree.key}")
    if isinstance(tree, exp.Query) or isinstance(tree.args.get("expression"), exp.Query):
        _check_tokens(tokens)
        _check_tree(tree)
    return tree


def unload_parts(text: str) -> tuple[str, str, dict[str, str]] | None:
    """Query, target and options (names in lower case) of an UNLOAD, else None."""
    if not (match := _UNLOAD.fullmatch(text)):
        return None
    options = {name.lower(): value for name, value in _OPTION.findall(match["options"])}
    return match["query"], match["target"], options


def _check_tokens(tokens: Sequence[Token]) -> None:
    for before, token, after in zip([None, *tokens[:-1]], tokens, [*tokens[1:], None], strict=True):
        if token.token_type in _MARKS or token.text in _TEXTS:
            raise Malformed(token, f"mismatched input '{token.text}'")
        if token.token_type is TokenType.L_BRACKET and not _subscripts(before):
            raise Malformed(token, "mismatched input '['. Expecting: <expression>")
        if token.token_type is TokenType.COMMA and _ends_a_list(after):
            raise Malformed(token, "mismatched input after ','. Expecting: <expression>")
        if token.token_type is TokenType.INTERVAL:
            _check_interval(tokens, tokens.index(token))
        if token.token_type is TokenType.STRING and _is_prefixed(before, token):
            raise Malformed(before, f"mismatched input '{token.text}'")
    if tokens[0].token_type is TokenType.FROM:
        raise Malformed(tokens[0], "mismatched input 'from'. Expecting: 'SELECT'")
    _check_order(tokens)
    _check_types(tokens)


def _subscripts(before: Token | None) -> bool:
    closing = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.VAR, TokenType.IDENTIFIER}
    return before is not None and (
        before.token_type in closing or before.token_type is TokenType.ARRAY
    )


def _ends_a_list(after: Token | None) -> bool:
    ends = {TokenType.FROM, TokenType.WHERE, TokenType.R_PAREN, TokenType.ORDER_BY}
    return after is None or after.token_type in ends


def _check_interval(tokens: Sequence[Token], at: int) -> None:
    rest = [token for token in tokens[at + 1 : at + 4] if token.text not in "+-"][:2]
    fits = (
        len(rest) == 2
        and rest[0].token_type is TokenType.STRING
        and rest[0].text.lstrip("-").isdigit()
        and rest[1].text.lower() in _UNITS
    )
    if not fits:
        raise Malformed(tokens[at], "mismatched input after 'interval'. Expecting: '1' minute")


def _is_prefixed(before: Token | None, token: Token) -> bool:
    """Whether this is the E'…' of PostgreSQL and DuckDB, or the like."""
    return (
        before is not None and before.token_type is TokenType.VAR and before.end + 1 == token.start
    )


def _check_order(tokens: Sequence[Token]) -> None:
    """Trino writes OFFSET before LIMIT."""
    for token, number, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.token_type is TokenType.LIMIT and after.token_type is TokenType.OFFSET:
            raise Malformed(after, f"mismatched input '{after.text}'. Expecting: <EOF>")
        if token.token_type is TokenType.LIMIT and number.token_type is TokenType.L_PAREN:
            raise Malformed(number, "mismatched input '('. Expecting: 'ALL', <integer>")


def _check_types(tokens: Sequence[Token]) -> None:
    """The type named in each CAST, as written: sqlglot forgets which alias it was."""
    casts: list[int] = []
    depth = 0
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.L_PAREN:
            depth += 1
            if index and tokens[index - 1].text.lower() in ("cast", "try_cast"):
                casts.append(depth)
        elif token.token_type is TokenType.R_PAREN:
            casts = [open_at for open_at in casts if open_at != depth]
            depth -= 1
        elif token.token_type is TokenType.ALIAS and casts[-1:] == [depth]:
            named = tokens[index + 1]
            if named.text.lower() not in TYPES:
                raise Malformed(named, f"Unknown type: {named.text}")


# Parts of a tree that only other databases write.
_FOREIGN: dict[type[exp.Expr], str] = {
    exp.Qualify: "qualify",
    exp.TableSample: "sample",
    exp.ILike: "ilike",
    exp.Pivot: "pivot",
    exp.Kwarg: "=>",
}


def _check_tree(tree: exp.Expr) -> None:
    for node in tree.walk():
        if word := _FOREIGN.get(type(node)):
            raise Malformed(None, f"mismatched input '{word}'")
        if isinstance(node, exp.Star) and (node.args.get("except_") or node.args.get("replace")):
            raise Malformed(None, "mismatched input 'exclude'")
        if isinstance(node, exp.Group) and node.args.get("all"):
            raise Malformed(None, "mismatched input 'all'. Expecting: <expression>")
        if isinstance(node, exp.Distinct) and node.args.get("on"):
            raise Malformed(None, "mismatched input 'on'")
        if isinstance(node, exp.Ordered) and node.this.name.lower() == "all":
            raise Malformed(None, "mismatched input 'all'. Expecting: <expression>")
