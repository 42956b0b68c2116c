"""The functions of Trino that the stand-in knows, and those DuckDB needs help with.

A function that is not named here is refused, as Trino refuses one it does not have: so a function
of DuckDB's cannot slip through because the translation happens to keep it.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# https://trino.io/docs/current/functions/list.html, those that queries over logs and metrics use.
# Each is either the same in DuckDB (after sqlglot's translation) or mended in athena_translate.py.
FUNCTIONS = _names("""
    abs ceil ceiling exp floor ln log10 mod pow power round sign sqrt
    concat length lower ltrim position replace reverse rtrim split split_part starts_with strpos
    substr substring trim upper
    regexp_extract regexp_like regexp_replace
    date date_add date_diff date_trunc day extract format_datetime from_unixtime
    from_unixtime_nanos hour minute month now second to_iso8601 to_unixtime year
    approx_distinct approx_percentile arbitrary array_agg avg bool_and bool_or corr count count_if
    listagg max max_by min min_by stddev stddev_pop stddev_samp sum var_pop var_samp variance
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    row_number
    coalesce greatest if least nullif try
    array_distinct array_join array_max array_min array_sort cardinality contains element_at filter
    sequence transform
    json_extract_scalar json_format
    cast try_cast unnest
""")

# Words before a parenthesis that call nothing.
WORDS = _names("""
    all and any array as between by case cross cube distinct else except exists filter from group
    grouping having in inner intersect interval is join lateral like limit not on or order over
    partition recursive rollup row rows sets select some then union using values when where with
    within
""")

# Type names of Athena's DML; those of its DDL are Hive's (string, int, float) and fail here.
TYPES = _names("""
    array bigint boolean char date decimal double int integer interval json map real row smallint
    time timestamp tinyint varbinary varchar
""") | {"double precision"}

# What DuckDB has to know before it runs a translated query. Division of whole numbers drops the
# fraction; a part beyond the last is NULL; an element beyond the last is an error.
MACROS = (
    """create or replace macro trino_div(a bigint, b bigint) as a // b,
        (a double, b double) as a / b""",
    "create or replace macro trino_split_part(s, d, n) as string_split(s, d)[n]",
    """create or replace macro trino_has(a, i) as case when i > len(a)
        then error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to '
        || 'array length: ' || i || ' > ' || len(a)) else true end""",
    "create or replace macro trino_from_nanos(n) as make_timestamptz(cast(n // 1000 as bigint))",
    """create or replace macro trino_iso8601(t timestamptz) as
        strftime(cast(t as timestamp), '%Y-%m-%dT%H:%M:%S.%gZ'),
        (t timestamp) as strftime(t, '%Y-%m-%dT%H:%M:%S.%g'),
        (t date) as strftime(t, '%Y-%m-%d')""",
)
