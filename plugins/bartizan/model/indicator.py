"""What of an entry leaves the house: address, times, counts and families of rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bartizan.model.intel import Evidence, Network
from bartizan.model.rule_families import FAMILIES, in_family

OTHER = "other"  # rules of people's own: their names say what they protect, so they stay here
FAMILY_NAMES = (*sorted(FAMILIES), OTHER)


class Tlp(StrEnum):
    """Who may be told: the Traffic Light Protocol, without RED, which no feed may carry."""

    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"


class Format(StrEnum):
    """What a feed is written as."""

    CIDR = "cidr"
    CSV = "csv"
    STIX = "stix"
    MISP = "misp"
    GUARDDUTY = "guardduty"


@dataclass(frozen=True)
class Indicator:
    """An entry as others see it. Counts are as in Evidence, `paths` its `uris`; `families` are of
    FAMILY_NAMES; `score` from 0 to 100."""

    network: Network
    added_at: datetime
    expires_at: datetime
    first_seen: datetime
    last_seen: datetime
    requests: int
    blocked: int
    paths: int
    hours: int
    families: tuple[str, ...]
    score: float

    @classmethod
    def of(
        cls,
        network: Network,
        added_at: datetime,
        expires_at: datetime,
        evidence: Evidence,
        score: float,
    ) -> Indicator:
        return cls(
            network,
            added_at,
            expires_at,
            evidence.first_seen,
            evidence.last_seen,
            evidence.requests,
            evidence.blocked,
            evidence.uris,
            evidence.hours,
            families(evidence.rules),
            score,
        )


def families(rules: Iterable[str]) -> tuple[str, ...]:
    """The families that rules belong to, each once, in order; `other` for what has none."""
    found: set[str] = set()
    for rule in rules:
        found |= {name for name in FAMILIES if in_family(name, ("rule", rule))} or {OTHER}
    return tuple(sorted(found))
