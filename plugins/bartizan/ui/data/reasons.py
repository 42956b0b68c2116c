"""Why a score is what it is, in words; docs/detection.md says how it is made."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

from bartizan.model.story import compared, severity_label
from bartizan.model.text import number
from bartizan.ui.data.points import Point

AT_BUDGET = 70  # severity of the rarest that chance alone brings in a week (detect/severity.py)
MOST_DECADES = 6  # that are told; more is no better known than the model
_GREATEST = 99.99
_LOWERED = ("continues", "expected")  # whose severity is no longer their rarity

REASONS = {
    "spike": "What stands out most is this interval by itself: a burst.",
    "drop": "What stands out most is this interval by itself: a dip.",
    "rise": "What stands out most is the mean of the last intervals: weak, but for a while.",
    "fall": "What stands out most is the mean of the last intervals: a little less, for a while.",
    "sustained_rise": "What stands out most is the mean of many intervals: a long or slow rise.",
    "sustained_drop": "What stands out most is the mean of many intervals: a long or slow fall.",
    "restless": "It moves up and down more than usual, from one interval to the next.",
    "stuck": "It hardly moves any more.",
    "together": "It is among those that make a total unusual; the severity is the total's.",
    "jointly": "The measures of this series do not go together as usual; this one is most of it.",
    "mix": "Its share changed with those of others, more than chance moves them; the severity is "
    "that of the whole mix.",
    "continues": "It goes on with what was told shortly before, and is no news.",
    "new_entity": "The series has no history, and is far larger than first appearances are.",
    "beyond_peers": "It is further beyond its short history than its peers ever are beyond theirs.",
    "normal": "No change that matters.",
    "not_ready": "There is too little history to judge it: neither normal nor unusual.",
    "missing": "There is no value in this interval.",
    "excluded": "The calendar of the connector says not to judge this time.",
    "expected": "Feedback said that such a change is expected.",
}


def why(point: Point) -> Iterator[str]:
    """Sentences about a value of one series: what was seen, which test found it, how rare it is."""
    if point.value is not None and point.expected is not None:
        yield (
            f"Observed {number(point.value)}, expected {number(point.expected)}: "
            f"{compared(point.value, point.expected)}."
        )
    if point.lower is not None and point.upper is not None:
        low, high = number(max(point.lower, 0.0)), number(point.upper)
        yield f"998 in 1,000 normal values are between {low} and {high}."
    yield REASONS.get(point.reason, f"{point.reason.replace('_', ' ')}.")
    if point.severity is not None:
        label = severity_label(point.severity).lower()
        yield f"Severity {round(point.severity)} ({label}). {rarity(point.severity, point.reason)}"


def rarity(severity: float, reason: str) -> str:
    """What a severity says, by the formula of detect/severity.py turned round."""
    if reason in _LOWERED:
        return "It was lowered, and does not say how rare the value is."
    if severity <= AT_BUDGET:
        return "Chance alone brings such a value to one of all series at least once a week."
    share = min(severity, _GREATEST) - AT_BUDGET
    decades = -3 * log(1 - share / (100 - AT_BUDGET))
    times = f"{number(10**decades)} times" if decades < MOST_DECADES else "over a million times"
    return f"It is {times} as rare as the rarest that chance brings to all series in a week."
