"""The figures of all worlds together, per contender and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.simulate.sites import SITES
from weeks.figures import ATTACK, FALSE, AttackFigure, Figures, IncidentFigure
from weeks.plan import LIVE_WEEKS


@dataclass(frozen=True)
class Pooled:
    """`worlds` are those that the figures come from; rates are per week of one web ACL."""

    contender: str
    threshold: float
    worlds: int
    attacks: tuple[AttackFigure, ...]
    incidents: tuple[IncidentFigure, ...]

    @property
    def weeks(self) -> int:
        """Weeks of single web ACLs."""
        return self.worlds * LIVE_WEEKS * len(SITES)

    def recall(self, strength: str | None = None) -> float:
        """Share of the attacks that were found; 0 when there are none."""
        chosen = [a for a in self.attacks if strength in (None, a.strength)]
        return sum(attack.found for attack in chosen) / max(len(chosen), 1)

    @property
    def precision(self) -> float:
        """Incidents that found an attack, of these and the false ones; 1 without any.

        Incidents beside an attack are neither: they show it, but in series that it was not
        meant to move.
        """
        true, false = self._number(ATTACK), self._number(FALSE)
        return true / (true + false) if true + false else 1.0

    def weekly(self, verdict: str) -> float:
        return self._number(verdict) / self.weeks

    @property
    def weekly_quiet(self) -> float:
        """False incidents in the quiet weeks, one of each web ACL in each world."""
        quiet = sum(i.quiet and i.verdict == FALSE for i in self.incidents)
        return quiet / (self.worlds * len(SITES))

    def _number(self, verdict: str) -> int:
        return sum(incident.verdict == verdict for incident in self.incidents)


def pooled(found: Sequence[Figures], worlds: int) -> list[Pooled]:
    """One for each contender and threshold, in the order in which they come first."""
    keys = dict.fromkeys((one.contender, one.threshold) for one in found)
    return [
        Pooled(
            contender,
            threshold,
            worlds,
            tuple(a for one in found if _key(one) == (contender, threshold) for a in one.attacks),
            tuple(i for one in found if _key(one) == (contender, threshold) for i in one.incidents),
        )
        for contender, threshold in keys
    ]


def _key(one: Figures) -> tuple[str, float]:
    return one.contender, one.threshold
