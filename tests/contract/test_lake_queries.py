"""Every aggregate and connector gives the same rows on every engine of a lake.

The cases beside the aggregates say what is right; the connectors must agree with DuckDB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from houses import House, house
from lakes import SmallLake, landed

from bartizan.aggregate import AggregateTable, build, load_tables
from bartizan.aggregate.checks import run_checks
from bartizan.aggregate.spec import LAKE_ENGINES
from bartizan.config import PROJECT
from bartizan.crawl import load_connectors
from bartizan.engines import EngineName
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, aware
from bartizan.store.aggregates import Level

SQL = PROJECT / "include" / "sql"
TABLES = load_tables(SQL)
CASES = sorted((SQL / "aggregates").glob("*/cases/*.yaml"))
CONNECTORS = [one for one in load_connectors(SQL).values() if one.engine is EngineName.DUCKDB]
LANDED = ("requests", "rule_hits")
WINDOW = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC) + DAY)


@pytest.fixture(scope="module", params=[e for e in LAKE_ENGINES if e is not EngineName.DUCKDB])
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with house(request.param, tmp_path_factory.mktemp("lake")) as one:
        yield one


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_case(opened: House, path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    table = TABLES[path.parents[1].name]
    window = Window(aware(case["window"]["start"]), aware(case["window"]["end"]))
    opened.hold({f"waf.{n}": landed(n, case["input"].get(f"waf.{n}", [])) for n in LANDED})

    rows = _built(opened, table, window)

    columns = sorted({column for row in case["expected"] for column in row})
    found = Counter(map(_comparable, rows.select(columns).to_pylist()))
    assert found == Counter(map(_comparable, case["expected"]))
    checks = run_checks(opened.engine, table.checks[opened.engine.name], rows, window)
    assert [check.name for check in checks] == [
        check.name for check in table.checks[opened.engine.name]
    ]
    assert not any(check.bad_rows for check in checks if check.level is Level.FAIL)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """What all cases of the day have put in, and the aggregates of it."""
    small = SmallLake.open(Path(tmp_path_factory.mktemp("all")))
    cases = [yaml.safe_load(path.read_text()) for path in CASES]
    for name in LANDED:
        rows = [row for case in cases for row in case["input"].get(f"waf.{name}", [])]
        if name == "requests":
            rows.append({"event_time": WINDOW.start, "action": "BLOCK", "response_code_sent": 429})
        small.land(name, **{name: landed(name, rows)})
    for table in TABLES.values():
        build(small.store, small.lake, small.engine, table)
    return small


@pytest.fixture(scope="module")
def filled(opened: House, lake: SmallLake) -> House:
    held = [*(f"waf.{name}" for name in LANDED), *(table.spec.name for table in TABLES.values())]
    opened.hold({name: lake.lake.table(name).scan().to_arrow() for name in held})
    return opened


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_connector(filled: House, lake: SmallLake, connector: Connector) -> None:
    rows = filled.engine.query(connector.query, WINDOW, connector.name)

    expected = lake.engine.query(connector.query, WINDOW, connector.name)
    assert expected.num_rows > 0
    assert rows.schema.names == expected.schema.names
    assert rows.schema.types == expected.schema.types
    assert Counter(map(_comparable, rows.to_pylist())) == Counter(
        map(_comparable, expected.to_pylist())
    )


def test_all_are_there() -> None:
    assert len(CASES) >= 18
    assert len(CONNECTORS) >= 12


def _built(opened: House, table: AggregateTable, window: Window) -> pa.Table:
    query = table.query(opened.engine.name)
    rows = opened.engine.query(query.text, window, query.origin)
    return rows.select(table.spec.schema.names).cast(table.spec.schema)


def _comparable(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in row.items()))
