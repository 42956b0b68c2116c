"""Runs the cases beside each aggregate: given rows land, the table is built, rows are compared.

Only the columns a case names are compared, but the number of rows always is.
"""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from lakes import SmallLake, landed

from bartizan.aggregate import AggregateTable, build, load_tables
from bartizan.config import PROJECT
from bartizan.model.window import Window, aware

SQL = PROJECT / "include" / "sql"
CASES = sorted((SQL / "aggregates").glob("*/cases/*.yaml"))


def test_every_aggregate_has_cases() -> None:
    tables = load_tables(SQL)

    assert {case.parents[1].name for case in CASES} == set(tables)
    assert len(tables) >= 3


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_case(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text())

    expect(case, load_tables(SQL)[path.parents[1].name], tmp_path)


@pytest.mark.parametrize("spoil", ["value", "missing row"])
def test_a_wrong_expectation_fails(spoil: str, tmp_path: Path) -> None:
    path = SQL / "aggregates" / "agg_country_1h" / "cases" / "countries.yaml"
    case = copy.deepcopy(yaml.safe_load(path.read_text()))
    if spoil == "value":
        case["expected"][0]["requests"] += 1
    else:
        del case["expected"][0]

    with pytest.raises(AssertionError):
        expect(case, load_tables(SQL)["agg_country_1h"], tmp_path)


def expect(case: dict[str, Any], table: AggregateTable, folder: Path) -> None:
    small = SmallLake.open(folder)
    given = {name.split(".")[1]: landed(name.split(".")[1], r) for name, r in case["input"].items()}
    small.land("case", **given)
    window = Window(aware(case["window"]["start"]), aware(case["window"]["end"]))

    built = build(small.store, small.lake, small.engine, table, [window])

    columns = sorted({column for row in case["expected"] for column in row})
    rows = small.lake.table(table.spec.name).scan().to_arrow().select(columns).to_pylist()
    assert Counter(map(_comparable, rows)) == Counter(map(_comparable, case["expected"]))
    assert built.rows == len(case["expected"])
    assert built.checks and not any(
        check.bad_rows for check in built.checks if check.level == "fail"
    )


def _comparable(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in row.items()))
