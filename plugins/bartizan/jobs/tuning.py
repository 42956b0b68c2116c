"""What other thresholds and rules would have told people of: stored scores gone through again."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.alerting import alerts, rulebook
from bartizan.jobs.here import open_store, settings
from bartizan.jobs.metrics import load_connector
from bartizan.jobs.tuning_diff import difference
from bartizan.model.window import DAY, Window, format_time, parse_time

if TYPE_CHECKING:
    import pandas as pd

    from bartizan.dispatch.rulebook import Rulebook
    from bartizan.model.anomaly import Incident
    from bartizan.model.connector import Connector
    from bartizan.store import Store

LEAST_THRESHOLD = 50.0  # what is less severe is noise, and there is very much of it
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
    from bartizan.detect.scores import load_anomalous
    from bartizan.store.detectors import load_detector

    if not 1 <= days <= MOST_DAYS:
        raise UsageError("days", f"{days} is not from 1 to {MOST_DAYS}", "write 30")
    connector, store, found = load_connector(name), open_store(), alerts()
    scored = load_detector(store, name).scored_through
    if scored is None:
        raise UsageError(f"detector {name}", "has scored nothing yet", "watch it live first")
    window = Window(parse_time(scored) - days * DAY, parse_time(scored))
    least = min(LEAST_THRESHOLD, connector.alert_threshold)
    points = load_anomalous(settings().lake, connector, window, least)
    book, channels = rulebook(found), tuple(found.channels)
    before = _alerts(points, connector, connector.alert_threshold, book, channels)
    after = _alerts(points, connector, knobs.threshold, _changed(book, name, knobs), channels)
    said = _said(store, name, window)
    return {
        "connector": name,
        **window.as_json(),
        "before": len(before),
        "after": len(after),
        "confirmed": [_line(one, after) for one in said["confirmed"]],
        "false_alarms": [_line(one, after) for one in said["false_alarm"]],
        "gone": [_line(one, after) for one in before if not _told(one, after)],
        "new": [_line(one, after) for one in after if not _told(one, before)],
        "at_thresholds": [
            (one, len(_alerts(points, connector, one, book, channels))) for one in THRESHOLDS
        ],
        "threshold": connector.alert_threshold,
        "diff": difference(connector, knobs, settings()),
    }


def _alerts(
    points: pd.DataFrame,
    connector: Connector,
    threshold: float,
    book: Rulebook,
    channels: Sequence[str],
) -> list[Incident]:
    """The incidents at a threshold that some channel would have been told of."""
    import numpy as np

    from bartizan.detect.group import find_groups
    from bartizan.detect.special import why_muted
    from bartizan.model.window import naive

    by = replace(book, thresholds={**book.thresholds, connector.name: threshold})
    found = []
    for one in find_groups(points, connector, threshold):
        starts = (np.datetime64(naive(part.interval.start), "us") for part in one.anomalies)
        incident = replace(one, muted=why_muted(starts, connector))
        if _tells(incident, by, channels):
            found.append(incident)
    return found


def _tells(incident: Incident, book: Rulebook, channels: Sequence[str]) -> bool:
    """Whether the rules tell anybody, long after it began and with nobody on it."""
    from bartizan.dispatch.rules import route
    from bartizan.store.incidents import IncidentChange
    from bartizan.store.routing import Past

    change = IncidentChange(incident, 1, explained=True)
    began = incident.window.start
    past = Past(heard=frozenset(), owed=frozenset(), since=began, seen=began)
    later = incident.window.end + timedelta(days=30)
    return any(one.sends for one in route(change, past, channels, book, later))


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


def _told(one: Incident, among: Sequence[Incident]) -> bool:
    """Whether one of them is the same event: its first interval moves with the threshold."""
    return any(
        (one.measure, one.direction, one.peak.dimensions[:1])
        == (other.measure, other.direction, other.peak.dimensions[:1])
        and one.window.overlaps(other.window)
        for other in among
    )


def _line(one: Incident, after: Sequence[Incident]) -> dict[str, Any]:
    from bartizan.model.story import headline

    return {
        "id": one.id,
        "start": format_time(one.window.start),
        "severity": round(one.severity),
        "headline": headline(one),
        "told": _told(one, after),
    }
