"""When each attack happens: known from the plan alone, before any traffic exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bartizan.model.attack import AttackLabel
from bartizan.model.window import Window
from bartizan.simulate.attacks import ATTACKS, Flows
from bartizan.simulate.plan import SimulationPlan
from bartizan.simulate.scene import Scene
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import Site

_JITTER_SLOTS = 4  # the nominal hours leave an hour between attacks on one web ACL even so


@dataclass(frozen=True)
class ScheduledAttack:
    scene: Scene

    def applied(self, flows: Flows) -> Flows:
        return ATTACKS[self.scene.kind].apply(self.scene, flows)

    @property
    def label(self) -> AttackLabel:
        attack = ATTACKS[self.scene.kind]
        midnight = datetime.combine(self.scene.day, time(), UTC)
        return AttackLabel(
            kind=self.scene.kind,
            description=attack.description,
            webacl=attack.site.webacl,
            window=Window(
                midnight + timedelta(minutes=5 * self.scene.start),
                midnight + timedelta(minutes=5 * self.scene.stop),
            ),
            dimensions=attack.dimensions,
            visible_in=attack.visible_in,
        )


def attacks_of(plan: SimulationPlan, day: date, site: Site) -> list[ScheduledAttack]:
    """The attacks on one web ACL on one day; none outside the attack window."""
    if day not in plan.attack_days:
        return []
    return [_scheduled(kind, plan.seed, day) for kind in plan.attacks if ATTACKS[kind].site is site]


def all_attacks(plan: SimulationPlan) -> list[ScheduledAttack]:
    """Every attack of the plan in order of time."""
    attacks = [
        _scheduled(kind, plan.seed, day) for day in plan.attack_days for kind in plan.attacks
    ]
    return sorted(attacks, key=lambda attack: attack.label.window)


def _scheduled(kind: str, seed: int, day: date) -> ScheduledAttack:
    """Start and length by a draw that depends on nothing but seed, kind and day."""
    attack = ATTACKS[kind]
    rng = generator(seed, "schedule", kind, day.toordinal())
    step = 12 if attack.whole_hours else 1
    jitter = 0 if attack.whole_hours else int(rng.integers(-_JITTER_SLOTS, _JITTER_SLOTS + 1))
    start = int(attack.hour * 12) + jitter
    shortest, longest = (minutes // 5 // step for minutes in attack.minutes)
    length = int(rng.integers(shortest, longest + 1)) * step
    return ScheduledAttack(Scene(kind, attack.site, seed, day, start, start + length))
