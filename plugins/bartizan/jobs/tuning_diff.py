"""The settings that were tried, as a difference of the files that hold them."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bartizan.errors import ConfigError
from bartizan.jobs.file_diff import file_diff

if TYPE_CHECKING:
    from bartizan.config import Settings
    from bartizan.jobs.tuning import Knobs
    from bartizan.model.connector import Connector

_THRESHOLD = re.compile(r"(?m)^(alert:\s*\{?\s*threshold:\s*)[\d.]+")
_NO_FILE = "rules:\n  - {}\n"  # everybody is told of everything


def difference(connector: Connector, knobs: Knobs, here: Settings) -> str:
    """A unified diff, which can be applied; empty when nothing is different.

    Where the rules cannot be changed in place, a line says so instead.
    """
    return _of_connector(connector, knobs, here) + _of_rules(connector, knobs, here)


def _of_connector(connector: Connector, knobs: Knobs, here: Settings) -> str:
    if knobs.threshold == connector.alert_threshold:
        return ""
    path = here.sql / "connectors" / connector.name / "connector.yaml"
    old = path.read_text(encoding="utf-8")
    new, found = _THRESHOLD.subn(rf"\g<1>{knobs.threshold:g}", old)
    if not found:
        new = f"{old.rstrip()}\nalert: {{threshold: {knobs.threshold:g}}}\n"
    return file_diff(f"include/sql/connectors/{connector.name}/connector.yaml", old, new)


def _of_rules(connector: Connector, knobs: Knobs, here: Settings) -> str:
    conditions: dict[str, Any] = {}
    least = {"absolute": knobs.absolute, "percent": knobs.percent}
    if change := {name: _short(value) for name, value in least.items() if value}:
        conditions["min_change"] = change
    if knobs.among > 1:
        conditions["intervals"] = {"at_least": knobs.at_least, "among": knobs.among}
    if not conditions:
        return ""
    old = here.alerts.read_text(encoding="utf-8") if here.alerts else _NO_FILE
    names = sorted(path.parent.name for path in (here.sql / "connectors").glob("*/connector.yaml"))
    try:
        new = _with(old, connector.name, names, conditions)
    except ConfigError as error:
        return f"# include/alerts.yaml: {error}\n"
    return file_diff("include/alerts.yaml", old, new)


def _with(text: str, name: str, all_names: list[str], conditions: dict[str, Any]) -> str:
    """The rules with conditions for one detector: one that names others too is kept for them, and
    a new one for this detector comes after the last."""
    from bartizan.dispatch.rules_text import entries, with_entry

    for place, rule in enumerate(entries(text, "rules") or [{}]):
        named, mine = rule.get("detectors", all_names), place
        if name not in named:
            continue
        if rest := [one for one in named if one != name]:
            text = with_entry(text, "rules", place, rule | {"detectors": rest})
            mine = len(entries(text, "rules"))
        text = with_entry(text, "rules", mine, rule | {"detectors": [name]} | conditions)
    return text


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
