"""Dispatchers that are killed, and dispatchers at once: every message is sent under one key."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

import pytest
from dispatch_house import HIGH, DispatchHouse
from dispatch_worker import dispatch_killed, dispatch_to, dispatch_together, processes
from landing_worker import Kill
from web_server import WebServer, serving

INCIDENTS = [replace(HIGH, id=f"{number:036d}") for number in range(3)]
MOMENTS = {  # and how often the message at hand is sent
    "before anything is routed": (Kill("bartizan.dispatch.delivery.save_routes"), 1),
    "after one of three is routed": (Kill("bartizan.dispatch.delivery.save_routes", after=True), 1),
    "within the routing of the second": (Kill("bartizan.store.routing.supersede", call=2), 1),
    "within the claim": (Kill("bartizan.store.outbox.take", after=True), 1),
    "after the claim": (Kill("bartizan.dispatch.delivery.claim", after=True), 1),
    "after sending, before it is on record": (Kill("bartizan.dispatch.delivery.settle"), 2),
    "within the record": (Kill("bartizan.store.outbox.supersede", call=4), 2),
    "after the record of the second": (
        Kill("bartizan.dispatch.delivery.settle", call=2, after=True),
        1,
    ),
}


def received(server: WebServer) -> Counter[str]:
    """How often each message came, by its key; what comes again is the same to the byte."""
    bodies: dict[str, bytes] = {}
    for asked in server.asked:
        assert bodies.setdefault(asked.headers["Idempotency-Key"], asked.body) == asked.body
    incidents = Counter(json.loads(body)["incidentId"] for body in bodies.values())
    assert incidents == Counter(one.id for one in INCIDENTS)
    return Counter(asked.headers["Idempotency-Key"] for asked in server.asked)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again(tmp_path: Path, moment: str) -> None:
    kill, most = MOMENTS[moment]
    house = DispatchHouse(tmp_path)
    house.found(*INCIDENTS)
    with serving() as server:
        url = server.url()
        worker = processes().Process(target=dispatch_killed, args=(tmp_path, url, kill))
        worker.start()
        worker.join(60)
        assert worker.exitcode == -SIGKILL
        before = len(server.asked)
        dispatch_to(tmp_path, url, 1)  # what the dead one had taken waits for its lease to end
        dispatch_to(tmp_path, url, 5)
        dispatch_to(tmp_path, url, 6)
        times = received(server)
    assert before < len(server.asked)
    assert sorted(times.values()) == [1, 1, most]
    assert house.states() == [(1, "delivered")] * 3
    assert "started" not in {result for _, _, result in house.attempts()}


def test_two_at_once_send_each_message_once(tmp_path: Path) -> None:
    house = DispatchHouse(tmp_path)
    house.found(*INCIDENTS)
    context = processes()
    with serving() as server:
        barrier = context.Barrier(2)
        workers = [
            context.Process(target=dispatch_together, args=(tmp_path, server.url(), barrier))
            for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0]
        assert sorted(received(server).values()) == [1, 1, 1]
    assert house.states() == [(1, "delivered")] * 3
