"""Several workers at the same moment: what one does, the others find done."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

from landing_house import START, House
from landing_worker import land_small, land_together, plan_together, processes
from waf_logs import lines, record, write_object

from bartizan.store.landing import load_batch

WORKERS = 3


def fill(source: Path) -> None:
    """200 records an object, each of them in the next object too."""
    for index in range(12):
        numbers = range(index * 100, index * 100 + 200)
        write_object(
            source,
            f"object-{index}",
            lines(record(number) for number in numbers),
            START + timedelta(minutes=5 * index),
        )


def test_of_planners_at_the_same_moment_one_registers_an_object(tmp_path: Path) -> None:
    house = House(tmp_path)
    fill(house.source)
    context = processes()
    with context.Manager() as manager, ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        barrier = manager.Barrier(WORKERS)
        work = [(tmp_path, house.source, barrier)] * WORKERS
        plans = list(pool.map(plan_together, *zip(*work, strict=True)))
    assert sum(one.objects_new for one in plans) == 12
    assert {one.objects_new + one.objects_known for one in plans} == {12}
    assert {one.batch_ids for one in plans} == {plans[0].batch_ids}
    objects = [o.uri for i in plans[0].batch_ids for o in load_batch(house.store, i).objects]
    assert sorted(objects) == sorted(map(str, house.source.rglob("*.gz")))


def test_workers_that_land_the_same_hour_at_once_are_one(tmp_path: Path) -> None:
    source = tmp_path / "raw"
    alone, together = House(tmp_path / "alone", source), House(tmp_path / "together", source)
    fill(source)
    land_small(alone.root, source)
    context = processes()
    barrier = context.Barrier(WORKERS)
    arguments = (together.root, source, barrier)
    workers = [context.Process(target=land_together, args=arguments) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * WORKERS
    assert together.everything() == alone.everything()
    assert len(alone.everything()["waf.requests"]) == 1300
