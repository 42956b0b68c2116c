"""Stories: incidents that tell of one event, joined whatever measure or detector found them.

Two incidents belong together when they are of the same web ACL (in general: share the value of
their first dimension), overlap in time, widened by one interval, and share a cause, or one of them
is of the web ACL's total. A story is everything that hangs together in this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.leading import Pair, leading
from bartizan.model.uri import template
from bartizan.model.window import Window

LATE = timedelta(days=1)  # after its end: what is found later is history
_SAME = {"terminating_rule": "rule", "uri_template": "uri"}  # names for one thing
_COMMON = ("country", "method")
_SEEN = ("rule", "uri", "client_ip", *_COMMON)  # of sample requests


@dataclass(frozen=True)
class Story:
    """`id` is that of the incident that was the earliest when the story was first told; `incidents`
    by start, detector, measure and id."""

    id: str
    incidents: tuple[Incident, ...]

    @property
    def window(self) -> Window:
        """From the first start to the last end."""
        return Window(self.incidents[0].window.start, max(i.window.end for i in self.incidents))

    @property
    def worst(self) -> Incident:
        """The incident with the highest severity, the earliest of equals."""
        return max(self.incidents, key=lambda one: one.severity)

    @property
    def is_open(self) -> bool:
        return any(one.state is IncidentState.OPEN for one in self.incidents)


def join(incidents: Iterable[Incident], told: Mapping[str, str] | None = None) -> tuple[Story, ...]:
    """The stories of incidents, whose order does not matter, by their first incident.

    `told` maps incidents to the stories they were told as part of: that never changes. What hangs
    together with several such stories joins the first and leaves the others apart.
    """
    known = told or {}
    found = []
    for hanging in _hanging_together(sorted(incidents, key=order)):
        first = next((known[one.id] for one in hanging if one.id in known), hanging[0].id)
        members: dict[str, list[Incident]] = {}
        for one in hanging:
            members.setdefault(known.get(one.id, first), []).append(one)
        found += [Story(name, tuple(group)) for name, group in members.items()]
    return _whole(found)


def order(incident: Incident) -> tuple[datetime, str, str, str]:
    """How the incidents of a story are ordered."""
    return incident.window.start, incident.detector, incident.measure, incident.id


def is_history(incident: Incident) -> bool:
    """Whether it was found long after it ended, by the time of the metrics."""
    return incident.updated_at is not None and incident.updated_at - incident.window.end > LATE


def _whole(parts: Sequence[Story]) -> tuple[Story, ...]:
    """Parts of one story that no longer hang together, put together again."""
    by_id = sorted(parts, key=lambda story: story.id)
    stories = [
        Story(name, tuple(sorted((i for part in group for i in part.incidents), key=order)))
        for name, group in groupby(by_id, key=lambda story: story.id)
    ]
    return tuple(sorted(stories, key=lambda story: order(story.incidents[0])))


@dataclass(frozen=True)
class _Trace:
    """What joining looks at of an incident; `about` are the values that it is about."""

    incident: Incident
    place: tuple[str, ...]
    interval: timedelta
    is_total: bool
    about: frozenset[Pair]

    @classmethod
    def of(cls, incident: Incident) -> _Trace:
        dimensions = incident.peak.dimensions
        place = dimensions[0] if dimensions else ("detector", incident.detector)
        about = {(_SAME.get(name, name), value) for name, value in leading(incident) if value}
        return cls(
            incident,
            place,
            timedelta(seconds=incident.frequency_seconds),
            len(dimensions) <= 1,
            frozenset(about - {place}),
        )

    def belongs_to(self, other: _Trace) -> bool:
        mine, margin = self.incident.window, max(self.interval, other.interval)
        if not Window(mine.start - margin, mine.end + margin).overlaps(other.incident.window):
            return False
        return self.is_total or other.is_total or self.shares_a_cause_with(other)

    def shares_a_cause_with(self, other: _Trace) -> bool:
        """One value that both are about, or that one is about and the other's samples show."""
        return (
            not self.about.isdisjoint(other.about)
            or any(_shown_by(other.incident, pair) for pair in self.about)
            or any(_shown_by(self.incident, pair) for pair in other.about)
        )


def _shown_by(incident: Incident, pair: Pair) -> bool:
    """Whether sample requests have the value: one, or half of them where many share it anyway.

    A URI may be a template.
    """
    name, value = pair
    if name not in _SEEN or not incident.samples:
        return False
    found = [sample.get(name, "") for sample in incident.samples]
    same = found.count(value)
    if name == "uri":
        same = max(same, [template(one) for one in found].count(value))
    return same >= (len(found) / 2 if name in _COMMON else 1)


def _hanging_together(incidents: Sequence[Incident]) -> list[list[Incident]]:
    """Connected components, each in the given order."""
    traces = sorted(map(_Trace.of, incidents), key=lambda one: (one.place, order(one.incident)))
    leader: dict[str, str] = {one.id: one.id for one in incidents}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    reach = max((one.interval for one in traces), default=timedelta())
    for _, group in groupby(traces, key=lambda one: one.place):
        near: list[_Trace] = []
        for one in group:
            begins = one.incident.window.start - reach
            near = [other for other in near if other.incident.window.end > begins]
            for other in near:
                if one.belongs_to(other):
                    leader[find(one.incident.id)] = find(other.incident.id)
            near.append(one)
    together: dict[str, list[Incident]] = {}
    for incident in incidents:
        together.setdefault(find(incident.id), []).append(incident)
    return list(together.values())
