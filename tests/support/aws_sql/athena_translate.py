"""A query that Athena accepts, in DuckDB's words and with Trino's meaning."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp

from aws_sql.athena_checks import Refused, Schema, checked


def translate(tree: exp.Expr, text: str, schema: Schema) -> str:
    """DuckDB's SQL for a query over tables of `schema`. Raises Refused."""
    tree = checked(tree, text, schema)
    # Innermost first: a mended node is text, which must hold its mended operands.
    for node in reversed(list(tree.walk())):
        if mend := _MENDS.get(type(node)):
            mended = mend(node)
            if node is tree:
                tree = mended
            elif mended is not node:
                node.replace(mended)
    return tree.sql(dialect="duckdb", identify=True)


def _duckdb(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, dialect="duckdb")


def _sql(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb", identify=True)


def _divide(node: exp.Div) -> exp.Expr:
    """Whole numbers divide to a whole number; DuckDB would answer a fraction."""
    if all(
        side.type and side.type.is_type(*exp.DataType.INTEGER_TYPES)
        for side in (node.left, node.right)
    ):
        return _duckdb(f"cast(({_sql(node.left)}) // ({_sql(node.right)}) as bigint)")
    if any(
        side.type and side.type.is_type(*exp.DataType.REAL_TYPES)
        for side in (node.left, node.right)
    ):
        return _duckdb(f"({_sql(node.left)}) / ({_sql(node.right)})")
    return exp.func("trino_div", node.left.copy(), node.right.copy())


def _concat(node: exp.Concat) -> exp.Expr:
    """NULL if one is NULL; DuckDB would skip it."""
    return _duckdb("(" + " || ".join(f"({_sql(part)})" for part in node.expressions) + ")")


def _extreme(node: exp.Greatest | exp.Least) -> exp.Expr:
    """NULL if one is NULL; DuckDB would skip it."""
    values = [_sql(value) for value in (node.this, *node.expressions)]
    missing = " or ".join(f"({value}) is null" for value in values)
    return _duckdb(f"case when {missing} then null else {node.key}({', '.join(values)}) end")


def _extract(node: exp.RegexpExtract) -> exp.Expr:
    """NULL where nothing matches; DuckDB would answer ''."""
    text, pattern = _sql(node.this), _sql(node.expression)
    group = _sql(node.args["group"]) if node.args.get("group") else "0"
    return _duckdb(
        f"case when regexp_matches({text}, {pattern}) "
        f"then regexp_extract({text}, {pattern}, {group}) end"
    )


def _replace(node: exp.RegexpReplace) -> exp.Expr:
    """Every match, as Trino does; a group is $1 there and \\1 in DuckDB."""
    with_text = _sql(node.args["replacement"]) if node.args.get("replacement") else "''"
    with_text = re.sub(r"\$(\d)", r"\\\1", with_text)
    return _duckdb(f"regexp_replace({_sql(node.this)}, {_sql(node.expression)}, {with_text}, 'g')")


def _difference(node: exp.DateDiff) -> exp.Expr:
    """Whole units that have passed; DuckDB's date_diff counts boundaries."""
    unit = node.args["unit"].name.lower()
    return _duckdb(f"date_sub('{unit}', {_sql(node.expression)}, {_sql(node.this)})")


def _as_date(node: exp.TimestampTrunc | exp.DateTrunc | exp.DateAdd) -> exp.Expr:
    """A date stays a date."""
    if node.this.type is None or not node.this.type.is_type("date"):
        return node
    return _duckdb(f"cast({_sql(node)} as date)")


def _as_text(node: exp.JSONFormat) -> exp.Expr:
    """NULL stays NULL; to_json would make it the text null."""
    return _duckdb(f"cast({_sql(node.this)} as varchar)")


def _part(node: exp.SplitPart) -> exp.Expr:
    parts = [node.this, node.args["delimiter"], node.args["part_index"]]
    return exp.func("trino_split_part", *(part.copy() for part in parts))


def _unnest(node: exp.Unnest) -> exp.Expr:
    columns = [f"unnest({_sql(array)})" for array in node.expressions]
    if node.args.get("offset"):
        columns.append(f"generate_subscripts({_sql(node.expressions[0])}, 1)")
    alias = node.args["alias"].copy() if node.args.get("alias") else None
    if alias is not None and isinstance(node.args.get("offset"), exp.Identifier):
        alias.append("columns", node.args["offset"].copy())
    lateral = exp.Lateral(this=exp.Subquery(this=_duckdb(f"select {', '.join(columns)}")))
    lateral.set("alias", alias)
    return lateral


def _subscript(node: exp.Bracket) -> exp.Expr:
    """Beyond the end is an error; element_at answers NULL, as DuckDB does for both."""
    if node.args.get("safe") or not (node.this.type and node.this.type.is_type("array")):
        return node
    array, element = _sql(node.this), _sql(node)
    index = element[len(array) + 1 : -1]
    return _duckdb(f"case when trino_has({array}, {index}) then {element} end")


def _anonymous(node: exp.Anonymous) -> exp.Expr:
    if node.name.lower() == "format_datetime":
        return _formatted(*node.expressions)
    if name := _MACROS.get(node.name.lower()):
        return exp.func(name, *(argument.copy() for argument in node.expressions))
    return node


def _formatted(instant: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    """Joda's letters are written out; others than these are not played."""
    written = re.sub("|".join(_JODA), lambda letters: _JODA[letters[0]], pattern.name)
    if not pattern.is_string or re.search("(?<!%)[A-Za-z]", written):
        raise Refused(f"NOT_SUPPORTED: the pattern {pattern.name!r} is not played")
    return _duckdb(f"strftime(cast({_sql(instant)} as timestamp), '{written}')")


_MACROS = {"from_unixtime_nanos": "trino_from_nanos", "to_iso8601": "trino_iso8601"}
_JODA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}

_MENDS: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Div: _divide,
    exp.Concat: _concat,
    exp.Greatest: _extreme,
    exp.Least: _extreme,
    exp.RegexpExtract: _extract,
    exp.RegexpReplace: _replace,
    exp.DateDiff: _difference,
    exp.TimestampTrunc: _as_date,
    exp.DateTrunc: _as_date,
    exp.DateAdd: _as_date,
    exp.JSONFormat: _as_text,
    exp.SplitPart: _part,
    exp.Unnest: _unnest,
    exp.Bracket: _subscript,
    exp.Anonymous: _anonymous,
}
