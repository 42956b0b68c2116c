"""What queries may be made of, as the keys of sqlglot's tree (`exp.Count.key` is "count").

A key that stands in no list is refused: whatever sqlglot or an engine learns next stays out until
someone has looked at it. Nothing here reads files, settings or other sessions, calls out, waits, or
changes anything.
"""

from __future__ import annotations

from bartizan.engines.base import EngineName


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Means the same, in the same words, to DuckDB, Trino, Redshift and PostgreSQL.
PORTABLE = _keys("""
    select from where group having order ordered limit join with cte subquery union intersect except
    distinct table tablealias identifier column star alias paren tuple
    literal null boolean var interval cast datatype datatypeparam
    and or not eq neq gt gte lt lte is in between exists like escape
    add sub mul mod neg dpipe div case if
    window windowspec rownumber rank denserank lag lead firstvalue lastvalue ntile
    count sum avg min max stddevsamp variance
    coalesce nullif abs sign round floor ceil sqrt pow ln exp
    lower upper trim replace substring extract timestamptrunc datetrunc
    greatest least
""")  # greatest and least only of what is never NULL: Trino answers NULL, the others skip it

# The same to DuckDB and Athena, which keeps a row whole where Trino opens it.
LISTS = _keys("unnest cardinality arraysize")

# Known to one engine or another, or to all of them under other names or with another meaning.
_COMMON = PORTABLE | _keys("""
    offset qualify lateral unnest generateseries values filter withingroup tablesample bracket
    slice dot array struct propertyeq
    lambda kwarg map tablecolumn nullsafeeq nullsafeneq ilike any all similarto
    regexplike regexpilike bitwiseand bitwiseor bitwisexor bitwisenot bitwiseleftshift
    bitwiserightshift intdiv trycast attimezone cube rollup groupingsets grouping
    stddev stddevpop variancepop corr covarsamp covarpop median mode quantile percentilecont
    percentiledisc approxquantile approxdistinct argmax argmin anyvalue arrayagg arrayuniqueagg
    groupconcat logicaland logicalor first last percentrank cumedist nthvalue countif skewness
    kurtosis
    length concat concatws left right pad repeat reverse split splitpart strposition startswith
    endswith contains initcap translate chr ascii unicode regexpreplace regexpextract
    regexpextractall regexpcount levenshtein md5 sha sha2 hex lowerhex unhex tobase64 frombase64
    encode decode
    nvl2 decodecase isnan isinf log trunc cbrt radians degrees sin cos tan
    date dateadd datesub datediff datefromparts timestamp timestampadd timestampsub timestampdiff
    timestamptrunc tsordsadd tsordsdiff tsordstodate tsordstodatestr tsordstotimestamp datestrtodate
    strtotime strtodate timetostr timestrtotime tochar unixtotime timetounix unixtotimestr
    lastday year quarter month week weekofyear day dayofweek dayofweekiso dayofmonth
    dayofyear hour minute second datebin timetotimestr
    currentdate currenttime currenttimestamp localtime localtimestamp rand weekstart intervalspan
    arraysize arraycontains arrayconcat arraydistinct arrayfilter transform arraytostring
    arraysum arraymax arraymin arraysort arrayany arrayall flatten explode
    jsonextract jsonextractscalar jsonbextract jsonbextractscalar jsonpath jsonpathroot jsonpathkey
    jsonpathsubscript jsoncast parsejson jsonformat
    structextract mapfromentries
""")

# Functions that sqlglot has no class for, by name.
_NAMED = {
    EngineName.DUCKDB: _keys("""
        from_unixtime to_iso8601 epoch epoch_ms epoch_us make_timestamp strftime strptime
        time_bucket list_transform list_filter list_contains list_sum list_max list_min list_sort
        list_distinct list_aggregate list_value list_concat len cardinality array_length
        struct_pack struct_extract element_at map_keys map_values regexp_matches
        regexp_full_match string_split bit_count hash entropy histogram approx_count_distinct
        arg_max arg_min mad isfinite date_part datepart json_extract_string json_array_length
        json_keys to_json list_unique list_has_any list_has_all prefix suffix instr bar printf
        format reservoir_quantile to_timestamp to_hours to_minutes to_seconds to_days
        now format_datetime
    """),
    EngineName.ATHENA: _keys("""
        to_iso8601 from_iso8601_timestamp from_unixtime to_unixtime date_parse date_format
        format_datetime
        cardinality element_at map_keys map_values any_match all_match none_match approx_percentile
        count_if json_array_length url_extract_host url_extract_path url_decode
        numeric_histogram histogram entropy width_bucket is_finite contains_sequence
        at_timezone with_timezone
    """),
    EngineName.REDSHIFT: _keys("""
        getdate sysdate convert_timezone date_part datepart trunc json_extract_path_text
        json_extract_array_element_text json_array_length json_parse is_valid_json len textlen
        charindex btrim strtol func_sha1 crc32 months_between add_months next_day date_cmp
        ratio_to_report bpcharcmp get_array_length isnull object
    """),
    EngineName.POSTGRESQL: _keys("""
        date_part to_timestamp age make_interval make_timestamp btrim width_bucket
        jsonb_array_length json_array_length jsonb_extract_path_text json_extract_path_text
        cardinality array_length array_position regexp_match regexp_split_to_array
        bool_and bool_or host masklen family scale div gcd
        dateadd getdate datediff convert_timezone
    """),
}


def allowed(engine: EngineName) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of the tree that a query of this engine may have, and names of further functions."""
    return _COMMON, _NAMED[engine]
