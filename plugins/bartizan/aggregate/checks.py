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

from bartizan.engines import Engine
from bartizan.errors import ConfigError
from bartizan.model.window import Window
from bartizan.store.aggregates import CheckResult, Level

_MARK = re.compile(r"^--\s*(?P<level>\w+):\s*(?P<name>\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """`query` selects rows that should not exist; `origin` is the file it is written in."""

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
    where, query = f"{path}: {mark['name']}", body.strip().rstrip(";").rstrip()
    if mark["level"] not in list(Level):
        raise ConfigError(where, f"level {mark['level']!r} is unknown", "write fail or warn")
    if not query:
        raise ConfigError(where, "has no query", "write a select below its mark")
    return Check(mark["name"], Level(mark["level"]), query, str(path))


def run_checks(
    engine: Engine, checks: Sequence[Check], rows: pa.Table, window: Window
) -> list[CheckResult]:
    """The number of bad rows of each check, over `rows` as `result`, in the order of `checks`.

    One query for all: opening the source once for each check would cost more than checking.
    Raises ConfigError naming the file when it fails.
    """
    counted = ",\n".join(
        f"(select count(*) from (\n{check.query}\n) as bad) as check_{number}"
        for number, check in enumerate(checks)
    )
    found = engine.query(f"select {counted}", window, checks[0].origin, given={"result": rows})
    return [
        CheckResult(window, check.name, check.level, int(bad_rows))
        for check, bad_rows in zip(checks, found.to_pylist()[0].values(), strict=True)
    ]
