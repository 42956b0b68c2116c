"""Which labelled attacks were found, and which incidents are not explained by any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bartizan.model.anomaly import Incident
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

    An incident matches an attack when the first dimension of one of its anomalies is the attack's
    web ACL and its window overlaps the attack's, widened on each side by `slack` (default: one
    interval of the incident's detector). One incident may match several attacks.
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
    webacls = {anomaly.dimensions[0][1] for anomaly in incident.anomalies if anomaly.dimensions}
    return label.webacl in webacls and widened.overlaps(incident.window)
