"""`labels.json` beside the logs: what was done when, for those who measure detectors."""

from __future__ import annotations

import json

from upath import UPath

from bartizan.errors import UsageError
from bartizan.model.attack import AttackLabel
from bartizan.model.window import Window
from bartizan.simulate.objects import publish
from bartizan.simulate.plan import OWN_FOLDER, SimulationPlan, keep_plan
from bartizan.simulate.schedule import all_attacks

LABELS_FILE = f"{OWN_FOLDER}/labels.json"


def write_labels(target: UPath, plan: SimulationPlan) -> tuple[AttackLabel, ...]:
    """Write the labels of the plan, in order of time; no traffic needs to exist.

    Raises UsageError when the target holds another simulation.
    """
    keep_plan(target, plan)
    labels = tuple(attack.label for attack in all_attacks(plan))
    text = json.dumps([_as_json(label) for label in labels], indent=2) + "\n"
    publish(target / LABELS_FILE, text.encode())
    return labels


def read_labels(target: UPath) -> tuple[AttackLabel, ...]:
    """The labels written there. Raises UsageError when there are none."""
    path = target / LABELS_FILE
    if not path.exists():
        raise UsageError(str(path), "does not exist", "simulate into this folder first")
    return tuple(
        AttackLabel(
            kind=entry["kind"],
            description=entry["description"],
            webacl=entry["webacl"],
            window=Window.from_json(entry["window"]),
            dimensions=tuple(entry["dimensions"].items()),
            visible_in=tuple(entry["visible_in"]),
        )
        for entry in json.loads(path.read_text(encoding="utf-8"))
    )


def _as_json(label: AttackLabel) -> dict[str, object]:
    return {
        "kind": label.kind,
        "description": label.description,
        "webacl": label.webacl,
        "window": label.window.as_json(),
        "dimensions": dict(label.dimensions),
        "visible_in": list(label.visible_in),
    }
