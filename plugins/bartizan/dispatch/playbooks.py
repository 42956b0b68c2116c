"""Playbooks: what to look at and do about an incident, in YAML files that people write.

Each file of the folder is one playbook, by the name of the file; docs/report.md shows one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from bartizan.described import Described, read, wrong
from bartizan.errors import ConfigError
from bartizan.model.advice import Advice
from bartizan.model.anomaly import Direction, Incident
from bartizan.model.leading import Pair, deciding_rules, leading
from bartizan.model.rule_families import FAMILIES, in_family

MOST = 3  # playbooks that one incident shows
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Condition:
    """Holds when all that is given does: globs of detector and measure; the direction; per
    dimension globs of which one fits a leading value; families of which a leading value is. The
    rule that decided the sample requests is one of them."""

    detectors: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    direction: Direction | None = None
    dimensions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    families: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """How much it asks for: what names values says more than what names detectors."""
        values = 4 * len(self.dimensions) + 5 * bool(self.families)
        return values + bool(self.detectors) + bool(self.measures) + bool(self.direction)

    def holds(self, incident: Incident, values: frozenset[Pair]) -> bool:
        return (
            _fits(self.detectors, incident.detector)
            and _fits(self.measures, incident.measure)
            and self.direction in (None, incident.direction)
            and all(
                any(name == dimension and _fits(globs, value) for name, value in values)
                for dimension, globs in self.dimensions
            )
            and (not self.families or any(in_family(f, v) for f in self.families for v in values))
        )


@dataclass(frozen=True)
class Playbook:
    """Advice, and the conditions of which one must hold."""

    advice: Advice
    conditions: tuple[Condition, ...]


def read_playbooks(folder: Path) -> tuple[Playbook, ...]:
    """All of a folder, by name; none where there is no folder. Raises ConfigError for a mistake."""
    return tuple(_playbook(path) for path in sorted(folder.glob("*.yaml")))


def advice(incident: Incident, playbooks: Sequence[Playbook]) -> tuple[Advice, ...]:
    """Of up to three playbooks that fit, those that ask for most first, then by name."""
    values = leading(incident) | deciding_rules(incident)
    fitting = [
        replace(playbook.advice, weight=max(condition.weight for condition in holding))
        for playbook in playbooks
        if (holding := [one for one in playbook.conditions if one.holds(incident, values)])
    ]
    return tuple(sorted(fitting, key=lambda one: (-one.weight, one.name))[:MOST])


def _fits(globs: tuple[str, ...], text: str) -> bool:
    return not globs or any(fnmatchcase(text, pattern) for pattern in globs)


def _safe_link(url: str) -> str:
    if not re.fullmatch(r"https://[!-~]{1,400}", url):
        raise wrong(f"{url!r} is no https:// address", "write one, or leave it out")
    return url


def _known_family(name: str) -> str:
    if name not in FAMILIES:
        raise wrong(f"{name!r} is no rule family", f"known: {', '.join(FAMILIES)}")
    return name


_Text = Annotated[str, Field(min_length=1, max_length=600)]
_Texts = Annotated[list[_Text], Field(min_length=1, max_length=10)]
_Globs = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
_Families = Annotated[list[Annotated[str, AfterValidator(_known_family)]], Field(min_length=1)]


class _Condition(Described):
    detectors: _Globs | None = None
    measures: _Globs | None = None
    direction: Annotated[Direction | None, Field(strict=False)] = None
    dimensions: Annotated[dict[str, _Globs] | None, Field(min_length=1)] = None
    families: _Families | None = None

    def as_condition(self) -> Condition:
        dimensions = (self.dimensions or {}).items()
        return Condition(
            tuple(self.detectors or ()),
            tuple(self.measures or ()),
            self.direction,
            tuple((name, tuple(globs)) for name, globs in dimensions),
            tuple(self.families or ()),
        )


class _File(Described):
    title: Annotated[str, Field(min_length=1, max_length=120)]
    match: Annotated[list[_Condition], Field(min_length=1)]
    why: _Text
    check: _Texts
    do: _Texts
    links: list[Annotated[str, AfterValidator(_safe_link)]] = Field(default_factory=list)


def _playbook(path: Path) -> Playbook:
    if not _NAME.fullmatch(path.stem):
        raise ConfigError(str(path), "is no name for a playbook", "use a-z, 0-9, _ and -")
    found = read(path, _File)
    conditions = tuple(one.as_condition() for one in found.match)
    for position, condition in enumerate(conditions):
        if condition.weight == 0:
            raise ConfigError(f"{path}: match[{position}]", "is empty", "say what it matches")
    advised = Advice(
        path.stem,
        found.title,
        found.why,
        tuple(found.check),
        tuple(found.do),
        tuple(found.links),
    )
    return Playbook(advised, conditions)
