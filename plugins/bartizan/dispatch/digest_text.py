"""A digest as Markdown and as JSON. Text from logs stands in code spans, where it is only text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bartizan.dispatch.digest import LISTED, Digest, Line
from bartizan.model.story import moment, severity_label
from bartizan.model.text import inert, short

TEXT_LIMIT = 200  # characters of a headline, a value or a reason


def as_markdown(found: Digest) -> str:
    return "\n".join(_lines(found)) + "\n"


def as_json(found: Digest) -> dict[str, Any]:
    """Everything, uncut: JSON holds any text."""
    return {
        "window": found.window.as_json(),
        "by_severity": found.by_severity,
        "by_state": found.by_state,
        "leaders": {
            name: [vars(leader) for leader in leaders] for name, leaders in found.leaders.items()
        },
        "told": [_object(line) for line in found.told],
        "suppressed": [_object(line) for line in found.suppressed],
        "calm": list(found.calm),
        "blind": dict(found.blind),
    }


def _lines(found: Digest) -> Iterator[str]:
    window = found.window
    yield f"# Digest, {moment(window.start)} to {moment(window.end)}"
    yield ""
    counts = [
        f"{number:,} {label.lower()}" for label, number in found.by_severity.items() if number
    ]
    yield _incidents(found.total) + (f": {', '.join(counts)}." if counts else ".")
    states = [f"{number:,} {state}" for state, number in found.by_state.items()]
    if states:
        yield f"By now {', '.join(states)}."
    for name, leaders in found.leaders.items():
        yield ""
        yield f"## By {inert(name)}"
        yield ""
        for leader in leaders:
            yield (
                f"- {_code(leader.value)}: {_incidents(leader.incidents)}, "
                f"highest severity {leader.severity:.0f}"
            )
    yield from _section("Told", found.told)
    yield from _section("Nobody was told", found.suppressed)
    if found.calm or found.blind:
        yield ""
        yield "## Quiet"
        yield ""
    if found.calm:
        yield f"Nothing unusual: {', '.join(found.calm)}."
    if found.blind:
        blind = ", ".join(f"{name} ({state})" for name, state in found.blind)
        yield f"Have not judged all of it: {blind}."


def _section(title: str, lines: Sequence[Line]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    if not lines:
        yield "Nothing."
    for line in lines[:LISTED]:
        one = line.incident
        yield (
            f"- {severity_label(one.severity)}, {moment(one.window.start)}, {one.state}: "
            f"{_code(line.headline)}"
        )
        if line.told:
            yield f"  - told: {', '.join(line.told)}"
        if not (line.told or line.held_back):
            yield "  - not decided yet: it waits, or it is snoozed"
        for channel, why in line.held_back:
            yield f"  - not {channel}: {_code(why)}"
    if len(lines) > LISTED:
        yield f"- and {len(lines) - LISTED:,} more"


def _incidents(count: int) -> str:
    return f"{count:,} incident{'' if count == 1 else 's'}"


def _code(text: str) -> str:
    """A code span: one line, nothing in it is markup."""
    plain = short(text, TEXT_LIMIT).replace("`", "'").strip()
    return f"`{plain or '(empty)'}`"


def _object(line: Line) -> dict[str, Any]:
    one = line.incident
    return {
        "id": one.id,
        **one.window.as_json(),
        "detector": one.detector,
        "severity": one.severity,
        "state": one.state.value,
        "headline": line.headline,
        "told": list(line.told),
        "heldBack": dict(line.held_back),
    }
