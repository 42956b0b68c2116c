"""What to simulate, and the note beside the logs that keeps two plans from mixing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from upath import UPath

from bartizan.errors import UsageError
from bartizan.model.window import DAY, Window
from bartizan.simulate.attacks import ATTACKS, DEMO_ATTACKS
from bartizan.simulate.objects import publish

OWN_FOLDER = "_simulation"  # beside the logs; names that begin with _ are never log objects
PLAN_FILE = f"{OWN_FOLDER}/plan.json"
GENERATION = 1  # raise it whenever the same plan would give other bytes


@dataclass(frozen=True)
class SimulationPlan:
    """`window` and `attack_window` are whole UTC days; without an attack window all is quiet.

    `records_per_day` is the mean over a week, over all web ACLs and before attacks. Every kind in
    `attacks` happens once on every day of `attack_window`. Raises UsageError.
    """

    window: Window
    records_per_day: int = 70_000
    seed: int = 1
    attack_window: Window | None = None
    attacks: tuple[str, ...] = DEMO_ATTACKS

    def __post_init__(self) -> None:
        _check_whole_days("window", self.window)
        if self.attack_window:
            _check_whole_days("attack window", self.attack_window)
            if self.window.intersection(self.attack_window) != self.attack_window:
                raise UsageError(
                    "attack window",
                    f"{self.attack_window} is not inside the window {self.window}",
                    "choose days of the window",
                )
        if self.records_per_day < 1 or self.seed < 0:
            raise UsageError(
                "simulation",
                f"records_per_day {self.records_per_day} and seed {self.seed} are out of range",
                "give at least 1 record a day and a seed of 0 or more",
            )
        unknown = [kind for kind in self.attacks if kind not in ATTACKS]
        if unknown:
            raise UsageError("attacks", f"{unknown} are unknown", f"choose from {list(ATTACKS)}")

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(_days(self.window))

    @property
    def attack_days(self) -> tuple[date, ...]:
        return tuple(_days(self.attack_window)) if self.attack_window else ()

    def as_json(self) -> dict[str, object]:
        return {
            "generation": GENERATION,
            "window": self.window.as_json(),
            "records_per_day": self.records_per_day,
            "seed": self.seed,
            "attack_window": self.attack_window and self.attack_window.as_json(),
            "attacks": list(self.attacks),
        }


def keep_plan(target: UPath, plan: SimulationPlan) -> None:
    """Note the plan in the target, or make sure that it is the one noted there.

    Raises UsageError when the target holds another simulation.
    """
    path = target / PLAN_FILE
    wanted = plan.as_json()
    if not path.exists():
        publish(path, (json.dumps(wanted, indent=2) + "\n").encode())
        return
    kept = json.loads(path.read_text(encoding="utf-8"))
    changes = [
        f"{key} is {json.dumps(kept.get(key))} there and {json.dumps(value)} here"
        for key, value in wanted.items()
        if kept.get(key) != value
    ]
    if changes:
        raise UsageError(
            str(path),
            f"another simulation lives here: {'; '.join(changes)}",
            "use an empty target, or the same plan",
        )


def _check_whole_days(name: str, window: Window) -> None:
    if window != window.aligned(DAY):
        raise UsageError(name, f"{window} is not whole UTC days", "start and end it at midnight")


def _days(window: Window) -> Iterator[date]:
    day = window.start.date()
    while day < window.end.date():
        yield day
        day += timedelta(days=1)
