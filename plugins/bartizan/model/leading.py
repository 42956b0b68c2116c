"""The dimension values that stand for an incident: what it is about, in short."""

from __future__ import annotations

from bartizan.model.anomaly import Incident

LEADS = 20  # percent of the deviation that a value holds to stand for its incident

Pair = tuple[str, str]


def leading(incident: Incident) -> frozenset[Pair]:
    """Values with a share of at least a fifth, and those of root causes.

    Before the incident is explained: the values of its peak.
    """
    shares = [(c.dimension, c.value) for c in incident.contributions if c.percent >= LEADS]
    if not incident.contributions:
        shares = list(incident.peak.dimensions)
    found = incident.explanation
    causes = [pair for cause in found.causes for pair in cause.dimensions] if found else []
    return frozenset((*shares, *causes))


def deciding_rules(incident: Incident) -> frozenset[Pair]:
    """The rule that decided at least half of the sample requests; none for the default action."""
    rules = [sample.get("rule", "") for sample in incident.samples]
    return frozenset(
        ("rule", rule)
        for rule in rules
        if rule not in ("", "Default_Action") and 2 * rules.count(rule) >= len(rules)
    )
