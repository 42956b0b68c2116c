"""Where and when an attack happens, and the few moves that attacks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from bartizan.simulate import clients, verdicts
from bartizan.simulate.flows import Flow, audience, pages, probes
from bartizan.simulate.pools import Pool
from bartizan.simulate.rules import ManagedGroup
from bartizan.simulate.seasons import SLOTS, Rates
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import Site
from bartizan.simulate.verdicts import Verdict


@dataclass(frozen=True)
class Scene:
    """One attack of `kind` on `site` in the 5-minute slots [start, stop) of `day`.

    `strength` multiplies the requests that it sends, or takes from others (never more than all).
    """

    kind: str
    site: Site
    seed: int
    day: date
    start: int
    stop: int
    strength: float = 1.0

    def draws(self) -> np.random.Generator:
        return generator(self.seed, "attack", self.kind, self.day.toordinal())

    def inside(self) -> Rates:
        """1 in the slots of the attack, 0 outside."""
        slots = np.arange(SLOTS)
        return ((slots >= self.start) & (slots < self.stop)).astype(float)

    def usual(self, flows: Sequence[Flow]) -> Rates:
        """The expected ordinary requests in each slot of the attack, 0 outside."""
        total: Rates = np.sum([flow.rates for flow in flows if flow.ordinary], axis=0)
        return total * self.inside()

    def blocked_by(self, group: ManagedGroup, rule: str) -> Verdict:
        return verdicts.blocked(self.site, group, group.rule(rule))

    def attackers(self, shares: dict[str, float], size_each: int) -> Pool:
        """`size_each` scanning clients in each country, by the countries' shares of requests."""
        return clients.spread(self.site, self.seed, "scanners", shares, size_each)

    def added(
        self,
        name: str,
        rates: Rates,
        verdict: Verdict,
        who: Pool,
        probe: str,
        *,
        exact: bool = False,
    ) -> Flow:
        """Requests on top of all others."""
        sent = rates * self.strength
        return Flow(
            name=f"{self.kind}/{name}",
            rates=np.rint(sent) if exact else sent,
            verdict=verdict,
            clients=who,
            requests=probes(self.site, probe, self.seed),
            exact=exact,
        )

    def diverted(
        self, flows: Sequence[Flow], share: float, verdict: Verdict, probe: str | None = None
    ) -> list[Flow]:
        """The flows with a share of the ordinary requests under another verdict.

        Clients stay the site's own; requests too, unless `probe` names others.
        """
        share = min(share * self.strength, 1.0)
        taken = Flow(
            name=f"{self.kind}/diverted",
            rates=self.usual(flows) * share,
            verdict=verdict,
            clients=audience(self.site, self.seed),
            requests=probes(self.site, probe, self.seed) if probe else pages(self.site, self.seed),
        )
        left = 1 - share * self.inside()
        kept = [flow.thinned(left) if flow.ordinary else flow for flow in flows]
        return [*kept, taken]
