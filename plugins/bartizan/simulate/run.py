"""Write a simulation, a day at a time: each day is complete, or can be written again."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import date
from multiprocessing import get_context

from upath import UPath

from bartizan.errors import UsageError
from bartizan.simulate.flows import quiet_flows
from bartizan.simulate.labels import write_labels
from bartizan.simulate.objects import object_key, packed, publish
from bartizan.simulate.plan import OWN_FOLDER, SimulationPlan, keep_plan
from bartizan.simulate.render import delivered_lines
from bartizan.simulate.schedule import attacks_of
from bartizan.simulate.sites import SITES


@dataclass(frozen=True)
class DayResult:
    """What a finished day holds; `size` is in bytes of gzip."""

    day: str
    objects: int
    records: int
    size: int


@dataclass(frozen=True)
class SimulationResult:
    days: tuple[DayResult, ...]

    @property
    def objects(self) -> int:
        return sum(day.objects for day in self.days)

    @property
    def records(self) -> int:
        return sum(day.records for day in self.days)

    @property
    def size(self) -> int:
        return sum(day.size for day in self.days)


def simulate(
    target: UPath,
    plan: SimulationPlan,
    on_progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
) -> SimulationResult:
    """Write all days and the labels below `target`, in `workers` processes.

    `on_progress(done, total)` is called after each day. Raises UsageError when the target holds
    another simulation.
    """
    write_labels(target, plan)
    results: list[DayResult] = []

    def finished(result: DayResult) -> None:
        results.append(result)
        if on_progress:
            on_progress(len(results), len(plan.days))

    if workers <= 1:
        for day in plan.days:
            finished(simulate_day(target, plan, day))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            futures: list[Future[DayResult]] = [
                pool.submit(simulate_day, target, plan, day) for day in plan.days
            ]
            for future in as_completed(futures):
                finished(future.result())
    return SimulationResult(tuple(sorted(results, key=lambda result: result.day)))


def simulate_day(target: UPath, plan: SimulationPlan, day: date) -> DayResult:
    """Write one day of all web ACLs, or return at once when it is already complete.

    Days do not depend on each other; the same plan always gives the same bytes. Raises UsageError
    for a day outside the plan and for a target that holds another simulation.
    """
    if day not in plan.days:
        raise UsageError("day", f"{day} is not in {plan.window}", "choose a day of the plan")
    keep_plan(target, plan)
    done = target / OWN_FOLDER / f"{day}.json"
    if done.exists():
        return DayResult(**json.loads(done.read_text(encoding="utf-8")))
    objects = records = size = 0
    for site in SITES:
        flows = quiet_flows(site, plan.seed, plan.records_per_day, day)
        for attack in attacks_of(plan, day, site):
            flows = attack.applied(flows)
        for slot, lines in delivered_lines(site, flows, plan.seed, day):
            content = packed(lines)
            publish(target / object_key(site, day, slot, plan.seed), content)
            objects, records, size = objects + 1, records + len(lines), size + len(content)
    result = DayResult(day.isoformat(), objects, records, size)
    publish(done, (json.dumps(asdict(result)) + "\n").encode())
    return result
