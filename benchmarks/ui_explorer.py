"""What Explorer, Series, Contributions and Tuning cost on a year of hourly scores of 10,000 series.

    python benchmarks/ui_explorer.py [--days 365] [--runs 5]

The scores are synthetic, but stored by the detectors' own code, with the daily rhythm and the share
of unusual values that real ones have; they are made once and kept under var/bench/ui_explorer
(1.8 GB, a few minutes). 10,000 incidents and 1,000 deploys lie in the store. Printed are
milliseconds of whole requests through the app, without a network: the first, then the median and
the worst of some, and the median of the processor's time, which other work on the machine hardly
changes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from fastapi.testclient import TestClient

from bartizan import jobs
from bartizan.detect.panel import TIME
from bartizan.detect.scores import save_scores
from bartizan.model.anomaly import Anomaly, Direction, Incident, IncidentState
from bartizan.model.deploy import Deploy
from bartizan.model.ids import stable_uuid
from bartizan.model.window import DAY, HOUR, Window, format_time, naive
from bartizan.store.deploys import save_deploy
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector
from bartizan.store.incidents import replace_incidents
from bartizan.ui import Visitor, create_app

HOME = Path("var/bench/ui_explorer")
NAME = "waf_blocked_by_country"
END = datetime(2026, 11, 16, tzinfo=UTC)
WEB_ACLS, RULES, COUNTRIES = 10, 20, 50
INCIDENTS = 10_000
UNUSUAL = 0.004  # share of the scores with a severity above 0
DEPLOYS = 1000
ALERTS = """\
channels: {chat: {kind: folder, of: slack}, pager: {kind: folder, of: pagerduty}}
rules: [{channels: [chat]}, {channels: [pager], min_severity: 95}]
"""
BUDGET = 200  # milliseconds that a view may take


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    os.environ |= {"BARTIZAN_HOME": str(HOME), "BARTIZAN_ALERTS": str(HOME / "alerts.yaml")}
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "alerts.yaml").write_text(ALERTS)
    made(options.days)
    app = create_app(lambda: Visitor("anna", may_write=True), b"bench", lambda: END)
    client = TestClient(app)
    client.get("/nowhere")  # the app's own start
    for name, path in views().items():
        show(name, client, path, options.runs)


def views() -> dict[str, str]:
    day = "window=2026-11-15/2026-11-16"
    place = "where=webacl:web-acl-03"
    series = f"{place}&where=rule:rule-07&where=country:C11"
    one = f"detector={NAME}&measure=blocked"
    return {
        "Explorer, a week": "/explorer",
        "Explorer, a week by country, one web ACL": f"/explorer?by=country&{place}",
        "Explorer, 30 days": "/explorer?window=2026-10-17/2026-11-16",
        "Explorer, a year": "/explorer?window=2025-11-16/2026-11-16",
        "Series, a day and a week before": f"/series?{one}&{series}&{day}",
        "Series, three days": f"/series?{one}&{series}&window=2026-11-13/2026-11-16",
        "Series, a week": f"/series?{one}&{series}&window=2026-11-09/2026-11-16",
        "Series, sum of a web ACL, a day": f"/series?{one}&{place}&{day}",
        "Contributions, three hours": f"/contributions?{one}&{place}"
        "&window=2026-11-15T10:00Z/2026-11-15T13:00Z",
        "Contributions, a day": f"/contributions?{one}&{place}&{day}",
        "Contributions, a day of all web ACLs": f"/contributions?{one}&{day}",
        "Tuning, a week": f"/tuning?detector={NAME}&threshold=80&days=7",
        "Tuning, 30 days": f"/tuning?detector={NAME}&threshold=80",
        "Tuning, 30 days, 2 of 3": f"/tuning?detector={NAME}&threshold=80&at_least=2&among=3",
        "Tuning, 90 days": f"/tuning?detector={NAME}&threshold=80&days=90",
        "Rule, tried on 30 days": "/rule?section=rules&place=0&tried=true&min_severity=80",
        "Answer, false alarm": f"/answer?id={incident(1).id}&kind=false_alarm",
    }


def show(name: str, client: TestClient, path: str, runs: int) -> None:
    found = [_milliseconds(client, path) for _ in range(runs + 1)]
    again, cpu = [wall for wall, _ in found[1:]], [cpu for _, cpu in found[1:]]
    verdict = "" if statistics.median(again) <= BUDGET else f"  over {BUDGET}"
    print(
        f"{name:42} first {found[0][0]:5.0f}   median {statistics.median(again):5.0f}"
        f"   worst {max(again):5.0f}   processor {statistics.median(cpu):5.0f} ms{verdict}"
    )


def _milliseconds(client: TestClient, path: str) -> tuple[float, float]:
    """By the clock, and of the processor: of all threads, so that it may be more."""
    wall, cpu = time.perf_counter(), time.process_time()
    client.get(path).raise_for_status()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def made(days: int) -> None:
    """The scores of so many days, and the incidents; those that are there already stay."""
    connector, store = jobs.load_connector(NAME), jobs.open_store()
    for number in range(days):
        day = END - (number + 1) * DAY
        marker = HOME / f"{day:%Y%m%d}.made"
        if not marker.exists():
            save_scores(HOME / "lake", connector, Window(day, day + DAY), scores(day))
            marker.touch()
    found = [incident(number, days) for number in range(INCIDENTS)]
    replace_incidents(store, NAME, Window(END - days * DAY, END), found)
    for number in range(DEPLOYS):
        save_deploy(store, Deploy(END - number * days * DAY / DEPLOYS, f"build {number}"))
    save_detector(
        store,
        DetectorRecord(
            NAME,
            DetectorStatus.ACTIVE,
            "learned",
            scored_through=format_time(END),
            series=WEB_ACLS * RULES * COUNTRIES,
            series_ready=WEB_ACLS * RULES * COUNTRIES,
        ),
    )


def scores(day: datetime) -> pd.DataFrame:
    """24 intervals of 10,000 series as `score` returns them."""
    rng = np.random.default_rng(int(day.timestamp()))
    count, hours = WEB_ACLS * RULES * COUNTRIES, 24
    level = np.exp(np.random.default_rng(1).uniform(-3, 5, count))
    rhythm = 1 + 0.5 * np.sin(np.linspace(0, 2 * np.pi, hours, endpoint=False))
    expected = (rhythm[:, None] * level * rng.uniform(0.97, 1.03, count)).ravel()
    value = rng.poisson(expected).astype(float)
    odd = rng.random(len(value)) < UNUSUAL
    value[odd] = np.ceil(value[odd] * rng.uniform(2, 8, odd.sum())) + 3
    severity = np.where(odd, np.minimum(10 + rng.exponential(14, len(value)), 100), 0.0)
    times = np.datetime64(naive(day), "us") + np.arange(hours) * np.timedelta64(1, "h")
    place = np.tile(np.arange(count), hours)
    return pd.DataFrame(
        {
            TIME: np.repeat(times.astype("datetime64[us]"), count),
            "webacl": _names("web-acl-", WEB_ACLS, place // (RULES * COUNTRIES)),
            "rule": _names("rule-", RULES, place // COUNTRIES % RULES),
            "country": _names("C", COUNTRIES, place % COUNTRIES),
            "measure": "blocked",
            "value": value,
            "expected": expected,
            "lower": np.maximum(expected - 3.1 * np.sqrt(expected), 0),
            "upper": expected + 3.1 * np.sqrt(expected) + 2,
            "severity": severity,
            "direction": np.where(odd, "above", ""),
            "reason": np.where(odd, "spike", "normal"),
        }
    )


def _names(prefix: str, count: int, numbers: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.array([f"{prefix}{one:02d}" for one in range(count)], object)[numbers]
    return found


def incident(number: int, days: int = 365) -> Incident:
    """One of two hours, somewhere in the time."""
    rng = np.random.default_rng(number)
    start = END - DAY * days + HOUR * int(rng.integers(0, 24 * days - 3))
    dimensions = (
        ("webacl", f"web-acl-{rng.integers(WEB_ACLS):02d}"),
        ("rule", f"rule-{rng.integers(RULES):02d}"),
        ("country", f"C{rng.integers(COUNTRIES):02d}"),
    )
    severity = float(rng.uniform(70, 100))
    anomalies = tuple(
        Anomaly(
            Window(start + at * HOUR, start + (at + 1) * HOUR),
            dimensions,
            120.0,
            6.0,
            1.0,
            14.0,
            severity,
            Direction.ABOVE,
            "spike",
        )
        for at in range(2)
    )
    window = Window(start, start + timedelta(hours=2))
    return Incident(
        id=stable_uuid("bench", number),
        detector=NAME,
        measure="blocked",
        window=window,
        frequency_seconds=3600,
        severity=severity,
        direction=Direction.ABOVE,
        value=240.0,
        expected=12.0,
        anomalies=anomalies,
        state=IncidentState.RESOLVED,
    )


if __name__ == "__main__":
    main()
