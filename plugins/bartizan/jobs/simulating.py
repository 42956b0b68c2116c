"""Jobs that write simulated traffic."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from bartizan.jobs.here import settings
from bartizan.model.window import DAY, Window, parse_time

if TYPE_CHECKING:
    from bartizan.simulate import SimulationPlan


def simulation_plan(start: str, days: int, records_per_day: int, seed: int) -> SimulationPlan:
    """A plan with its attacks on the last day."""
    from bartizan.simulate import SimulationPlan

    first = parse_time(start)
    end = first + timedelta(days=days)
    return SimulationPlan(
        window=Window(first, end),
        records_per_day=records_per_day,
        seed=seed,
        attack_window=Window(end - DAY, end),
    )


def plan_simulation(**plan: Any) -> list[str]:
    """The days to write, as ISO dates."""
    return [f"{day.start:%Y-%m-%d}" for day in simulation_plan(**plan).window.pieces(DAY)]


def simulate(on_progress: Callable[[int, int], None], **plan: Any) -> dict[str, Any]:
    """Write all days in processes of their own."""
    from bartizan.simulate import simulate as simulate_all

    done = simulate_all(settings().source, simulation_plan(**plan), on_progress)
    return {"days": len(done.days), "objects": done.objects, "records": done.records}


def simulate_day(day: str, **plan: Any) -> dict[str, Any]:
    from bartizan.simulate import simulate_day as simulate_one

    done = simulate_one(settings().source, simulation_plan(**plan), date.fromisoformat(day))
    return {"day": day, "objects": done.objects, "records": done.records}


def write_labels(**plan: Any) -> int:
    """Write labels.json; returns how many attacks there are."""
    from bartizan.simulate import write_labels as write

    return len(write(settings().source, simulation_plan(**plan)))
