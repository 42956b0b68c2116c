"""The settings that were tried, as a difference of the files that hold them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from bartizan.config import Settings
    from bartizan.jobs.tuning import Knobs
    from bartizan.model.connector import Connector

_THRESHOLD = re.compile(r"(?m)^(alert:\s*\{?\s*threshold:\s*)[\d.]+")


def difference(connector: Connector, knobs: Knobs, here: Settings) -> str:
    """A unified diff; empty when nothing is different.

    That of connector.yaml can be applied. That of alerts.yaml is of its rules alone, written anew,
    each on a line: by hand they keep their comments.
    """
    return "".join((*_of_connector(connector, knobs, here), *_of_rules(connector, knobs, here)))


def _of_connector(connector: Connector, knobs: Knobs, here: Settings) -> Iterator[str]:
    if knobs.threshold == connector.alert_threshold:
        return
    path = here.sql / "connectors" / connector.name / "connector.yaml"
    old = path.read_text(encoding="utf-8")
    new, found = _THRESHOLD.subn(rf"\g<1>{knobs.threshold:g}", old)
    if not found:
        new = f"{old.rstrip()}\nalert: {{threshold: {knobs.threshold:g}}}\n"
    yield from _lines(f"include/sql/connectors/{connector.name}/connector.yaml", old, new)


def _of_rules(connector: Connector, knobs: Knobs, here: Settings) -> Iterator[str]:
    """Each rule that names the detector among others is parted in two."""
    conditions: dict[str, Any] = {}
    least = {"absolute": knobs.absolute, "percent": knobs.percent}
    if change := {name: _short(value) for name, value in least.items() if value}:
        conditions["min_change"] = change
    if knobs.among > 1:
        conditions["intervals"] = {"at_least": knobs.at_least, "among": knobs.among}
    if not conditions:
        return
    held = yaml.safe_load(here.alerts.read_text(encoding="utf-8")) if here.alerts else {}
    old = held.get("rules") or [{}]
    others = sorted(path.parent.name for path in (here.sql / "connectors").glob("*/connector.yaml"))
    new = [part for rule in old for part in _parted(rule, connector.name, others, conditions)]
    yield from _lines("include/alerts.yaml", _dumped(old), _dumped(new))


def _parted(
    rule: dict[str, Any], name: str, all_names: list[str], conditions: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    named = rule.get("detectors", all_names)
    if name not in named:
        yield rule
        return
    if rest := [one for one in named if one != name]:
        yield rule | {"detectors": rest}
    yield rule | {"detectors": [name]} | conditions


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _dumped(rules: list[dict[str, Any]]) -> str:
    style: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "width": math.inf}
    return "".join(("rules:\n", *(f"  - {yaml.safe_dump(rule, **style)}" for rule in rules)))


def _lines(path: str, old: str, new: str) -> Iterator[str]:
    lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    yield from unified_diff(*lines, f"a/{path}", f"b/{path}")
