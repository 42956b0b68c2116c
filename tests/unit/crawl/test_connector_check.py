"""`check` says what a query yields, what it would read, and what a person should correct."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engines import TableEngine
from hypothesis import given
from hypothesis import strategies as st
from lakes import SmallLake, requests

from bartizan.crawl import check
from bartizan.crawl.tokens import tokens
from bartizan.errors import ConfigError
from bartizan.lake import planned_files
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + HOUR)
WINDOWED = "select * from t where ts >= {{ start }} and ts < {{ end }}"
CONNECTOR = Connector(
    name="hits",
    description="",
    frequency=timedelta(minutes=5),
    offset=timedelta(0),
    timestamp="timestamp",
    dimensions=("site", "rule"),
    measures=(Measure("hits"), Measure("cost")),
    query=WINDOWED,
)
ROWS = [
    (0, "a", "x", 1, 0.5),
    (299, "a", "x", 2, 0.5),  # the same series in the same interval
    (300, "a", "x", 3, -0.5),
    (301, "b", None, -4, 0.5),
    (302, "b", "y", -5, None),
]


def engine(rows: list[tuple[int, str | None, str | None, int, float | None]]) -> TableEngine:
    naive = START.replace(tzinfo=None)
    columns = {
        "timestamp": pa.array(
            [naive + timedelta(seconds=row[0]) for row in rows], pa.timestamp("us")
        ),
        "site": pa.array([row[1] for row in rows], pa.string()),
        "rule": pa.array([row[2] for row in rows], pa.string()),
        "hits": pa.array([row[3] for row in rows], pa.int64()),
        "cost": pa.array([row[4] for row in rows], pa.float64()),
        "note": pa.array(["\x1b[31m" for _ in rows], pa.string()),
    }
    return TableEngine(pa.table(columns))


def test_what_a_query_yields() -> None:
    found = check(CONNECTOR, engine(ROWS), WINDOW)

    assert found.rows == len(ROWS)
    assert found.series == len({row[1:3] for row in ROWS}) * 2
    assert found.cardinality == {"site": 2, "rule": 3}
    lines = ["timestamp,site,rule,hits,cost"]
    for second, site, rule, hits, cost in ROWS:
        time = START + timedelta(seconds=second)
        cells = [f"{time:%Y-%m-%d %H:%M:%S}", site, rule or "", hits, "" if cost is None else cost]
        lines.append(",".join(map(str, cells)))
    assert found.csv_bytes == len("".join(line + "\n" for line in lines))
    assert [row["hits"] for row in found.sample] == [str(row[3]) for row in ROWS]
    per_interval = Counter((second // 300, *rest[:2]) for second, *rest in ROWS)
    surplus = sum(per_interval.values()) - len(per_interval)
    assert found.warnings == (
        "note: returned by the query, not in connector.yaml: ignored",
        f"{surplus} of {len(ROWS)} rows are further rows of a series in its interval:"
        " are they meant to be aggregated?",
        "rule: NULL in 1 rows, a series without a name",
        "hits: negative in 2 rows",
        "cost: negative in 1 rows",
    )


def test_a_good_query_has_no_warning_and_one_without_dimensions_is_one_series() -> None:
    rows = engine([(0, "a", "x", 1, 0.5), (300, "a", "x", 2, 0.5)])
    rows.table = rows.table.drop_columns(["note"])
    assert check(CONNECTOR, rows, WINDOW).warnings == ()
    plain = replace(CONNECTOR, dimensions=(), measures=(Measure("hits"),))
    assert check(plain, rows, WINDOW).series == 1
    assert check(plain, rows, Window(START + HOUR, START + 2 * HOUR)).series == 0


@pytest.mark.parametrize(
    ("query", "warned"),
    [
        ("select 1 -- {{ start }} {{ end }}", ["{{ start }}", "{{ end }}"]),
        ("select '{{ start }}' from t where ts < {{end}}", ["{{ start }}"]),
        (WINDOWED + " and ts < now()", ["now differs"]),
        (WINDOWED + " and ts < current_timestamp", ["current_timestamp differs"]),
        (WINDOWED + " and random() < 0.5", ["random differs"]),
        (WINDOWED.replace(">=", ">"), ["> {{ start }}"]),
        (WINDOWED.replace("<", "<="), ["<= {{ end }}"]),
        ("select * from t where ts between {{ start }} and {{ end }}", ["between {{ start }}"]),
        ("select now, t.random, 'now()' from t where ts >= {{ start }} and ts < {{ end }}", []),
        ("select uri from waf_logs", []),
    ],
)
def test_a_query_unfit_for_another_run(query: str, warned: list[str]) -> None:
    rows = engine([(0, "a", "x", 1, 0.5)])
    rows.table = rows.table.drop_columns(["note"])
    found = check(replace(CONNECTOR, query=query), rows, WINDOW).warnings
    assert len(found) == len(warned)
    assert all(part in text for part, text in zip(warned, found, strict=True))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("drop table t", "begins with 'drop' — it must be one SELECT"),
        ("select 1; drop table t", "holds several statements"),
        ("select 'x", "' in line 1 is never closed"),
        ("select 1\n/* x", "/* in line 2 is never closed"),
        ("", "begins with 'nothing'"),
    ],
)
def test_what_is_no_select_does_not_run(query: str, text: str) -> None:
    rows = engine(ROWS)
    with pytest.raises(ConfigError) as caught:
        check(replace(CONNECTOR, query=query), rows, WINDOW)
    assert str(caught.value).startswith(f"hits/query.sql: {text}")
    assert rows.windows == []


def test_a_column_returned_twice_is_named() -> None:
    rows = engine(ROWS)
    rows.table = rows.table.append_column("hits", rows.table["hits"])
    with pytest.raises(ConfigError, match=r"hits/query\.sql: hits: is returned twice"):
        check(CONNECTOR, rows, WINDOW)


def test_what_a_query_would_read_is_what_the_files_hold(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    small.land("a", requests=requests([START, START + HOUR, START + HOUR], country="DE"))
    small.land("b", requests=requests([START + timedelta(minutes=1)], country="FR"))
    window = Window(START + HOUR, START + 2 * HOUR)

    [scan] = small.engine.scans("select * from waf.requests", window)
    files = planned_files(small.lake.table("waf.requests"), window)
    assert (scan.files, scan.rows) == (1, 2)
    assert scan.rows == sum(pq.read_metadata(file).num_rows for file in files)
    assert scan.bytes == sum(Path(file).stat().st_size for file in files)
    assert small.engine.scans("select * from waf_logs", window) == [scan]


pieces = st.sampled_from(
    ["select", " ", "\n", "'a''b'", "''", '"c d"', "-- x\n", "/* ' */", "{{ start }}"]
)
others = st.sampled_from(["<=", "::", "(", ")", ",", ";", "1.5", ".", "$$ ' $$", "ä", "\0", "-"])


@given(st.lists(pieces | others))
def test_tokens_are_the_text_but_for_spaces_and_comments(parts: list[str]) -> None:
    query = " ".join(parts)
    found = tokens(query, "query")
    assert all(query[token.start : token.end] == token.text for token in found)
    kept = [part for part in parts if part.strip() and not part.startswith(("-- ", "/*"))]
    if "-" not in parts:  # two of them would be a comment
        assert "".join(token.text for token in found) == "".join(kept)
