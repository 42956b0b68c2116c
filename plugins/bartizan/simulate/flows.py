"""Flows: streams of like requests, each with an expected rate for every 5 minutes of a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache

import numpy as np

from bartizan.simulate import clients, requests, verdicts
from bartizan.simulate.pools import Pool
from bartizan.simulate.rules import BOT_CONTROL
from bartizan.simulate.seasons import SLOTS, Counts, Noise, Rates
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import Site
from bartizan.simulate.verdicts import RATE_RULE, Verdict

RECORDS_PER_DAY = 70_000  # the volume at which sites.py states its daily blocks

_AUDIENCE_NOISE = Noise(drift=0.08, shape=60)
_BLOCK_NOISE = Noise(drift=0.2, shape=4)
_MACHINES = 0.6  # share of background blocks that come from machines that never sleep
_SCANNERS = 240
_SPECIAL_CLIENTS = 120


@dataclass(frozen=True, eq=False)
class Flow:
    """Requests of one pool from clients of one pool with one verdict.

    `rates` are expected records in each 5-minute slot. `ordinary` flows are the site's own users,
    whom attacks may divert. Flows with the same `noise_name` rise and fall together. `exact` rates
    are whole numbers and are kept as they are. `left` is the share of records that an attack leaves
    in each slot.
    """

    name: str
    rates: Rates
    verdict: Verdict
    clients: Pool
    requests: Pool
    noise: Noise | None = None
    noise_name: str = ""
    ordinary: bool = False
    exact: bool = False
    left: Rates = field(default_factory=lambda: np.ones(SLOTS))

    def thinned(self, left: Rates) -> Flow:
        """The flow with only this share of its records left in each slot."""
        return replace(self, left=self.left * left)

    def counts(self, seed: int, site: Site, day: date) -> Counts:
        """Records in each slot; drawn independently of every other flow.

        Slots that no attack touches count the same with and without attacks.
        """
        if self.exact:
            return self.rates.astype("int64")
        rates = self.rates
        if self.noise:
            rates = rates * self.noise.factors(seed, f"{site.webacl}/{self.noise_name}", day)
        rng = generator(seed, "counts", site.webacl, self.name, day.toordinal())
        counts = rng.poisson(rates)
        return rng.binomial(counts, self.left)


def quiet_flows(site: Site, seed: int, records_per_day: int, day: date) -> list[Flow]:
    """Everything that reaches a site on a day without attacks."""
    scale = records_per_day / RECORDS_PER_DAY
    background = list(_background(site, seed, scale, day))
    blocks = scale * (sum(site.blocks.values()) + sum(site.custom_blocks.values()))
    ordinary = max(site.share * records_per_day - blocks, 0.0)
    return [*_audience(site, seed, ordinary, day), *background]


@cache
def scanners(site: Site, seed: int) -> Pool:
    return clients.crowd(site, seed, "scanners", clients.HOSTING_COUNTRIES, _SCANNERS)


@cache
def special_clients(site: Site, kind: str, seed: int) -> Pool:
    return clients.crowd(site, seed, kind, site.markets, _SPECIAL_CLIENTS)


@cache
def probes(site: Site, name: str, seed: int) -> Pool:
    return requests.probe(site, name, seed)


@cache
def audience(site: Site, seed: int) -> Pool:
    return clients.audience(site, seed)


@cache
def pages(site: Site, seed: int) -> Pool:
    return requests.ordinary(site, seed)


@dataclass(frozen=True)
class _Decision:
    """A share of the ordinary requests that the web ACL treats alike.

    `probe` and `kind` name special requests and clients; by default they are the site's own.
    """

    name: str
    share: float
    verdict: Verdict
    probe: str = ""
    kind: str = ""


def _audience(site: Site, seed: int, records_per_day: float, day: date) -> Iterator[Flow]:
    season = site.season.curve(day) * records_per_day / SLOTS
    for decision in _decisions(site):
        probe, kind = decision.probe, decision.kind
        yield Flow(
            name=decision.name,
            rates=season * decision.share,
            verdict=decision.verdict,
            clients=special_clients(site, kind, seed) if kind else audience(site, seed),
            requests=probes(site, probe, seed) if probe else pages(site, seed),
            noise=_AUDIENCE_NOISE,
            noise_name="audience",
            ordinary=True,
        )


def _decisions(site: Site) -> list[_Decision]:
    """How ordinary requests fare; shares add up to 1."""
    unusual = verdicts.counted(site, "count-unusual-client")
    special = [_Decision("counted", 0.03, unusual)]
    if BOT_CONTROL in site.groups:
        bot = verdicts.counted_bot(site, BOT_CONTROL.rule("CategorySearchEngine"))
        challenged = verdicts.challenged(site)
        special += [
            _Decision("verified bots", 0.05, bot, kind="crawlers"),
            _Decision("challenged", 0.01, challenged, "checkout", "newcomers"),
        ]
    if site.source == "ALB":
        health = verdicts.allowed_health_check(site)
        special += [
            _Decision("captcha shown", 0.006, verdicts.captcha_shown(site), "login", "newcomers"),
            _Decision("captcha solved", 0.02, verdicts.captcha_solved(site), "login"),
            _Decision("health checks", 0.01, health, "health", "monitors"),
        ]
    rest = 1 - sum(decision.share for decision in special)
    return [_Decision("allowed", rest, verdicts.allowed(site)), *special]


def _background(site: Site, seed: int, scale: float, day: date) -> Iterator[Flow]:
    """The noise floor: each rule blocks a little all day, more when the site is busy."""
    season = _MACHINES + (1 - _MACHINES) * site.season.curve(day)
    for (group, rule_name), daily in site.blocks.items():
        rule = group.rule(rule_name)
        verdict = verdicts.blocked(site, group, rule)
        rates = season * daily * scale
        yield _block_flow(site, seed, rule_name, daily=rates, verdict=verdict, probe=rule.probe)
    for rule_name, daily in site.custom_blocks.items():
        verdict, name = _custom_block(site, rule_name)
        rates = season * daily * scale
        yield _block_flow(site, seed, rule_name, daily=rates, verdict=verdict, probe=name)


def _block_flow(
    site: Site, seed: int, rule: str, *, daily: Rates, verdict: Verdict, probe: str
) -> Flow:
    return Flow(
        name=f"blocked by {rule}",
        rates=daily / SLOTS,
        verdict=verdict,
        clients=scanners(site, seed),
        requests=probes(site, probe, seed),
        noise=_BLOCK_NOISE,
        noise_name=rule,
    )


def _custom_block(site: Site, rule: str) -> tuple[Verdict, str]:
    if rule == RATE_RULE:
        return verdicts.rate_limited(site), "flood"
    if rule == "retired-api-version":
        return verdicts.blocked_custom(site, rule, code=410), "retired"
    return verdicts.blocked_custom(site, rule), "browse"
