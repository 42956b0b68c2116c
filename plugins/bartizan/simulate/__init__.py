"""Simulate AWS WAF logs: quiet traffic of four web ACLs, and labelled attacks on a chosen day.

The logs lie as AWS delivers them to S3, so everything downstream reads them like real ones.
"""

from bartizan.model.attack import AttackLabel
from bartizan.simulate.attacks import ATTACKS, DEMO_ATTACKS
from bartizan.simulate.labels import read_labels, write_labels
from bartizan.simulate.plan import SimulationPlan
from bartizan.simulate.run import DayResult, SimulationResult, simulate, simulate_day

__all__ = [
    "ATTACKS",
    "DEMO_ATTACKS",
    "AttackLabel",
    "DayResult",
    "SimulationPlan",
    "SimulationResult",
    "read_labels",
    "simulate",
    "simulate_day",
    "write_labels",
]
