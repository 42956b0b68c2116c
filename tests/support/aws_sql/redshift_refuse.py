"""What Redshift refuses though DuckDB would run it, judged by the words and by the tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp
from sqlglot.tokens import Token, TokenType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Functions of the Redshift Database Developer Guide that the stand-in knows to run.
FUNCTIONS = _words("""
    abs add_months any_value avg bit_and bit_or bool_and bool_or btrim case cast cbrt ceil ceiling
    charindex chr coalesce concat convert convert_timezone cos count cume_dist current_date
    current_timestamp date date_part date_trunc dateadd datediff decode degrees dense_rank exp
    extract first_value floor getdate greatest initcap json_array_length json_extract_path_text lag
    last_day last_value lead least left len length listagg ln log lower lpad ltrim max md5 median
    min mod months_between nth_value ntile nullif nvl nvl2 percent_rank percentile_cont
    percentile_disc pg_last_unload_count pi position pow power radians rank regexp_count
    regexp_instr regexp_replace regexp_substr repeat replace reverse right round row_number rpad
    rtrim sha2 sign sin split_part sqrt stddev stddev_pop stddev_samp strpos substring substr sum
    sysdate tan textlen to_char to_date to_number to_timestamp translate trim trunc try_cast upper
    var_pop var_samp variance
""")
# Words that may stand before a parenthesis and are no functions.
_OTHERS = _words("""
    all and any as between by distinct else except exists from having in insert intersect interval
    into is join not on or over partition rollup cube sets select some then union using values when
    where within group with qualify order
    varchar nvarchar char nchar bpchar character varying numeric decimal float varbyte
""")
_TYPES = _words("""
    smallint int bigint decimal float double boolean date time timetz timestamp timestamptz interval
    super char nchar varchar nvarchar bpchar text
""")
_NODES = {
    exp.Filter: "(",
    exp.Lateral: "lateral",
    exp.Array: "[",
    exp.Struct: "{",
    exp.Bracket: "[",
    exp.Lambda: "->",
    exp.NullSafeEQ: "distinct",
    exp.NullSafeNEQ: "distinct",
    exp.Columns: "columns",
    exp.Pivot: "pivot",
    exp.Semicolon: ";",
}


def refusal(tree: exp.Expression, tokens: list[Token]) -> str | None:
    """Redshift's words for the first thing it would refuse; None if there is none."""
    return next(_refusals(tree, tokens), None)


def _refusals(tree: exp.Expression, tokens: list[Token]) -> Iterator[str]:
    for node in tree.walk():
        if word := _NODES.get(type(node)):
            yield _syntax(word)
        elif isinstance(node, exp.Group) and node.args.get("all"):
            yield _syntax("all")
        elif isinstance(node, exp.Distinct) and node.args.get("on"):
            yield "SELECT DISTINCT ON is not supported"
        elif isinstance(node, exp.Values) and not isinstance(node.parent, exp.Insert):
            yield _syntax("values")
        elif isinstance(node, exp.DataType) and node.this.value.lower() not in _TYPES:
            yield f'type "{node.this.value.lower()}" does not exist'
        elif isinstance(node, exp.RegexpReplace) and (flags := _fourth(node)):
            yield f'invalid input syntax for integer: "{flags.name}"'
        elif isinstance(node, exp.Concat) and len(node.expressions) != 2:
            yield "function concat(...) does not exist"
    yield from _spelled(tokens, _aliases(tree))


def _spelled(tokens: list[Token], aliases: Collection[str]) -> Iterator[str]:
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        word = token.text.lower()
        if word == "from" and (before is None or before.token_type is TokenType.L_PAREN):
            yield _syntax(word)
        if token.token_type in (TokenType.ARROW, TokenType.DARROW, TokenType.L_BRACE):
            yield _syntax(word)
        elif word in ("double", "string") and before and _casts(before):
            yield f'type "{word}" does not exist'
        elif after and after.token_type is TokenType.L_PAREN and word.replace("_", "").isalnum():
            quoted = token.token_type in (TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER)
            if not quoted and word not in FUNCTIONS | _OTHERS and word not in aliases:
                yield f"function {word}(...) does not exist"


def _casts(before: Token) -> bool:
    return before.token_type in (TokenType.ALIAS, TokenType.DCOLON)


def _aliases(tree: exp.Expression) -> set[str]:
    """Names that a list of columns may follow."""
    return {node.name.lower() for node in tree.find_all(exp.TableAlias, exp.Table)}


def _fourth(node: exp.RegexpReplace) -> exp.Expression | None:
    """The fourth argument where it is text: to Redshift it is a position."""
    fourth = node.args.get("modifiers") if not node.args.get("position") else None
    return fourth if isinstance(fourth, exp.Literal) and fourth.is_string else None


def _syntax(word: str) -> str:
    return f'syntax error at or near "{word}"'
