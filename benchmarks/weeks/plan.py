"""What happens in each world: which attack, how strong, on which web ACL, when.

A world is a fortnight of history and four weeks of live traffic at four web ACLs. Each web ACL has
one quiet week of the four, three attacks in each of the others, a whole day or more apart, and one
in the fortnight, which nobody labelled. Every kind that a watched connector can show comes at every
strength, at any time of the day and on every web ACL that has the rules for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bartizan.model.attack import AttackLabel
from bartizan.model.window import DAY, Window
from bartizan.simulate.attacks import ATTACKS
from bartizan.simulate.rules import ACCOUNT_TAKEOVER, BAD_INPUTS
from bartizan.simulate.seasons import SLOTS
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import SITES, Site

START = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
HISTORY_DAYS, LIVE_WEEKS = 14, 4
SPAN = Window(START, START + (HISTORY_DAYS + 7 * LIVE_WEEKS) * DAY)
LIVE = Window(START + HISTORY_DAYS * DAY, SPAN.end)

BLOCKED, BY_COUNTRY, METHODS = "waf_blocked_requests", "waf_traffic_by_country", "waf_methods"
CONNECTORS = (BLOCKED, BY_COUNTRY, METHODS)

VOLUMES = (20_000, 70_000, 250_000)  # records a day of all web ACLs; worlds take turns
STRENGTHS = ("weak", "medium", "strong", "extreme")

# Requests of the attack for each usual request to the web ACL in the same time.
SENT = dict(zip(STRENGTHS, (1 / 16, 1 / 4, 1.0, 4.0), strict=True))
TAKEN = dict(zip(STRENGTHS, (1 / 16, 1 / 4, 1 / 2, 0.95), strict=True))
MISSING = dict(zip(STRENGTHS, (1 / 4, 1 / 2, 3 / 4, 0.97), strict=True))
SHARES = {
    "action_shift": TAKEN,
    "status_shift": TAKEN,
    "unknown_countries": SENT,
    "delete_methods": TAKEN,
    "xss_burst": SENT,
    "credential_stuffing": SENT,
    "l7_flood": SENT,
    "slow_scanner": SENT,
    "unexpected_posts": SENT,
    "rule_misfire": TAKEN,
    "outage": MISSING,
}
KINDS = tuple(SHARES)
BURSTS = ("xss_burst", "l7_flood")  # over within 20 minutes

_NEEDS = {"credential_stuffing": ACCOUNT_TAKEOVER, "slow_scanner": BAD_INPUTS}
_METHODS_ONLY = ("delete_methods", "unexpected_posts")


@dataclass(frozen=True)
class World:
    """`seed` is of its own: no two worlds share a draw."""

    number: int
    seed: int
    records_per_day: int


@dataclass(frozen=True)
class Planned:
    """An attack in the 5-minute slots [start, stop) of the day that many days after START."""

    kind: str
    strength: str
    site: Site
    day: int
    start: int
    stop: int

    @property
    def share(self) -> float:
        return SHARES[self.kind][self.strength]

    @property
    def label(self) -> AttackLabel:
        attack, midnight = ATTACKS[self.kind], START + self.day * DAY
        return AttackLabel(
            self.kind,
            self.strength,
            self.site.webacl,
            Window(*(midnight + slot * timedelta(minutes=5) for slot in (self.start, self.stop))),
            attack.dimensions,
            (METHODS,) if self.kind in _METHODS_ONLY else attack.visible_in,
        )


def worlds(count: int, seed: int) -> list[World]:
    """The first `count` worlds of a seed; none of another seed's is among them."""
    return [
        World(number, 1_000_000 + 1_000 * seed + number, VOLUMES[number % len(VOLUMES)])
        for number in range(count)
    ]


def attacks(world: World, seed: int) -> list[Planned]:
    """All attacks of a world in order of time, those in its history too."""
    planned = [attack for site in SITES for attack in _of_site(world, site, seed)]
    return sorted(planned, key=lambda attack: attack.label.window)


def quiet_week(world: World, site: Site) -> Window:
    """The live week in which the web ACL is not attacked."""
    start = LIVE.start + 7 * DAY * _quiet(world, site)
    return Window(start, start + 7 * DAY)


def _quiet(world: World, site: Site) -> int:
    return int(generator(world.seed, "quiet week", site.webacl).integers(LIVE_WEEKS))


def _of_site(world: World, site: Site, seed: int) -> Iterator[Planned]:
    rng = generator(world.seed, "attacks", site.webacl)
    days = [int(rng.integers(HISTORY_DAYS))]
    for week in range(LIVE_WEEKS):
        first = HISTORY_DAYS + 7 * week + int(rng.integers(2))
        if week != _quiet(world, site):
            days += [first, first + 2, first + 4]
    for day, (kind, strength) in zip(days, _hand(world, site, seed, len(days)), strict=True):
        shortest, longest = (minutes // 5 for minutes in ATTACKS[kind].minutes)
        length = int(rng.integers(shortest, longest + 1))
        start = int(rng.integers(SLOTS - length + 1))
        yield Planned(kind, strength, site, day, start, start + length)


def _hand(world: World, site: Site, seed: int, size: int) -> Sequence[tuple[str, str]]:
    """The world's cards of the web ACL's deck, in which every kind has every strength.

    A kind for which few web ACLs have the rules is there oftener, so that all come about as often.
    """
    cards = [
        (kind, strength)
        for kind in KINDS
        if site in _places(kind)
        for strength in STRENGTHS
        for _ in range(len(SITES) // len(_places(kind)))
    ]
    order = generator(seed, "deck", site.webacl).permutation(len(cards))
    first = world.number * size
    return [cards[order[place % len(cards)]] for place in range(first, first + size)]


def _places(kind: str) -> list[Site]:
    return [site for site in SITES if kind not in _NEEDS or _NEEDS[kind] in site.groups]
