"""Confirmed and false alarm at the same moment, on incidents that are alike: one comes first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dispatch_house import DAY, DispatchHouse
from dispatch_worker import processes
from feedback_worker import give_together
from incidents import anomaly, incident

from bartizan.store.feedback import load_feedback
from bartizan.store.incidents import replace_incidents

ROUNDS = 12


def test_feedback_never_hides_what_is_confirmed_at_the_same_moment(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    house = DispatchHouse(tmp_path / "lake")
    pairs = [
        (one, replace(one, id=f"{number:036d}"))
        for number in range(ROUNDS)
        for one in [incident([anomaly(3, {"webacl": f"shop{number}", "rule": "SQLi"})])]
    ]
    found = [one for pair in pairs for one in pair]
    replace_incidents(house.store, found[0].detector, DAY, found)
    confirmed = [(one.id, "confirmed") for one, _ in pairs]
    false_alarms = [(other.id, "false_alarm") for _, other in pairs]

    context = processes()
    barrier = context.Barrier(2)
    here, there = zip(*(context.Pipe(duplex=False) for _ in range(2)), strict=True)
    workers = [
        context.Process(target=give_together, args=(tmp_path, rounds, barrier, there[number]))
        for number, rounds in enumerate((confirmed, false_alarms))
    ]
    for worker in workers:
        worker.start()
    assert all(pipe.poll(60) for pipe in here), "a worker is gone"
    said, hid = (pipe.recv() for pipe in here)
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]

    assert len(said) == len(hid) == ROUNDS
    assert None not in said
    for (_, other), hidden_by, refused in zip(pairs, said, hid, strict=True):
        # Either the false alarm knew of the confirmation, or the confirmation of the false alarm.
        assert (refused is None) != (hidden_by == [other.id])
    assert len(load_feedback(house.store)) == 2 * ROUNDS - hid.count(None)
