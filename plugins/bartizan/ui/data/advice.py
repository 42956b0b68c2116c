"""The advice of playbooks, which are read once: a change of theirs shows after a restart."""

from __future__ import annotations

from functools import cache

from bartizan.jobs import playbooks
from bartizan.model.anomaly import Incident


def advised(incident: Incident) -> Incident:
    """The incident with the advice that fits it."""
    return _adviser()(incident)


_adviser = cache(playbooks.advised)
