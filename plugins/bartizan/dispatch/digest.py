"""The digest of a time: what there was, where, who sent it, and what nobody was told of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bartizan.model.anomaly import Incident
from bartizan.model.outbox import DeliveryState
from bartizan.model.story import headline, severity_label
from bartizan.model.window import Window, format_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, load_detectors
from bartizan.store.incidents import load_incidents
from bartizan.store.messages import Entry, entries_within

LABELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
TOP = 5
LISTED = 50
_FROM_SAMPLES = ("rule", "client_ip", "host")  # columns of example requests, beside dimensions
_FIRST = ("webacl", *_FROM_SAMPLES)  # the others by name
_TOLD = (DeliveryState.DELIVERED, DeliveryState.SENDING)


@dataclass(frozen=True)
class Leader:
    """A value that incidents have in common: how many, and their highest severity."""

    value: str
    incidents: int
    severity: float


@dataclass(frozen=True)
class Line:
    """An incident, the channels that were told, and per other channel why it was not."""

    incident: Incident
    headline: str
    told: tuple[str, ...]
    held_back: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Digest:
    """`by_severity` has every level; `leaders` by dimension, the most frequent values first.

    `told` are incidents that some channel was told of, `suppressed` the others, each the most
    severe first. `calm` are detectors that have judged all of the window and found nothing,
    `blind` those that have not, with their states.
    """

    window: Window
    by_severity: dict[str, int]
    by_state: dict[str, int]
    leaders: dict[str, tuple[Leader, ...]]
    told: tuple[Line, ...]
    suppressed: tuple[Line, ...]
    calm: tuple[str, ...] = ()
    blind: tuple[tuple[str, str], ...] = ()

    @property
    def total(self) -> int:
        return len(self.told) + len(self.suppressed)


def digest_of(store: Store, window: Window) -> Digest:
    """The digest of a window as the store knows it now."""
    incidents = [one.incident for one in load_incidents(store, window, withdrawn=True)]
    return digest(window, incidents, entries_within(store, window), load_detectors(store))


def digest(
    window: Window,
    incidents: Sequence[Incident],
    messages: Iterable[Entry],
    detectors: Iterable[DetectorRecord] = (),
) -> Digest:
    """The digest of the incidents that start in `window`, of their messages, and of detectors."""
    of: dict[str, list[Entry]] = defaultdict(list)
    for entry in messages:
        of[entry.message.incident_id].append(entry)
    ordered = sorted(incidents, key=lambda one: (-one.severity, one.window, one.id))
    lines = [_line(one, of[one.id]) for one in ordered]
    labels = [severity_label(one.severity) for one in ordered]
    states = [one.state.value for one in ordered]
    return Digest(
        window=window,
        by_severity={label: labels.count(label) for label in LABELS},
        by_state={state: states.count(state) for state in sorted(set(states))},
        leaders=_leaders(ordered),
        told=tuple(line for line in lines if line.told),
        suppressed=tuple(line for line in lines if not line.told),
        **_silent(window, {one.detector for one in ordered}, detectors),
    )


def _silent(
    window: Window, heard: Collection[str], detectors: Iterable[DetectorRecord]
) -> dict[str, Any]:
    """Silence means something of detectors that have judged all of the window only."""
    end, calm, blind = format_time(window.end), [], []
    for one in detectors:
        if (one.scored_through or "") < end:
            blind.append((one.name, one.state.value))
        elif one.name not in heard:
            calm.append(one.name)
    return {"calm": tuple(calm), "blind": tuple(blind)}


def _line(incident: Incident, messages: Sequence[Entry]) -> Line:
    """Of a channel that was never told, the last reason counts."""
    told = {one.message.channel for one in messages if one.state in _TOLD}
    reasons = {
        one.message.channel: one.reason or one.state.value
        for one in sorted(messages, key=lambda one: one.message.change)
        if one.message.channel not in told
    }
    return Line(incident, headline(incident), tuple(sorted(told)), tuple(sorted(reasons.items())))


def _leaders(incidents: Sequence[Incident]) -> dict[str, tuple[Leader, ...]]:
    """Per dimension the values that most incidents have, of equals the more severe."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in incidents:
        for name, value in sorted(_values(one)):
            found[name][value].append(one.severity)
    return {
        name: tuple(
            Leader(value, len(severities), max(severities))
            for value, severities in sorted(
                values.items(), key=lambda item: (-len(item[1]), -max(item[1]), item[0])
            )[:TOP]
        )
        for name, values in sorted(found.items(), key=lambda item: _place(item[0]))
    }


def _place(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _values(incident: Incident) -> set[tuple[str, str]]:
    """Dimension values of its anomalies, hosts and clients of its example requests."""
    dimensions = {pair for anomaly in incident.anomalies for pair in anomaly.dimensions}
    return dimensions | {
        (name, sample[name])
        for sample in incident.samples
        for name in _FROM_SAMPLES
        if sample.get(name)
    }
