"""What other thresholds and rules would have told people of: stored scores gone through again."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.alerting import alerts
from bartizan.jobs.here import open_store, settings
from bartizan.jobs.metrics import load_connector
from bartizan.jobs.replayed import LEAST_THRESHOLD, groups_at, listeners, scored_points
from bartizan.jobs.tuning_diff import difference
from bartizan.model.window import DAY, Window, format_time, parse_time

if TYPE_CHECKING:
    from bartizan.detect.group import Points
    from bartizan.dispatch.rulebook import Rulebook
    from bartizan.model.anomaly import Incident
    from bartizan.store import Store

THRESHOLDS = (50.0, 60.0, 70.0, 80.0, 90.0, 95.0)
MOST_DAYS = 90


@dataclass(frozen=True)
class Knobs:
    """Other settings for one detector. An alert is of a change by at least `absolute` and
    `percent`, anomalous in `at_least` intervals among `among` in a row."""

    threshold: float
    absolute: float = 0.0
    percent: float = 0.0
    at_least: int = 1
    among: int = 1

    def __post_init__(self) -> None:
        if not LEAST_THRESHOLD <= self.threshold <= 100:
            raise UsageError(
                "threshold", f"{self.threshold:g} is not from 50 to 100", "write 70, or 85"
            )
        if self.absolute < 0 or self.percent < 0:
            raise UsageError("change", "is negative", "write how large it must be at least")
        if not 1 <= self.at_least <= self.among:
            raise UsageError(
                "intervals", f"{self.at_least} of {self.among} cannot be", "write 2 of 3"
            )


def tune(name: str, knobs: Knobs, days: int = 30) -> dict[str, Any]:
    """Alerts of a detector's last days as it is set, and with other settings; writes nothing.

    Counts incidents that the rules tell some channel of, apart from who acknowledged or snoozed
    them and what inhibited them. `diff` is what to change in connector.yaml and alerts.yaml. Raises
    UsageError where nothing was scored.
    """
    from bartizan.dispatch.rulebook import Rulebook
    from bartizan.store.detectors import load_detector

    if not 1 <= days <= MOST_DAYS:
        raise UsageError("days", f"{days} is not from 1 to {MOST_DAYS}", "write 30")
    connector, store, found = load_connector(name), open_store(), alerts()
    scored = load_detector(store, name).scored_through
    if scored is None:
        raise UsageError(f"detector {name}", "has scored nothing yet", "watch it live first")
    window = Window(parse_time(scored) - days * DAY, parse_time(scored))
    points = scored_points(connector, window)
    # A group reaches the threshold that it was made at: to the rules all are above their own.
    book, channels = Rulebook(found.rules, found.quiet, {name: 0.0}), tuple(found.channels)
    now = connector.alert_threshold
    told = {one: _alerts(points, one, book, channels) for one in {now, *THRESHOLDS}}
    before = told[now]
    after = _alerts(points, knobs.threshold, _changed(book, name, knobs), channels)
    was_told, now_told = _Told.of(before), _Told.of(after)
    said = _said(store, name, window)
    return {
        "connector": name,
        **window.as_json(),
        "before": len(before),
        "after": len(after),
        "confirmed": [_line(one, now_told) for one in said["confirmed"]],
        "false_alarms": [_line(one, now_told) for one in said["false_alarm"]],
        "gone": [_line(one, now_told) for one in before if one not in now_told],
        "new": [_line(one, now_told) for one in after if one not in was_told],
        "at_thresholds": [(one, len(told[one])) for one in THRESHOLDS],
        "threshold": now,
        "diff": difference(connector, knobs, settings()),
    }


def _alerts(
    points: Points, threshold: float, book: Rulebook, channels: Sequence[str]
) -> list[Incident]:
    """The incidents at a threshold that some channel would have been told of."""
    return [one for one in groups_at(points, threshold) if any(listeners(one, book, channels))]


def _changed(book: Rulebook, name: str, knobs: Knobs) -> Rulebook:
    """The rules with the knobs; only this detector's incidents are put to them."""
    from bartizan.dispatch.rulebook import Change

    if not knobs.absolute and not knobs.percent and knobs.among == 1:
        return book
    change = Change(knobs.absolute, knobs.percent)
    rules = [
        replace(one, min_change=change, intervals=knobs.at_least, among=knobs.among)
        if one.detectors is None or name in one.detectors
        else one
        for one in book.rules
    ]
    return replace(book, rules=rules)


def _said(store: Store, name: str, window: Window) -> dict[str, list[Incident]]:
    """Incidents of the window that people said something of, by what."""
    from bartizan.store.feedback import load_feedback
    from bartizan.store.standing import load_chosen

    kinds = {one.incident: one.kind.value for one in load_feedback(store, name) if one.is_last}
    known = [change.incident for change in load_chosen(store, kinds).values()]
    inside = [one for one in known if window.overlaps(one.window)]
    return {
        kind: [one for one in inside if kinds[one.id] == kind]
        for kind in ("confirmed", "false_alarm")
    }


@dataclass(frozen=True)
class _Told:
    """Alerts, to be asked whether an event is among them: its first interval moves with the
    threshold."""

    alerts: Mapping[tuple[object, ...], Sequence[Incident]]

    @classmethod
    def of(cls, alerts: Iterable[Incident]) -> _Told:
        found = defaultdict(list)
        for one in alerts:
            found[cls._place(one)].append(one)
        return cls(found)

    def __contains__(self, one: Incident) -> bool:
        return any(
            one.window.overlaps(other.window) for other in self.alerts.get(self._place(one), ())
        )

    @staticmethod
    def _place(one: Incident) -> tuple[object, ...]:
        return (one.measure, one.direction, one.anomalies[0].dimensions[:1])


def _line(one: Incident, after: _Told) -> dict[str, Any]:
    from bartizan.model.story import headline

    return {
        "id": one.id,
        "start": format_time(one.window.start),
        "severity": round(one.severity),
        "headline": headline(one),
        "told": one in after,
    }
