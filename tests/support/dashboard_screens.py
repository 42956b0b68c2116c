"""Makes the pictures in docs/screens: every view, on a desktop and a phone, light and dark.

    PYTHONPATH=plugins python tests/support/dashboard_screens.py [VIEW ...]

The first time it simulates sixteen days of logs with attacks and walks the main job through them,
in var/screens (some minutes); what it makes is the same each time. Then it serves the dashboard on
loopback, at the afternoon of the last day, before a stand-in of AWS and without Airflow, and
photographs it with Chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from attacked import Sets
from browser_windows import DESKTOP, PHONE
from fastapi import FastAPI
from intel_scene import SHOP, heard, holds
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from stand_in_aws import leading_to, stand_in

from bartizan import jobs
from bartizan.config import PROJECT
from bartizan.model.anomaly import IncidentState
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.audit import DONE, note_asked, note_outcome
from bartizan.store.incidents import load_incidents
from bartizan.store.intel_plans import load_plans
from bartizan.ui import Visitor, create_app

HOME, OUT = Path("var/screens"), PROJECT / "docs" / "screens"
WATCHED = ("waf_blocked_requests", "waf_traffic_by_country", "waf_blocked_share")
START = datetime(2026, 11, 1, tzinfo=UTC)
LIVE = Window(START + 15 * DAY, START + 15 * DAY + 15 * HOUR)
NOW = LIVE.end + timedelta(minutes=5)
RECORDS_PER_DAY = 30_000
LONGEST = {"desktop": 1500, "phone": 1700}  # what is further down is cut
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
ALERTS = """\
channels:
  chat: {kind: folder, of: slack}
  pager: {kind: folder, of: pagerduty}
  findings: {kind: folder, of: security_hub}
rules:
  - channels: [findings]
  - channels: [chat] # people
    min_severity: 80
    wait: PT10M
    worse_by: {percent: 100}
  - channels: [pager]
    min_severity: 95
quiet:
  - {why: night, channels: [chat], rrule: "FREQ=DAILY;BYHOUR=22", duration: PT8H}
"""
RUNS = [
    {"dag_id": dag_id, "state": "success", "end_date": f"2026-11-16T15:0{number % 5}:10Z"}
    for number, dag_id in enumerate(
        ("waf_land", "waf_aggregate", *(f"detect_{name}" for name in WATCHED), "dispatch")
    )
]
HELD = {"203.0.113.1/32": LIVE.end + HOUR / 2, "203.0.113.20/32": LIVE.end + 3 * HOUR}  # blocked


def main() -> None:
    os.environ |= {"BARTIZAN_HOME": str(HOME), "BARTIZAN_ALERTS": str(HOME / "alerts.yaml")}
    os.environ |= {"BARTIZAN_INTEL": str(HOME / "intel.yaml"), "BARTIZAN_ALERTS_IN_PLACE": "true"}
    HOME.mkdir(parents=True, exist_ok=True)
    with stand_in() as aws, leading_to(aws):
        sets = Sets(aws, "bartizan")
        sets.configured(HOME / "intel.yaml", "block")
        for network in HELD:
            sets.foreign(0, network)
        if not (HOME / "made").exists():
            make()
        photograph_all(set(sys.argv[1:]))


def photograph_all(wanted: set[str]) -> None:
    """The views that are named, all without any."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))))
    with served() as address, sync_playwright() as playwright:
        if unknown := wanted - views().keys():
            sys.exit(f"no such view: {', '.join(sorted(unknown))}; take {', '.join(views())}")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for name, path in views().items():
            if not wanted or name in wanted:
                photograph(browser, name, f"{address}/bartizan/{path}")
        browser.close()


def airflow() -> dict[str, object]:
    """What Airflow's API answers, whatever is asked of it."""
    [plan] = load_plans(jobs.open_store(), 1)
    question = {"body": f"```\nplan {plan.id} ", "task_instance": {"dag_run_id": "manual"}}
    dags = [{"dag_id": one["dag_id"]} for one in RUNS]
    return {"dags": dags, "dag_runs": RUNS, "hitl_details": [question]}


def make() -> None:
    """The home: traffic, what was found in it, what people said, what was blocked."""
    for folder in ("raw", "lake", "metrics"):
        shutil.rmtree(HOME / folder, ignore_errors=True)
    (HOME / "alerts.yaml").write_text(ALERTS)
    plan = {"start": "2026-11-01", "days": 16, "records_per_day": RECORDS_PER_DAY, "seed": 1}
    jobs.simulate(_quietly, **plan)
    history = Window(START, LIVE.start)
    jobs.land(history, _quietly)
    jobs.aggregate([history])
    for name in WATCHED:
        jobs.backfill(name, history, dry_run=False)
        jobs.learn(name, LIVE.start)
    jobs.land(LIVE, _quietly)
    jobs.aggregate(None)
    for name in WATCHED:
        jobs.crawl(name, [LIVE])
        jobs.detect(name, [LIVE])
    jobs.explain()
    talk()
    (HOME / "made").touch()


def talk() -> None:
    """What people did, and what was blocked."""
    store = jobs.open_store()
    found = sorted((one.incident for one in load_incidents(store)), key=lambda one: -one.severity)
    acknowledged = next(one for one in found if one.state is IncidentState.OPEN)
    false = [one for one in found if one.state is IncidentState.RESOLVED][-1]
    jobs.acknowledge_incident(acknowledged.id, "vera", NOW - HOUR, "looking at it")
    jobs.give_feedback(false.id, "false_alarm", NOW - HOUR, None, "our scanner", "anna")
    for by, action, about in (
        ("vera", "acknowledge", acknowledged),
        ("anna", "false_alarm", false),
    ):
        number = note_asked(store, NOW - HOUR, by, action, f"incident {about.id}", {})
        note_outcome(store, number, DONE, {})
    jobs.mark_deploy(LIVE.start + 7 * HOUR + HOUR / 2, "shop 4.2", "ci")
    heard(store, LIVE.end, *HELD, "198.51.100.9/32")
    holds(store, replace(SHOP, name="shop", ip_set_name="bartizan"), LIVE.end - HOUR, HELD)
    jobs.plan_intel(Window(LIVE.end - DAY, LIVE.end), "respond", LIVE.end)


def views() -> dict[str, str]:
    """The address of every view, below /bartizan/."""
    store = jobs.open_store()
    worst = max((one.incident for one in load_incidents(store)), key=lambda one: one.severity)
    day = f"window={LIVE.start:%Y-%m-%d}/{LIVE.start + DAY:%Y-%m-%d}"
    peak = worst.peak
    where = urlencode([("where", f"{name}:{value}") for name, value in peak.dimensions])
    about = f"{day}&detector={worst.detector}&measure={worst.measure}"
    chosen = f"picked={worst.window.start:%Y-%m-%dT%H:%MZ}/{worst.window.end:%Y-%m-%dT%H:%MZ}"
    last = peak.dimensions[-1]
    narrowed = urlencode({"by": last[0], "where": ":".join(last)})
    return {
        "now": "",
        "incident": f"incident?id={worst.id}",
        "answer": f"answer?id={worst.id}&kind=false_alarm",
        "explorer": f"explorer?{day}",
        "explorer-chosen": f"explorer?{day}&{chosen}&{narrowed}",
        "series": f"series?{about}&{where}&{chosen}",
        "contributions": f"contributions?{about}&{chosen}",
        "intel": "intel",
        "intel-plan": f"intel-plan?id={load_plans(store, 1)[0].id}",
        "intel-deed": "intel-deed?kind=stop",
        "health": "health",
        "detectors": "detectors",
        "begin": "begin?name=waf_labels&look=true",
        "rule": "rule?section=rules&place=1&tried=true&channels=chat&min_severity=70&wait=PT10M",
        "tuning": f"tuning?detector={WATCHED[0]}&threshold=97",
        "audit": "audit",
    }


def photograph(browser: Browser, name: str, url: str) -> None:
    for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
        for theme in ("light", "dark"):
            window = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme=theme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page = window.new_page()
            page.route("**/api/v2/**", lambda route: route.fulfill(json=airflow()))
            page.goto(url, wait_until="networkidle")
            path = OUT / f"{name}-{device}-{theme}.png"
            _shoot(page, path, LONGEST[device])
            window.close()
            print(path.name)


def _shoot(page: Page, path: Path, longest: int) -> None:
    """In 256 colours, which a page hardly needs."""
    page.screenshot(path=path, full_page=True)
    with Image.open(path) as picture:
        part = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, longest)))
    few = part.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


@contextmanager
def served() -> Iterator[str]:
    """The dashboard where Airflow would mount it; it ends with the block."""
    site = FastAPI()
    site.mount("/bartizan", create_app(_visitor, b"screens", lambda: NOW))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(site, "127.0.0.1", port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def _visitor() -> Visitor:
    """Somebody who may do all."""
    return Visitor("anna", may_write=True, may_run=lambda _: True, may_block=True)


def _quietly(_done: int, _total: int) -> None:
    """Shows no progress."""


if __name__ == "__main__":
    main()
