"""Which SQL may run: one SELECT, checked on its parsed tree against an allow-list.

The text that was checked is the text that runs: nothing is generated from the tree, because what
sqlglot writes for another dialect can mean something else without a word of warning (ADR 0003).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from bartizan.engines.allowed import LISTS, PORTABLE, allowed
from bartizan.engines.base import SQL_ENGINES, EngineName
from bartizan.engines.sql import render
from bartizan.errors import ConfigError
from bartizan.model.text import inert, short
from bartizan.model.window import Window

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is refused here

LONGEST, DEEPEST = 200_000, 100  # characters; parentheses inside each other

WAF_LOGS = "waf_logs"  # the window's requests under the names that AWS documents

_DIALECTS = {
    EngineName.DUCKDB: "duckdb",
    EngineName.ATHENA: "athena",
    EngineName.REDSHIFT: "redshift",
    EngineName.POSTGRESQL: "postgres",
}
# Queries are parsed with a window in place, which of them does not matter.
_ANY_WINDOW = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))
_LIST_ENGINES = frozenset({EngineName.DUCKDB, EngineName.ATHENA})
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]*")


@dataclass(frozen=True)
class Admitted:
    """SQL that may run as it stands, and the tables it reads: as `schema.table` in lower case,
    without those of its own WITH."""

    text: str
    tables: tuple[str, ...]


def admit(
    query: str,
    window: Window,
    engine: EngineName,
    origin: str = "query",
    given: Collection[str] = (),
) -> Admitted:
    """`query` with its window filled in as literals, ready for `engine`.

    A query that reads `given` tables, or DuckDB's `waf_logs`, need not use the window. Raises
    ConfigError naming `origin` and what is not allowed.
    """
    tables = tables_of(query, engine, origin)
    # DuckDB's view of that name holds the window only; elsewhere it would be the whole table.
    windowed = not given and not (engine is EngineName.DUCKDB and WAF_LOGS in tables)
    return Admitted(render(query, window, origin, windowed), tables)


@lru_cache(maxsize=512)  # parsing takes milliseconds, and a query runs for many windows
def tables_of(query: str, engine: EngineName, origin: str = "query") -> tuple[str, ...]:
    """The tables that a query reads, as in Admitted. Raises ConfigError as `admit` does."""
    tree = _parsed(render(query, _ANY_WINDOW, origin, windowed=False), engine, origin)
    names, calls = allowed(engine)
    for node in tree.walk():
        _require(node, names, calls, engine, origin)
    return tuple(sorted(set(_tables(tree, origin))))


def unportable(
    query: str, engines: Collection[EngineName] = SQL_ENGINES, origin: str = "query"
) -> list[str]:
    """Why the query may mean something else, or nothing, to one of the engines; [] if it does not.

    Raises ConfigError when an engine's parser refuses it.
    """
    text = render(query, _ANY_WINDOW, origin, windowed=False)
    found: dict[str, None] = {}
    alike = PORTABLE | LISTS if _LIST_ENGINES.issuperset(engines) else PORTABLE
    for engine in engines:
        for node in _parsed(text, engine, origin).walk():
            found |= dict.fromkeys(_differences(node, alike))
    if any(token.token_type is TokenType.DCOLON for token in sqlglot.tokenize(text)):
        found["`::` is not Trino's: write cast(… as …)"] = None
    return list(found)


def _parsed(text: str, engine: EngineName, origin: str) -> exp.Query:
    """The one SELECT that `text` is."""
    dialect = Dialect.get_or_raise(_DIALECTS[engine])
    if len(text) > LONGEST:
        raise ConfigError(origin, f"has {len(text):,} characters", f"at most {LONGEST:,}")
    try:
        tokens = dialect.tokenize(text)
        if (depth := _depth(tokens)) > DEEPEST:
            raise ConfigError(origin, f"has {depth} parentheses inside each other", "simplify it")
        trees = [tree for tree in dialect.parser().parse(tokens, text) if tree is not None]
    except SqlglotError as error:
        raise ConfigError(origin, _reason(error), f"correct the query for {engine}") from error
    except RecursionError as error:
        raise ConfigError(origin, "is nested too deeply", "simplify it") from error
    if len(trees) > 1:
        raise ConfigError(origin, "holds several statements", "leave the one that selects")
    if not trees or not isinstance(trees[0], exp.Query):
        beginning = repr(inert(tokens[0].text)) if tokens else "nothing"
        raise ConfigError(origin, f"begins with {beginning}", "it must be one SELECT")
    return trees[0]


def _require(
    node: exp.Expr,
    names: frozenset[str],
    calls: frozenset[str],
    engine: EngineName,
    origin: str,
) -> None:
    """Raises ConfigError unless the node is one that a query of this engine may have."""
    if isinstance(node, exp.Table):
        alias = node.args.get("alias")
        # sqlglot takes a call whose name is one of its keywords for a table and its columns.
        named = isinstance(node.this, exp.Identifier | exp.GenerateSeries)
        if not named or (alias and not alias.this):
            raise ConfigError(origin, f"reads from {_called(node.this)}(…)", "name a table")
    elif isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        if node.name.lower() not in calls:
            raise _refused(f"{inert(node.name)}()", engine, origin)
    elif node.key not in names:
        raise _refused(_called(node), engine, origin)


def _refused(what: str, engine: EngineName, origin: str) -> ConfigError:
    return ConfigError(
        origin, f"{what} is not allowed in a query of {engine}", "docs/engines.md lists what is"
    )


def _differences(node: exp.Expr, alike: frozenset[str]) -> Iterator[str]:
    """What of a portable query's node is not portable."""
    unknown = isinstance(node, exp.Anonymous | exp.AnonymousAggFunc)
    if (node.name.lower() if unknown else node.key) not in alike:
        yield f"{_called(node)} is not the same to all engines"
    elif isinstance(node, exp.Div) and not isinstance(node.this, exp.Cast):
        yield "a / b drops the fraction or not: write cast(a as double precision) / b"
    elif isinstance(node, exp.Distinct) and node.args.get("on"):
        yield "distinct on is not the same to all engines"
    elif isinstance(node, exp.Group) and node.args.get("all"):
        yield "group by all is not the same to all engines"
    elif isinstance(node, exp.Star) and any(node.args.values()):
        yield "* with exceptions is not the same to all engines"


def _tables(tree: exp.Query, origin: str) -> Iterator[str]:
    """Tables, but for those of the query's own WITH and the arrays of rows it has already."""
    own = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    rows = {
        name.name.lower()
        for alias in tree.find_all(exp.TableAlias)
        for name in (alias, *alias.columns)
    }
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.GenerateSeries):
            continue
        parts = [part.name for part in table.parts]
        if len(parts) > 1 and parts[0].lower() in rows:
            continue
        if bad := [part for part in parts if not _TABLE_NAME.fullmatch(part)]:
            raise ConfigError(origin, f"{inert(bad[0])!r} is no table name", "name a table")
        name = ".".join(parts).lower()
        if name not in own:
            yield name


def _called(node: exp.Expr) -> str:
    """How a person would call the node."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc | exp.Identifier):
        return inert(node.name)
    return node.sql_name().lower() if isinstance(node, exp.Func) else node.key


def _depth(tokens: Sequence[Token]) -> int:
    depth = deepest = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        deepest = max(deepest, depth)
    return deepest


def _reason(error: SqlglotError) -> str:
    """The first line of a parser's message, without its colours."""
    plain = re.sub(r"\x1b\[\d*m", "", str(error)).strip()
    return short(plain.split("\n", maxsplit=1)[0], 300)
