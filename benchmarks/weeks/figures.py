"""What a contender's scores amount to: attacks found and how soon, incidents that are false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from bartizan.detect.group import find_groups
from bartizan.model.anomaly import Incident
from bartizan.model.attack import AttackLabel
from bartizan.model.connector import Connector
from bartizan.model.matching import AttackMatch, match
from bartizan.model.window import HOUR, Window, floor, naive
from bartizan.simulate.sites import SITES
from weeks.plan import World, quiet_week

NOW = timedelta(0)
THRESHOLDS = (50, 55, 60, 65, 70, 75, 80, 85, 90, 95)

ATTACK, BESIDE, FALSE = "attack", "beside", "false"


@dataclass(frozen=True)
class AttackFigure:
    """`delay` in intervals of `connector`, 1 when raised at the end of the interval in which the
    attack began; None when it was missed. Connector and delay are of what was raised first.
    """

    world: int
    webacl: str
    kind: str
    strength: str
    window: Window
    found: bool
    connector: str = ""
    delay: int | None = None


@dataclass(frozen=True)
class IncidentFigure:
    """`verdict` is ATTACK when it found one, BESIDE when it began on the attacked web ACL during
    an attack or within an hour (or interval, if longer) of its end, else FALSE.
    """

    world: int
    webacl: str
    connector: str
    verdict: str
    quiet: bool


@dataclass(frozen=True)
class Figures:
    """Of one contender in one world at one threshold."""

    contender: str
    threshold: float
    attacks: tuple[AttackFigure, ...]
    incidents: tuple[IncidentFigure, ...]


Scores = Mapping[str, pd.DataFrame]  # by connector
Raised = tuple[datetime, str, int]  # when, by which connector, after how many intervals


def figures(
    contender: str,
    world: World,
    labels: Sequence[AttackLabel],
    scores: Scores,
    connectors: Mapping[str, Connector],
    threshold: float,
    timed: bool,
) -> Figures:
    """Delays are looked for only if `timed`: it takes long."""
    incidents = [
        incident
        for name, found in scores.items()
        for incident in find_groups(found, connectors[name], threshold)
    ]
    matching = match(labels, incidents, NOW)
    unmatched = {incident.id for incident in matching.unmatched}
    raised = [
        min(_raised(each.attack, i, scores, connectors, threshold) for i in each.incidents)
        if timed and each.incidents
        else None
        for each in matching.attacks
    ]
    return Figures(
        contender,
        threshold,
        tuple(_fared(world, *each) for each in zip(matching.attacks, raised, strict=True)),
        tuple(_judged(world, labels, incidents, unmatched)),
    )


def _fared(world: World, found: AttackMatch, raised: Raised | None) -> AttackFigure:
    attack = found.attack
    return AttackFigure(
        world.number,
        attack.webacl,
        attack.kind,
        attack.description,
        attack.window,
        bool(found.incidents),
        raised[1] if raised else "",
        raised[2] if raised else None,
    )


def _judged(
    world: World, labels: Sequence[AttackLabel], incidents: Sequence[Incident], unmatched: set[str]
) -> Iterator[IncidentFigure]:
    quiet = {site.webacl: quiet_week(world, site) for site in SITES}
    for incident in incidents:
        webacl = webacl_of(incident)
        verdict = ATTACK
        if incident.id in unmatched:
            verdict = BESIDE if any(_beside(label, incident) for label in labels) else FALSE
        in_quiet = incident.window.start in quiet[webacl]
        yield IncidentFigure(world.number, webacl, incident.detector, verdict, in_quiet)


def webacl_of(incident: Incident) -> str:
    return dict(incident.anomalies[0].dimensions)["webacl"]


def _beside(label: AttackLabel, incident: Incident) -> bool:
    after = max(HOUR, timedelta(seconds=incident.frequency_seconds))
    around = Window(label.window.start, label.window.end + after)
    return label.webacl == webacl_of(incident) and around.overlaps(incident.window)


def _raised(
    label: AttackLabel,
    incident: Incident,
    scores: Scores,
    connectors: Mapping[str, Connector],
    threshold: float,
) -> Raised:
    """When the incident was there to be seen.

    The scores are grouped again as they stood at the end of each interval from the attack's first.
    """
    connector = connectors[incident.detector]
    found = scores[connector.name]
    times = found["interval_start"]
    step = connector.frequency
    first = floor(label.window.start, step)
    own = found[
        (found["webacl"] == label.webacl)
        & (times >= naive(incident.window.start))
        & (times < naive(incident.window.end))
    ]
    now, delay = first + step, 1
    while now < incident.window.end:
        known = own[own["interval_start"] < naive(now)]
        if match([label], find_groups(known, connector, threshold), NOW).found:
            break
        now, delay = now + step, delay + 1
    return now, connector.name, delay
