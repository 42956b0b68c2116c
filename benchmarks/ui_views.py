"""How long the dashboard takes on a store of a year: 10,000 incidents and what is around them.

    python benchmarks/ui_views.py

Prints the server's milliseconds of each view, after a first request that loads the code: the median
and the worst of eleven. The store is made by the library's own calls, in a folder of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient
from httpx import Response

from bartizan import jobs
from bartizan.explain.contributions import contributions
from bartizan.model.anomaly import (
    Anomaly,
    Direction,
    Explanation,
    Incident,
    IncidentState,
    RootCause,
)
from bartizan.model.evidence import Evidence, Impact
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.ids import stable_uuid
from bartizan.model.landing import Batch, BatchCounts, BatchState, LogObject, ObjectCounts
from bartizan.model.stand import Stand
from bartizan.model.stories import join
from bartizan.model.window import Window, format_time
from bartizan.store import Store
from bartizan.store.audit import DONE, note_asked, note_outcome
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector
from bartizan.store.handling import save_handling
from bartizan.store.incidents import replace_incidents, save_explanation
from bartizan.store.landing import add_batches, finish, save_counts
from bartizan.store.stories import save_stories
from bartizan.store.validations import CheckResult, save_results
from bartizan.ui import Visitor, create_app

START = datetime(2025, 11, 16, tzinfo=UTC)
END = START + timedelta(days=365)
STEP = timedelta(minutes=5)
WEBACLS = ("shop-front", "app-portal", "partner_api", "mobile-graphql")
OPEN = 200  # of the incidents
DAYS_LANDED = 30
RUNS = 11


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--incidents", type=int, default=10_000)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["BARTIZAN_HOME"] = home
        began = time.perf_counter()
        lead = fill(jobs.open_store(), given.incidents)
        print(f"store of {given.incidents:,} incidents made in {time.perf_counter() - began:.0f} s")
        took = measure(lead)
    for path, (median, worst) in took.items():
        print(f"{median:7.1f} ms median {worst:7.1f} ms worst  {path}")
    if given.json:
        given.json.write_text(json.dumps(took, indent=2) + "\n")


def measure(lead: str) -> dict[str, tuple[float, float]]:
    """Median and worst milliseconds of each view."""
    app = create_app(lambda: Visitor("anna", may_write=True), b"key", clock=lambda: END)
    client = TestClient(app)
    views = {
        "/": "/",
        "/incident": f"/incident?id={lead}",
        "/answer acknowledge": f"/answer?id={lead}&kind=acknowledge",
        "/answer false_alarm": f"/answer?id={lead}&kind=false_alarm",
        "/health": "/health",
        "/detectors": "/detectors",
        "/audit": "/audit",
        "/api/v1/now": "/api/v1/now",
    }
    read = {name: timed(client.get, path) for name, path in views.items()}
    return read | answered(client, lead)


def answered(client: TestClient, lead: str) -> dict[str, tuple[float, float]]:
    """The same of saying it: each word differs from the one before, so that all are kept."""
    me = client.get("/api/v1/me").json()
    told = {me["header"]: me["token"]}
    numbers = count()

    def say(path: str) -> Response:
        said = {"kind": "false_alarm", "why": f"our scanner, {next(numbers)}"}
        return client.post(path, json=said, headers=told)

    return {"answering false_alarm": timed(say, f"/api/v1/incidents/{lead}/answers")}


def timed(ask: Callable[[str], Response], path: str) -> tuple[float, float]:
    took = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        answer = ask(path)
        took.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, answer.text
    return statistics.median(took[1:]), max(took[1:])


def fill(store: Store, number: int) -> str:
    """Put everything there is; returns the id of an open incident."""
    names = jobs.connector_names()
    found: list[Incident] = []
    for place, name in enumerate(names):
        count = number // len(names) + (place < number % len(names))
        some = list(incidents(name, count, np.random.default_rng(place), OPEN // len(names)))
        replace_incidents(store, name, Window(START, END), some)
        for one in some:
            save_explanation(store, one, 1)
        found += some
        through = format_time(END)
        save_detector(
            store,
            DetectorRecord(name, DetectorStatus.ACTIVE, "learned", through, through, through, 9, 9),
        )
    save_stories(store, [(story.id, one) for story in join(found) for one in story.incidents])
    for one in found[::20]:
        at, stand = one.window.end, Stand.of(one)
        handled = Handling(one.id, 1, HandlingKind.ACKNOWLEDGE, "anna", "", at, None, stand)
        save_handling(store, handled)
        number = note_asked(store, at, "anna", "acknowledge", f"incident {one.id}", {})
        note_outcome(store, number, DONE)
    land(store)
    return next(one.id for one in found if one.state is IncidentState.OPEN)


def incidents(
    detector: str, count: int, rng: np.random.Generator, still_open: int
) -> Iterator[Incident]:
    """Of one detector through the year, in order of time, the last ones open."""
    starts = np.sort(rng.choice(365 * 288 - 40, count, replace=False))
    for position, start in enumerate(starts):
        webacl, rule = WEBACLS[rng.integers(4)], f"rule-{rng.integers(40)}"
        anomalies = tuple(
            _anomaly(START + int(start + at) * STEP, webacl, rule, float(rng.uniform(70, 100)))
            for at in range(int(rng.integers(1, 25)))
        )
        cause = RootCause((("webacl", webacl), ("rule", rule)), 900.0, 20.0, 97)
        yield Incident(
            id=stable_uuid(detector, position, start),
            detector=detector,
            measure="blocked",
            window=Window(anomalies[0].interval.start, anomalies[-1].interval.end),
            frequency_seconds=300,
            severity=round(max(one.severity for one in anomalies), 2),
            direction=Direction.ABOVE,
            value=120.0 * len(anomalies),
            expected=6.0 * len(anomalies),
            anomalies=anomalies,
            contributions=contributions(anomalies, ("webacl", "rule")),
            samples=({"event_time": format_time(END), "client_ip": "198.51.100.7"},) * 5,
            explanation=Explanation((cause,), 50.0, 49.0, True),
            evidence=Evidence(Impact(410, 400)),
            state=IncidentState.OPEN if position >= count - still_open else IncidentState.RESOLVED,
        )


def _anomaly(start: datetime, webacl: str, rule: str, severity: float) -> Anomaly:
    series = (("webacl", webacl), ("rule", rule))
    interval = Window(start, start + STEP)
    return Anomaly(interval, series, 120.0, 6.0, 2.0, 16.0, severity, Direction.ABOVE, "count_tail")


def land(store: Store) -> None:
    """Objects of four web ACLs every five minutes, in a batch an hour, each checked."""
    check = CheckResult("expect_column_values_to_not_be_null", "action", "fail", True, "0 of 48")
    checks = [replace(check, subject=f"column {number}") for number in range(18)]
    for hour in range(DAYS_LANDED * 24):
        start = END - timedelta(hours=hour + 1)
        times = [start + at * STEP for at in range(12)]
        uris = [
            f"s3://logs/AWSLogs/111122223333/WAFLogs/eu-west-1/{name}/{at:%Y/%m/%d/%H/%M}/a.gz"
            for at in times
            for name in WEBACLS
        ]
        batch = Batch.of([LogObject(uri, "1", 1000) for uri in uris])
        add_batches(store, [batch])
        counts = BatchCounts(records=48 * 900, requests=48 * 900)
        batch = replace(batch, counts=counts, state=BatchState.VALID)
        save_counts(store, batch, [ObjectCounts(uri, 900, 900, 0, 0) for uri in uris])
        save_results(store, batch.id, checks)
        finish(store, batch, [start])


if __name__ == "__main__":
    main()
