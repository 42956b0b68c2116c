"""Why records are in quarantine."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan import jobs
from bartizan.overview import quarantine_reasons


@dataclass(frozen=True)
class Quarantine:
    """Records by reason, the most frequent first."""

    records: int
    reasons: tuple[tuple[str, int], ...]


def quarantine() -> Quarantine:
    """As the lake holds them now."""
    reasons = quarantine_reasons(jobs.open_lake())
    return Quarantine(sum(reasons.values()), tuple(reasons.items()))
