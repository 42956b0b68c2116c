"""A rule or quiet time of alerts.yaml as the fields of a form, and back.

Keys that the form does not have, such as `only`, stay as they are; so does what was not changed,
in the way it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from bartizan.dispatch.rules_text import Section

LONGEST = 200  # characters of a text


def _none(value: object) -> object:
    """An empty field of a form is none."""
    return None if value == "" else value


Finite = Annotated[float, Field(allow_inf_nan=False)]
Number = Annotated[Finite | None, BeforeValidator(_none)]
Text = Annotated[str, Field(max_length=LONGEST)]
Names = tuple[Text, ...]


class RuleFields(BaseModel):
    """Empty is not given. The first six are of rules and quiet times, the last six of quiet times
    alone."""

    channels: Names = ()
    detectors: Names = ()
    measures: Text = ""
    direction: Literal["", "above", "below"] = ""
    min_severity: Number = None
    absolute: Number = None
    percent: Number = None
    at_least: Number = None
    among: Number = None
    wait: Text = ""
    unacknowledged_for: Text = ""
    only_worse: bool = False
    worse_absolute: Number = None
    worse_percent: Number = None
    why: Text = ""
    start: Text = ""
    end: Text = ""
    rrule: Text = ""
    duration: Text = ""
    timezone: Text = ""


def fields_of(entry: Mapping[str, Any]) -> RuleFields:
    """Of an entry as it is written. Raises ValidationError for a file that `dispatch` refuses."""
    change, runs = entry.get("min_change") or {}, entry.get("intervals") or {}
    worse = entry.get("worse_by")
    texts = ("wait", "unacknowledged_for", "why", "rrule", "duration", "timezone", "direction")
    return RuleFields(
        channels=tuple(entry.get("channels") or ()),
        detectors=tuple(entry.get("detectors") or ()),
        measures=", ".join(entry.get("measures") or ()),
        min_severity=entry.get("min_severity"),
        absolute=change.get("absolute"),
        percent=change.get("percent"),
        at_least=runs.get("at_least"),
        among=runs.get("among"),
        only_worse=worse is not None,
        worse_absolute=(worse or {}).get("absolute"),
        worse_percent=(worse or {}).get("percent"),
        start=_moment(entry.get("start")),
        end=_moment(entry.get("end")),
        **{name: entry.get(name) or "" for name in texts},
    )


def entry_of(fields: RuleFields, section: Section, old: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with these fields, its keys in the order of the old one."""
    new, same = _keys(fields, section), _keys(fields_of(old), section)
    kept = {
        name: value if name not in same or new.get(name) == same[name] else new.get(name)
        for name, value in old.items()
    }
    added = {name: value for name, value in new.items() if name not in old}
    return {name: value for name, value in (kept | added).items() if value is not None}


def _keys(one: RuleFields, section: Section) -> dict[str, Any]:
    """What stands in the file for the fields; what is not given does not."""
    measures = [text.strip() for text in one.measures.split(",") if text.strip()]
    found: dict[str, Any] = {
        "channels": list(one.channels),
        "detectors": list(one.detectors),
        "measures": measures,
        "direction": one.direction,
        "min_severity": _plain(one.min_severity),
    }
    if section == "quiet":
        names = ("why", "start", "end", "rrule", "duration", "timezone")
        found |= {name: getattr(one, name).strip() for name in names}
    else:
        found |= {
            "min_change": _given(absolute=one.absolute, percent=one.percent),
            "intervals": _given(at_least=one.at_least, among=one.among),
            "wait": one.wait.strip(),
            "unacknowledged_for": one.unacknowledged_for.strip(),
        }
    given = {name: value for name, value in found.items() if value not in ("", None, [], {})}
    if section == "rules" and one.only_worse:
        given["worse_by"] = _given(absolute=one.worse_absolute, percent=one.worse_percent)
    return given


def _given(**numbers: float | None) -> dict[str, float]:
    return {name: _plain(value) for name, value in numbers.items() if value is not None}


def _plain(value: Any) -> Any:
    """Whole numbers without a point, as people write them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _moment(value: object) -> str:
    """As a field of a form has a time."""
    if isinstance(value, date):  # or a datetime, which is one
        return value.isoformat()
    return "" if value is None else str(value)
