"""What an incident says in words, the same on every channel. Plain text, no markup."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import groupby

from bartizan.model.anomaly import Contribution, Direction, Explanation, Incident, RootCause
from bartizan.model.text import inert, number, short

VALUE_LIMIT = 80
_DRIVES = 50
_TOP_VALUES = 3
_MOVES = {  # and what then ran over the incident's window
    "restless": ("moves up and down more than usual", "moved unlike itself"),
    "stuck": ("hardly moves any more", "moved unlike itself"),
    "jointly": ("is at odds with the other measures", "and the other measures were at odds"),
}
_OUTCOMES = ("blocked", "allowed", "counted", "challenged")  # measures that count requests


def severity_label(severity: float) -> str:
    """Of the rounded score: 0 INFORMATIONAL, 1 LOW, 40 MEDIUM, 70 HIGH, 90 CRITICAL."""
    score = round(severity)
    for floor, label in ((90, "CRITICAL"), (70, "HIGH"), (40, "MEDIUM"), (1, "LOW")):
        if score >= floor:
            return label
    return "INFORMATIONAL"


def headline(incident: Incident) -> str:
    """One line: what, how much against what is usual, and where."""
    where = ", ".join(f"{name} {shown(value)}" for name, value in drivers(incident))
    what = f"{_measure(incident)} {_change(incident)}"
    return f"{what}: {where}" if where else what


def story(incident: Incident) -> str:
    """A paragraph: its notice, what happened, since when, how much, who drives it, and the peak."""
    peak = incident.peak
    return " ".join(
        (
            *((incident.notice,) if incident.notice else ()),
            _opening(incident),
            f"Observed {number(incident.value)}, expected {number(incident.expected)}: "
            f"{_change(incident)}.",
            *_shares(incident),
            *because(incident),
            *(incident.evidence.sentences() if incident.evidence else ()),
            f"The peak was at {moment(peak.interval.start)}: {number(peak.value)} against an "
            f"expected {number(peak.expected)} "
            f"(range {number(peak.lower)} to {number(peak.upper)}).",
            f"Severity {round(incident.severity)} of 100 "
            f"({severity_label(incident.severity).lower()}).",
            *question(incident),
            *silence(incident),
        )
    )


def drivers(incident: Incident) -> tuple[tuple[str, str], ...]:
    """Per dimension the value that holds at least half of the deviation, where one does.

    Before the incident is explained: the dimensions of its peak.
    """
    if not incident.contributions:
        return incident.peak.dimensions
    return tuple((c.dimension, c.value) for c in incident.contributions if c.percent >= _DRIVES)


def because(incident: Incident) -> tuple[str, ...]:
    """A sentence per root cause, and what would be without them; none where none was sought."""
    found = incident.explanation
    if found is None:
        return ()
    causes = [
        f"{combination(cause)} explains {cause.percent}% of the change: {number(cause.value)} "
        f"against an expected {number(cause.expected)}."
        for cause in found.causes
    ]
    if not found.is_compact:
        causes.append("There is no compact explanation: most of the change is spread out.")
    return (*causes, without(found)) if found.causes else tuple(causes)


def question(incident: Incident) -> tuple[str, ...]:
    """What is asked of people when a change stays, and how to answer."""
    if not incident.asks_new_normal:
        return ()
    return (
        f"It has not gone back since: is this the new normal? Answer with `bartizan feedback give "
        f"{incident.id} --kind new_normal`, or expected, false_alarm or confirmed.",
    )


def silence(incident: Incident) -> tuple[str, ...]:
    """Why nobody was told."""
    return (f"Muted by the calendar: {shown(incident.muted)}.",) if incident.muted else ()


def combination(cause: RootCause) -> str:
    """`rule = SQLi and country = DE`."""
    pairs = [f"{inert(name)} = {shown(value)}" for name, value in cause.dimensions]
    return " and ".join(pairs) or "everything together"


def without(found: Explanation) -> str:
    """The counterfactual: the same interval without the root causes."""
    verdict = "normal" if found.rest_normal else "still unusual"
    if found.rest_expected < 1:
        rest = f"{number(found.rest_value)} where {number(found.rest_expected)} was expected"
    else:
        rest = f"{found.rest_value / found.rest_expected:.2f} times what was expected"
    return f"Without {'it' if len(found.causes) == 1 else 'them'} the rest is {rest} ({verdict})."


def compared(value: float, expected: float) -> str:
    """`12 times the usual`, `35% below the usual`, or the two numbers where a ratio says little."""
    if not (math.isfinite(value) and math.isfinite(expected)) or expected < 0 or value < 0:
        return f"{number(value)} instead of {number(expected)}"
    if expected < 1:
        return f"{number(value)} where {number(expected)} is usual"
    if value == 0:
        return f"absent where {number(expected)} is usual"
    ratio = value / expected
    if ratio >= 2:
        return f"{number(round(ratio, 1) if ratio < 10 else round(ratio))} times the usual"
    change = round(abs(ratio - 1) * 100)
    return f"{change}% {'above' if ratio >= 1 else 'below'} the usual"


def changed(reason: str, value: float, expected: float) -> str:
    """What is unusual: how a value moves or goes with others, or how it compares."""
    words, _ = _MOVES.get(reason, (compared(value, expected), ""))
    return words


def moment(instant: datetime) -> str:
    """`2026-11-16 14:05 UTC`."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def span(duration: timedelta) -> str:
    """`2 h 5 min`, `3 d`; whole minutes."""
    minutes = int(duration.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    parts = ((days, "d"), (rest // 60, "h"), (rest % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def shown(value: str) -> str:
    """A dimension value as one short, harmless piece of text."""
    return short(value, VALUE_LIMIT) or "(empty)"


def _change(incident: Incident) -> str:
    return changed(incident.peak.reason, incident.value, incident.expected)


def _measure(incident: Incident) -> str:
    name = inert(incident.measure).replace("_", " ").capitalize()
    return f"{name} requests" if incident.measure in _OUTCOMES else name


def _opening(incident: Incident) -> str:
    window = incident.window
    side = "above" if incident.direction is Direction.ABOVE else "below"
    _, ran = _MOVES.get(incident.peak.reason, ("", f"ran {side} the expected range"))
    return (
        f"{_measure(incident)} {ran} from {moment(window.start)} "
        f"to {moment(window.end)} ({span(window.end - window.start)})."
    )


def _shares(incident: Incident) -> list[str]:
    return [
        f"By {dimension}: {_share_list(list(shares))}."
        for dimension, shares in groupby(incident.contributions, key=lambda c: c.dimension)
    ]


def _share_list(shares: list[Contribution]) -> str:
    named = [f"{shown(share.value)} {share.percent}%" for share in shares[:_TOP_VALUES]]
    more = len(shares) - _TOP_VALUES
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
