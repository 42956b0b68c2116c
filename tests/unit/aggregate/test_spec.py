"""What is wrong with an aggregate's files is said on one line: file, key, value, remedy."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from bartizan.aggregate import load_tables
from bartizan.aggregate.spec import LAKE_ENGINES, load_table
from bartizan.config import PROJECT
from bartizan.engines import EngineName
from bartizan.errors import ConfigError

SQL = PROJECT / "include" / "sql"


@pytest.mark.parametrize(
    ("file", "old", "new", "text"),
    [
        ("table.yaml", "PT1H", "PT7H", "frequency: 'PT7H' does not divide a day — write PT5M"),
        ("table.yaml", "PT1H", "hourly", "frequency: 'hourly' is not a duration — write PT5M"),
        (
            "table.yaml",
            "owner: security",
            "ownr: x",
            "ownr: unknown key (and 1 more) — did you mean",
        ),
        (
            "table.yaml",
            "requests: {type: bigint,",
            "requests: {type: integer,",
            "columns.requests.type: 'integer' is unknown — write one of bigint, boolean, date,",
        ),
        (
            "table.yaml",
            "requests: {type: bigint, description",
            "requests: {type: bigint, descripton: x, description",
            "columns.requests.descripton: unknown key — did you mean 'description'?",
        ),
        ("table.yaml", "webacl, country]", "acl]", "key 'acl' is no column — add it to columns"),
        ("table.yaml", "[waf.requests]", "[]", "reads: [] but query.sql reads ['waf.requests']"),
        ("table.yaml", "grain:", "owner: me\ngrain:", "line 3: not YAML: key 'owner' is given"),
        ("checks.sql", "-- warn:", "-- warning:", "level 'warning' is unknown — write fail or"),
        ("checks.sql", "most_countries_are_known", "one_row_per_grain", "is there twice"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, file: str, old: str, new: str, text: str) -> None:
    folder = tmp_path / "aggregates" / "agg_country_1h"
    shutil.copytree(SQL / "aggregates" / "agg_country_1h", folder)
    path = folder / file
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))

    with pytest.raises(ConfigError) as caught:
        load_tables(tmp_path)

    message = str(caught.value)
    assert message.startswith(str(path)) and text in message and "\n" not in message


def test_every_aggregate_can_be_built_by_every_engine_of_a_lake() -> None:
    tables = load_tables(SQL)

    assert len(tables) >= 14
    assert all(table.query(engine) for table in tables.values() for engine in LAKE_ENGINES)
    portable = [t for t in tables.values() if len({q.origin for q in t.queries.values()}) == 1]
    assert len(portable) >= 7


def test_a_query_for_all_engines_must_be_portable(tmp_path: Path) -> None:
    folder = tmp_path / "agg_country_1h"
    shutil.copytree(SQL / "aggregates" / "agg_country_1h", folder)
    query = folder / "query.sql"
    query.write_text(query.read_text().replace("count(distinct", "approx_count_distinct("))

    assert load_table(folder).query(EngineName.DUCKDB)
    with pytest.raises(ConfigError, match="approx_distinct is not the same to all"):
        load_table(folder).query(EngineName.ATHENA)

    query.rename(folder / "query.duckdb.sql")
    table = load_table(folder)
    assert set(table.queries) == {EngineName.DUCKDB}
    with pytest.raises(ConfigError, match="has no query for athena"):
        table.query(EngineName.ATHENA)


def test_what_a_query_reads_is_checked_when_its_engine_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "agg_country_1h"
    shutil.copytree(SQL / "aggregates" / "agg_country_1h", folder)
    query = (folder / "query.sql").read_text()
    (folder / "query.athena.sql").write_text(query.replace("waf.requests", "waf.rule_hits"))

    table = load_table(folder)

    assert table.query(EngineName.DUCKDB).text == query
    with pytest.raises(ConfigError, match=r"query\.athena\.sql reads \['waf\.rule_hits'\]"):
        table.query(EngineName.ATHENA)


def test_the_portable_five_minutes_are_those_of_the_clock() -> None:
    query = load_tables(SQL)["agg_rule_5m"].query(EngineName.DUCKDB).text
    expression = re.search(r"date_trunc\('minute'.*?, 5\)", query, re.S)
    assert expression is not None
    first = datetime(2026, 10, 25)
    times = [first + timedelta(seconds=37.123457 * n) for n in range(5000)]

    with duckdb.connect() as connection:
        connection.execute("create table t (event_time timestamp)")
        connection.execute("insert into t select unnest(?)", [times])
        rows = connection.execute(f"select event_time, {expression[0]} from t").fetchall()

    assert len(rows) == len(times)
    assert all(b == t.replace(minute=t.minute // 5 * 5, second=0, microsecond=0) for t, b in rows)
