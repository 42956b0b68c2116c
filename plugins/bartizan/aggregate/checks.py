"""Checks of an aggregate: named queries that select bad rows, run before rows are published.

    -- fail: one_row_per_grain
    select bucket, webacl from result group by bucket, webacl having count(*) > 1;

`result` is what the query returned; source tables are read as in the query.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from bartizan.engines import DuckDBEngine
from bartizan.errors import ConfigError
from bartizan.model.window import Window
from bartizan.store.aggregates import CheckResult, Level

_MARK = re.compile(r"^--\s*(?P<level>\w+):\s*(?P<name>\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """`query` selects rows that should not exist; `origin` says where it is written."""

    name: str
    level: Level
    query: str
    origin: str


def parse_checks(path: Path, text: str) -> tuple[Check, ...]:
    """The checks of a checks.sql. Raises ConfigError for a wrong level, no query, a name twice."""
    marks = list(_MARK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    checks = [
        _check(path, mark, text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)
    ]
    if not checks:
        raise ConfigError(str(path), "holds no check", "mark one with `-- fail: name`")
    names = [check.name for check in checks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{path}: {twice[0]}", "is there twice", "rename one")
    return tuple(checks)


def _check(path: Path, mark: re.Match[str], body: str) -> Check:
    origin, query = f"{path}: {mark['name']}", body.strip().rstrip(";").rstrip()
    if mark["level"] not in list(Level):
        raise ConfigError(origin, f"level {mark['level']!r} is unknown", "write fail or warn")
    if not query:
        raise ConfigError(origin, "has no query", "write a select below its mark")
    return Check(mark["name"], Level(mark["level"]), query, origin)


def run_checks(
    engine: DuckDBEngine, checks: Sequence[Check], rows: pa.Table, window: Window
) -> list[CheckResult]:
    """The number of bad rows of each check, over `rows` as `result`."""
    return [
        CheckResult(window, check.name, check.level, _bad_rows(engine, check, rows, window))
        for check in checks
    ]


def _bad_rows(engine: DuckDBEngine, check: Check, rows: pa.Table, window: Window) -> int:
    counted = f"select count(*) as bad_rows from (\n{check.query}\n) as bad"
    return int(engine.query(counted, window, check.origin, given={"result": rows})[0][0].as_py())
