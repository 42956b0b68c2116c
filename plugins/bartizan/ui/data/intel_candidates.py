"""Candidates: whom our own logs of the last day accuse, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from bartizan import jobs
from bartizan.model.window import HOUR, Window, floor
from bartizan.store import Store
from bartizan.store.intel import held, targets_held
from bartizan.store.intel_plans import load_plans

MOST_SHOWN = 200


@dataclass(frozen=True)
class Accused:
    """A candidate with its evidence; `stands` says where it is held, or what the last plan said."""

    candidate: dict[str, Any]
    stands: str


@dataclass(frozen=True)
class Candidates:
    """The highest score first; `unreadable` are clients of the log that are no address."""

    window: Window
    candidates: tuple[Accused, ...]
    more: int
    unreadable: tuple[str, ...]


def candidates(store: Store, at: datetime) -> Candidates:
    """Looks through the logs of the last day by the engine, as the next plan would."""
    window = jobs.lookback(floor(at, HOUR))
    found = jobs.find_candidates(window)
    stands = _stands(store)
    shown = found["candidates"][:MOST_SHOWN]
    return Candidates(
        window,
        tuple(
            Accused(one, stands.get(ip_network(one["network"]), "not judged yet")) for one in shown
        ),
        len(found["candidates"]) - len(shown),
        tuple(found["unreadable"][:MOST_SHOWN]),
    )


def _stands(store: Store) -> dict[object, str]:
    """By network; that it is held counts more than what was said of it."""
    found: dict[object, str] = {}
    for plan in load_plans(store, 1):
        found |= {one.network: f"refused: {one.why}" for one in plan.refused}
        found |= {one: "planned" for change in plan.changes for one in change.add}
    for name in targets_held(store):
        found |= dict.fromkeys(held(store, name), f"active in {name}")
    return found
