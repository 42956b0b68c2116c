"""What Athena finds wrong with a query that parses: names, where aliases are visible, and types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import OptimizeError, SchemaError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.resolver import Resolver
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from aws_sql.athena_functions import FUNCTIONS, WORDS
from aws_sql.athena_names import calls

Schema = Mapping[str, Mapping[str, Mapping[str, exp.DataType]]]  # schema → table → column → type


class Refused(Exception):
    """The query fails; the text begins with Athena's name of the error."""


class _Dialect(Trino):
    """Trino, with the types of functions that sqlglot does not know."""

    EXPRESSION_METADATA = {  # noqa: RUF012
        **Trino.EXPRESSION_METADATA,
        exp.TimestampTrunc: {"annotator": lambda self, node: self._set_type(node, node.this.type)},
        exp.DateTrunc: {"annotator": lambda self, node: self._set_type(node, node.this.type)},
    }


def checked(tree: exp.Expr, text: str, schema: Schema) -> exp.Expr:
    """The tree with every column's table and every value's type. Raises Refused."""
    _check_calls(text)
    _open_rows(tree)
    known = MappingSchema({**schema}, dialect=_Dialect)
    try:
        tree = qualify(
            tree,
            dialect=_Dialect,
            schema=known,
            expand_alias_refs=False,
            quote_identifiers=False,
            identify=False,
        )
    except (OptimizeError, SchemaError) as error:
        raise Refused(_unresolved(str(error))) from error
    _resolve_having(tree, known)
    tree = annotate_types(tree, schema=known, dialect=_Dialect)
    for node in tree.walk():
        if check := _CHECKS.get(type(node)):
            check(node)
    return tree


def one_column(unnest: exp.Unnest) -> bool:
    """Whether a row stays whole, as the guide has it: UNNEST(headers) AS t(header)."""
    names = unnest.args["alias"].columns if unnest.args.get("alias") else []
    return len(names) == len(unnest.expressions) and not unnest.args.get("offset")


def _check_calls(text: str) -> None:
    for call in calls(text):
        if call.name not in FUNCTIONS and call.name not in WORDS:
            raise Refused(
                f"FUNCTION_NOT_FOUND: {call.place}: Function '{call.name}' not registered"
            )
        if call.name == "regexp_replace" and call.arguments > 3:
            raise Refused(
                f"FUNCTION_NOT_FOUND: {call.place}: Unexpected parameters "
                "(varchar, varchar, varchar, varchar) for function regexp_replace"
            )


def _open_rows(tree: exp.Expr) -> None:
    """`t.action` is a member of the row `t.t` where UNNEST … AS t(t) has no other column."""
    for unnest in tree.find_all(exp.Unnest):
        if not one_column(unnest) or unnest.args["alias"].columns[0].name != unnest.alias:
            continue
        for column in unnest.find_ancestor(exp.Select).find_all(exp.Column):
            if column.table == unnest.alias and column.name != unnest.alias:
                row = exp.column(unnest.alias, table=unnest.alias)
                column.replace(exp.Dot(this=row, expression=column.this.copy()))


def _unresolved(message: str) -> str:
    if match := re.search(
        r"Column '(.+?)' could not be resolved(?:\. Line: (\d+), Col: (\d+))?", message
    ):
        name, line, end = match.groups()
        column = int(end) - len(name.rpartition(".")[2]) + 1 if end else 1
        return f"COLUMN_NOT_FOUND: line {line or 1}:{column}: Column '{name}' cannot be resolved"
    if match := re.search(r"(?:Unknown column|Unknown table): (\S+)", message):
        return f"COLUMN_NOT_FOUND: line 1:1: Column '{match[1]}' cannot be resolved"
    if match := re.search(r"ambiguous", message, re.IGNORECASE):
        return f"AMBIGUOUS_NAME: line 1:1: {message}"
    return f"SYNTAX_ERROR: line 1:1: {message}"


def _resolve_having(tree: exp.Expr, schema: MappingSchema) -> None:
    """HAVING sees the columns of FROM; sqlglot leaves it those of SELECT, as DuckDB does."""
    for scope in traverse_scope(tree):
        having = scope.expression.args.get("having")
        for column in having.find_all(exp.Column) if having else ():
            if column.table:
                continue
            if (table := Resolver(scope, schema).get_table(column)) is None:
                raise Refused(
                    f"COLUMN_NOT_FOUND: line 1:1: Column '{column.name}' cannot be resolved"
                )
            column.set("table", exp.to_identifier(table.name))


def _kind(node: exp.Expr | None) -> str | None:
    """Which values may be compared with each other; None is unknown."""
    kind = node.type if node is not None else None
    if kind is None or kind.is_type("unknown", "null"):
        return None
    if kind.is_type(*exp.DataType.TEXT_TYPES):
        return "varchar"
    if kind.is_type(*exp.DataType.NUMERIC_TYPES):
        return "number"
    if kind.is_type(*exp.DataType.TEMPORAL_TYPES):
        return "timestamp"
    return "boolean" if kind.is_type("boolean") else None


def _check_comparison(node: exp.Expr) -> None:
    operands = [node.this, node.args.get("expression"), *node.args.get("expressions", ())]
    operands += [node.args.get("low"), node.args.get("high")]
    kinds = [kind for operand in operands if operand is not None and (kind := _kind(operand))]
    for other in kinds[1:]:
        if other != kinds[0]:
            sign = (
                node.key if not isinstance(node, exp.Binary) else _SIGNS.get(type(node), node.key)
            )
            raise Refused(
                f"TYPE_MISMATCH: line 1:1: Cannot apply operator: {kinds[0]} {sign} {other}"
            )


def _check_same(node: exp.Expr) -> None:
    values: list[Any] = [node.this, *node.expressions]
    if isinstance(node, exp.Case):
        values = [
            *(branch.args.get("true") for branch in node.args["ifs"]),
            node.args.get("default"),
        ]
    kinds = [kind for value in values if value is not None and (kind := _kind(value))]
    if len(set(kinds)) > 1:
        raise Refused(
            f"TYPE_MISMATCH: line 1:1: All {node.key.upper()} operands must be the same type: "
            f"{', '.join(dict.fromkeys(kinds))}"
        )


def _check_text(node: exp.DPipe) -> None:
    for operand in (node.left, node.right):
        if _kind(operand) not in (None, "varchar"):
            raise Refused(
                "TYPE_MISMATCH: line 1:1: Unexpected parameters "
                f"({_kind(node.left)}, {_kind(node.right)}) for function concat"
            )


def _check_condition(node: exp.Where | exp.Having) -> None:
    if _kind(node.this) not in (None, "boolean"):
        raise Refused(
            f"TYPE_MISMATCH: line 1:1: {node.key.upper()} clause must evaluate to a boolean: "
            f"actual type {_kind(node.this)}"
        )


def _check_count(node: exp.Count) -> None:
    many = isinstance(node.this, exp.Distinct) and len(node.this.expressions) > 1
    if many or node.args.get("expressions"):
        raise Refused("FUNCTION_NOT_FOUND: line 1:1: Unexpected parameters for function count")


def _check_unnest(node: exp.Unnest) -> None:
    """One column for each array: Athena keeps an unnested row whole, where Trino opens it."""
    names = node.args["alias"].columns if node.args.get("alias") else []
    if not names:
        return
    available = len(node.expressions) + bool(node.args.get("offset"))
    given = len(names) + bool(isinstance(node.args.get("offset"), exp.Identifier))
    if given != available:
        raise Refused(
            f"MISMATCHED_COLUMN_ALIASES: line 1:1: Column alias list has {given} entries but "
            f"'{node.alias}' has {available} columns available"
        )


_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_CHECKS: dict[type[exp.Expr], Callable[[Any], None]] = {
    **dict.fromkeys([*_SIGNS, exp.In, exp.Between], _check_comparison),
    exp.Coalesce: _check_same,
    exp.Case: _check_same,
    exp.DPipe: _check_text,
    exp.Where: _check_condition,
    exp.Having: _check_condition,
    exp.Count: _check_count,
    exp.Unnest: _check_unnest,
}
