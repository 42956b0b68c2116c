"""Which labelled attacks were found, and which incidents are not explained by any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bartizan.model.anomaly import Anomaly, Incident
from bartizan.model.attack import AttackLabel
from bartizan.model.window import Window


@dataclass(frozen=True)
class AttackMatch:
    """An attack with the incidents that found it, in the order given; none when it was missed."""

    attack: AttackLabel
    incidents: tuple[Incident, ...]


@dataclass(frozen=True)
class Matching:
    """Every attack once, and the incidents that match none of them."""

    attacks: tuple[AttackMatch, ...]
    unmatched: tuple[Incident, ...]

    @property
    def found(self) -> int:
        return sum(1 for match in self.attacks if match.incidents)


def match(
    labels: Sequence[AttackLabel], incidents: Sequence[Incident], slack: timedelta | None = None
) -> Matching:
    """Match attacks and incidents by web ACL and time; both orders are kept.

    An incident matches an attack that its detector can see when their windows overlap, the
    attack's widened on each side by `slack` (default: one interval of the detector), and one of
    its anomalies is on the attack's web ACL with the values the attack drives, in those dimensions
    that both name. One incident may match several attacks.
    """
    attacks = tuple(
        AttackMatch(label, tuple(i for i in incidents if _matches(label, i, slack)))
        for label in labels
    )
    matched = {incident.id for attack in attacks for incident in attack.incidents}
    return Matching(attacks, tuple(i for i in incidents if i.id not in matched))


def _matches(label: AttackLabel, incident: Incident, slack: timedelta | None) -> bool:
    margin = timedelta(seconds=incident.frequency_seconds) if slack is None else slack
    widened = Window(label.window.start - margin, label.window.end + margin)
    return (
        incident.detector in label.visible_in
        and widened.overlaps(incident.window)
        and any(_shows(label, anomaly) for anomaly in incident.anomalies)
    )


def _shows(label: AttackLabel, anomaly: Anomaly) -> bool:
    found = dict(anomaly.dimensions)
    return found.get("webacl") == label.webacl and all(
        found.get(name, value) == value for name, value in label.dimensions
    )
