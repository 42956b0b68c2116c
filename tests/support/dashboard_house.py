"""A dashboard over a real home, whose store holds what the library's own calls put there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from html.parser import HTMLParser

from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from httpx import Response
from incidents import DAY_START, anomaly, incident

from bartizan import jobs
from bartizan.model.anomaly import Incident
from bartizan.model.landing import Batch, BatchCounts, BatchState, LogObject, ObjectCounts
from bartizan.model.stories import join
from bartizan.model.window import Window, format_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector
from bartizan.store.incidents import load_incidents, replace_incidents, save_explanation
from bartizan.store.landing import add_batches, finish, save_counts
from bartizan.store.stories import save_stories
from bartizan.ui import Visitor, create_app
from bartizan.ui.guard import HEADER

DETECTOR = "waf_blocked_requests"
SCORED = DAY_START + timedelta(hours=12)
DAY = Window(DAY_START, SCORED)

WRITER = Visitor("anna", may_write=True, may_run=lambda _: True)
READER = Visitor("vera", may_write=False)


class Page(HTMLParser):
    """Elements with their attributes, and all text, as a browser would see them."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _new_app() -> FastAPI:
    return create_app(_access, b"key")


def _access() -> Visitor:
    raise AssertionError("a house puts its own in this place")


_app_of_all = cache(_new_app)  # to make it takes longer than most tests


@dataclass
class DashboardHouse:
    """The app with whoever is signed in, nobody with None; the clock stands until it is turned.

    A house made later takes the app over, unless a test that changes the app asks for its own.
    """

    visitor: Visitor | None = WRITER
    now: datetime = SCORED + timedelta(hours=1)
    own_app: bool = False
    client: TestClient = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        app = _new_app() if self.own_app else _app_of_all()
        app.dependency_overrides[_access] = self._access
        app.state.site = replace(
            app.state.site, store=cache(jobs.open_store), clock=lambda: self.now
        )
        self.client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        self.store = jobs.open_store()

    def _access(self) -> Visitor:
        if self.visitor is None:
            raise HTTPException(401, "Not authenticated")
        return self.visitor

    def found(self, *incidents: Incident, detector: str = DETECTOR, stories: bool = True) -> None:
        """Incidents found, explained and joined to stories."""
        replace_incidents(self.store, detector, DAY, incidents)
        for one in incidents:
            save_explanation(self.store, one, 1)
        known = [one.incident for one in load_incidents(self.store)]
        if stories:
            save_stories(
                self.store, [(story.id, one) for story in join(known) for one in story.incidents]
            )

    def watches(
        self, name: str, state: DetectorStatus = DetectorStatus.ACTIVE, **series: int
    ) -> None:
        record = DetectorRecord(
            name,
            state,
            "learned from 4320 intervals",
            learned_start=format_time(DAY_START - timedelta(days=35)),
            learned_end=format_time(DAY_START),
            scored_through=format_time(SCORED),
            **series,
        )
        save_detector(self.store, record)

    def lands(self, *objects: tuple[str, int, int, int], publish: bool = True) -> Batch:
        """Objects of requests, duplicates and quarantined records, in one batch."""
        batch = Batch.of([LogObject(uri, "1", 10) for uri, *_ in objects])
        add_batches(self.store, [batch])
        counted = [ObjectCounts(uri, sum(counts), *counts) for uri, *counts in objects]
        records, requests, duplicates, quarantined = (
            sum(getattr(one, name) for one in counted)
            for name in ("records", "requests", "duplicates", "quarantined")
        )
        counts = BatchCounts(records, requests, 0, duplicates, quarantined)
        batch = replace(batch, counts=counts, state=BatchState.VALID)
        save_counts(self.store, batch, counted)
        if publish:
            finish(self.store, batch, [DAY_START + timedelta(hours=5)])
        return batch

    def token(self) -> str:
        found: str = self.client.get("/api/v1/me").json()["token"]
        return found

    def post(self, path: str, body: object = None, token: str | None = None) -> Response:
        """By the API, as our own page would."""
        headers = {HEADER: self.token() if token is None else token}
        return self.client.post(path, json=body, headers=headers)

    def page(self, path: str) -> Page:
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return Page(response)


def attack(
    at: int = 12, webacl: str = "shop", rule: str = "SQLi", severity: float = 93.0, lasts: int = 3
) -> Incident:
    """Blocked requests of one rule, far above the usual for some intervals."""
    dimensions = {"webacl": webacl, "rule": rule}
    return incident([anomaly(at + n, dimensions, severity=severity) for n in range(lasts)])
