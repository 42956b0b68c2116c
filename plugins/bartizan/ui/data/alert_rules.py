"""The rules of alerts.yaml in words: who is told of what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bartizan import jobs
from bartizan.dispatch.rulebook import ANY_CHANGE, Rule
from bartizan.dispatch.scope import Scope
from bartizan.errors import ConfigError
from bartizan.jobs.alerting import alerts
from bartizan.model.story import span
from bartizan.model.text import number


@dataclass(frozen=True)
class AlertRules:
    """A sentence for each rule and quiet time; `problem` says why the file cannot be read. `file`
    says whether there is one, `written` how many rules stand in it: without any all are told."""

    channels: tuple[str, ...]
    rules: tuple[str, ...]
    quiet: tuple[str, ...]
    problem: str
    file: bool
    written: int


def alert_rules() -> AlertRules:
    try:
        found = alerts()
    except ConfigError as error:
        return AlertRules((), (), (), str(error), file=True, written=0)
    held = jobs.list_rules()
    return AlertRules(
        channels=tuple(found.channels),
        rules=tuple(f"{_scope(one)}, {', '.join(_conditions(one))}." for one in found.rules),
        quiet=tuple(f"{one.why}: {_scope(one)}." for one in found.quiet),
        problem="",
        file=held["path"] is not None,
        written=len(held["rules"]),
    )


def _scope(one: Scope) -> str:
    who = _names(one.channels, "every channel")
    what = _names(one.measures, "")
    of = f"{_names(one.detectors, 'every detector')}{f' ({what})' if what else ''}"
    side = f", only what is {one.direction} the expected" if one.direction else ""
    values = "".join(
        f", {word} {name} {_names(globs, '')}"
        for word, pairs in (("only", one.only), ("without", one.without))
        for name, globs in pairs
    )
    return f"{who.capitalize()} of {of}{side}{values}"


def _conditions(one: Rule) -> Iterator[str]:
    least = one.min_severity
    yield "from its own threshold on" if least is None else f"from severity {number(least)} on"
    if one.min_change != ANY_CHANGE:
        change = one.min_change
        yield f"for a change of {number(change.absolute)} and {number(change.percent)}% at least"
    if one.among > 1:
        yield f"when anomalous in {one.intervals} of {one.among} intervals"
    if one.wait:
        yield f"after {span(one.wait)}"
    if one.unacknowledged_for:
        yield f"when nobody acknowledged it for {span(one.unacknowledged_for)}"
    if one.worse_by is not None:
        yield "updates only when worse"


def _names(names: Iterable[str] | None, everything: str) -> str:
    return ", ".join(sorted(names or ())) or everything
