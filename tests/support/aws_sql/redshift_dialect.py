"""Redshift's text in DuckDB's words, with Redshift's meaning where the two differ."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from aws_sql.redshift_refuse import refusal

logging.getLogger("sqlglot").setLevel(logging.ERROR)

Schemas = Mapping[str, Mapping[str, Mapping[str, str]]]  # DuckDB's types by schema, table, column


class Refused(Exception):
    """A statement that Redshift would end with `ERROR: …`, the text of this."""


@lru_cache(maxsize=64)
def parsed(sql: str) -> exp.Expression:
    """The one statement that `sql` is, not to be changed. Raises Refused as Redshift would."""
    try:
        tokens = sqlglot.tokenize(sql, read="redshift")
        trees = [tree for tree in sqlglot.parse(sql, read="redshift") if tree is not None]
    except SqlglotError as error:
        raise Refused(f"syntax error: {str(error).splitlines()[0]}") from error
    if len(trees) != 1:
        raise Refused("cannot insert multiple commands into a prepared statement")
    if reason := refusal(trees[0], tokens):
        raise Refused(reason)
    return trees[0]


def placeholders(tree: exp.Expression) -> set[str]:
    """Names of the `:parameters` of a statement."""
    return {node.name for node in tree.find_all(exp.Placeholder)}


def translated(
    tree: exp.Expression, schemas: Schemas, now: datetime, values: Mapping[str, Any]
) -> str:
    """DuckDB's text of a statement; `now` is its clock, `values` are its parameters and counts."""
    tree = tree.copy().transform(_filled, now, values)
    _navigate(tree)
    if isinstance(tree, exp.Query):
        tree = _typed(tree, schemas)
    _whole_numbers(tree)
    _meant(tree)
    return tree.sql("duckdb")


def _filled(node: exp.Expression, now: datetime, values: Mapping[str, Any]) -> exp.Expression:
    """The node with the clock, the parameters and the counts of the session in place."""
    if isinstance(node, exp.CurrentTimestamp):
        return exp.cast(exp.Literal.string(f"{now:%Y-%m-%d %H:%M:%S.%f}"), "timestamp")
    if isinstance(node, exp.CurrentDate):
        return exp.cast(exp.Literal.string(f"{now:%Y-%m-%d}"), "date")
    if isinstance(node, exp.Placeholder):
        return exp.Literal.string(str(values[node.name]))
    if isinstance(node, exp.Anonymous) and node.name.lower() in values:
        return exp.cast(exp.Literal.number(values[node.name.lower()]), "bigint")
    return node


def _navigate(tree: exp.Expression) -> None:
    """Makes `from waf.requests r, r.labels as label` an unnest, also in a subquery."""
    sources = list(tree.find_all(exp.Table))
    aliases = {table.alias.lower() for table in sources if table.alias}
    unnests = tree.find_all(exp.Unnest)
    aliases |= {name.lower() for unnest in unnests for name in unnest.alias_column_names}
    for table in sources:
        if table.db.lower() in aliases:
            path = exp.column(table.name, table=table.db)
            element = exp.TableAlias(columns=[exp.to_identifier(table.alias_or_name)])
            table.replace(exp.Unnest(expressions=[path], alias=element))


def _typed(tree: exp.Query, schemas: Schemas) -> exp.Query:
    """The query with names resolved and types known, as far as they can be."""
    schema = {name: dict(tables) for name, tables in schemas.items()}
    try:
        named = qualify(
            _named(tree), dialect="redshift", schema=schema, validate_qualify_columns=False
        )
    except OptimizeError:
        return tree  # DuckDB will say what is wrong with it
    return annotate_types(named, schema, _annotators(), dialect="redshift")


def _named(tree: exp.Query) -> exp.Query:
    """A copy whose columns without a name have the one that Redshift gives them."""
    tree = tree.copy()
    columns = [column for select in tree.find_all(exp.Select) for column in select.expressions]
    for column in columns:
        if not column.output_name and not column.is_star:
            inner = column.this if isinstance(column, exp.Window | exp.WithinGroup) else column
            name = inner.sql_name().lower() if isinstance(inner, exp.Func) else "?column?"
            column.replace(exp.alias_(column.copy(), name, quoted=True))
    return tree


def _annotators() -> dict[type[exp.Expression], dict[str, Any]]:
    """sqlglot's, with the types that Redshift documents for SUM and AVG of integers."""

    def of_aggregate(annotator: Any, node: exp.AggFunc) -> exp.AggFunc:
        annotator._set_type(node, _aggregate_type(node) or _argument(node).type)
        return node

    own = {"annotator": of_aggregate}
    return {**Redshift.EXPRESSION_METADATA, exp.Sum: own, exp.Avg: own}


def _argument(node: exp.AggFunc) -> exp.Expression:
    return node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this


def _aggregate_type(node: exp.AggFunc) -> exp.DataType | None:
    """What a SUM or AVG of integers answers; None for one of other numbers."""
    argument = _argument(node)
    if not argument.is_type(*exp.DataType.INTEGER_TYPES):
        return None
    if isinstance(node, exp.Sum) and argument.is_type("bigint"):
        return exp.DataType.build("decimal(38, 0)")
    return exp.DataType.build("bigint")


def _whole_numbers(tree: exp.Expression) -> None:
    """Casts SUM and AVG of integers, whose types in DuckDB are others, to those of Redshift."""
    for node in list(tree.find_all(exp.Sum, exp.Avg)):
        kind = _aggregate_type(node)
        if kind is None:
            continue
        over = node.parent if isinstance(node.parent, exp.Window) else None
        whole = over if over is not None and over.this is node else node
        value = exp.Trunc(this=whole.copy()) if isinstance(node, exp.Avg) else whole.copy()
        whole.replace(exp.cast(value, kind))


def _meant(tree: exp.Expression) -> None:
    """Changes what DuckDB must read otherwise to do what Redshift does."""
    for node in reversed(list(tree.walk())):
        if isinstance(node, exp.Concat):  # of NULL and something is NULL
            both = [argument.copy() for argument in node.expressions]
            node.replace(exp.paren(exp.DPipe(this=both[0], expression=both[1])))
        elif isinstance(node, exp.Trunc) and node.this.is_type("timestamp"):
            node.replace(exp.cast(node.this.copy(), "date"))
        elif isinstance(node, exp.RegexpReplace):  # replaces every match
            flags = node.text("modifiers")  # "p" is how DuckDB reads all expressions
            node.set("position", None)
            node.set("modifiers", exp.Literal.string("gi" if "i" in flags else "g"))
        elif isinstance(node, exp.GroupConcat):
            if isinstance(node.this, exp.Distinct) and len(node.this.expressions) > 1:
                node.set("separator", node.this.expressions[1].pop())
            node.set("separator", node.args.get("separator") or exp.Literal.string(""))
        elif isinstance(node, exp.Like | exp.ILike) and "\\" in node.expression.name:
            _escaped_by_backslash(node)


def _escaped_by_backslash(node: exp.Like | exp.ILike) -> None:
    """Says what needs no saying in Redshift."""
    if not isinstance(node.parent, exp.Escape):
        node.replace(exp.Escape(this=node.copy(), expression=exp.Literal.string("\\")))
