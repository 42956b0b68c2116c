"""The digest: counts that add up, what nobody was told of and why, and hostile text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dispatch_house import DAY, HIGH, LOW, DispatchHouse, Recorder
from hypothesis import given, settings
from hypothesis import strategies as st
from incidents import anomaly, incident

from bartizan import jobs
from bartizan.dispatch.channels.base import Outcome
from bartizan.dispatch.channels.folder import DIGESTS
from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest, digest
from bartizan.dispatch.digest_html import as_html
from bartizan.dispatch.digest_text import as_markdown
from bartizan.dispatch.payload import MAX_BYTES, encoded
from bartizan.dispatch.rulebook import Rule
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident
from bartizan.model.outbox import DeliveryState
from bartizan.model.period import Period
from bartizan.model.window import Window, format_time
from bartizan.store.detectors import DetectorRecord, DetectorStatus
from bartizan.store.messages import Entry, entries_within
from bartizan.store.outbox import Message, retry

HOSTILE = "`</script><script>alert(1)</script>\n# fake [x](http://evil) \u202e\x1b[31m"


SAFE = (
    *("html", "head", "meta", "title", "style", "body", "main", "section", "div", "footer"),
    *("h1", "h2", "h4", "p", "b", "span", "a", "table", "thead", "tbody", "tr", "th", "td"),
)
MIDNIGHT = datetime(2026, 11, 17, tzinfo=UTC)  # a Tuesday, after the day of the incidents


class Page(HTMLParser):
    """What a reader sees of a page, its tags and its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    (tmp_path / "lake").mkdir()
    return DispatchHouse(tmp_path / "lake")


def of(house: DispatchHouse, *found: Incident) -> Digest:
    return digest(DAY, found, entries_within(house.store, DAY))


def test_each_incident_is_told_or_suppressed_with_the_reason(house: DispatchHouse) -> None:
    held = replace(HIGH, id="held", severity=75.0)
    house.found(HIGH, LOW, held)
    waits = Rule(channels=frozenset({"b"}), wait=timedelta(hours=1), min_severity=70)
    loud = Rule(channels=frozenset({"a"}), min_severity=90)
    house.dispatch({"a": Recorder(), "b": Recorder()}, rules=(loud, waits))
    found = of(house, HIGH, LOW, held)
    assert [(line.incident.id, line.told) for line in found.told] == [(HIGH.id, ("a",))]
    assert [(line.incident.id, dict(line.held_back)) for line in found.suppressed] == [
        ("held", {"a": "severity 75.00 is below 90"}),
        (LOW.id, {"a": "severity 65.00 is below 90", "b": "severity 65.00 is below 70"}),
    ]
    assert sum(found.by_severity.values()) == sum(found.by_state.values()) == 3
    assert found.by_severity["CRITICAL"] == 1
    assert found.leaders["webacl"][0].value == "shop"
    assert (found.leaders["webacl"][0].incidents, found.leaders["webacl"][0].severity) == (2, 93)
    outside = Window(DAY.end, DAY.end + timedelta(days=1))
    assert entries_within(house.store, outside) == []


def test_text_from_logs_is_only_text(house: DispatchHouse) -> None:
    sample = {"client_ip": "203.0.113.9", "host": HOSTILE}
    bad = incident([anomaly(3, {"webacl": HOSTILE, "rule": "x" * 100_000})], samples=(sample,))
    text = as_markdown(of(house, bad))
    assert len(text) < 5_000
    assert "203.0.113.9" in text
    for line in text.splitlines():
        outside = "".join(line.split("`")[::2])  # what is not in a code span
        assert line.count("`") % 2 == 0
        assert "script" not in outside and "evil" not in outside
        assert line.isprintable()


def test_the_page_says_who_which_rule_and_which_host_and_hostile_text_is_text(
    house: DispatchHouse,
) -> None:
    seen = {"client_ip": "203.0.113.9", "host": HOSTILE, "rule": "NoUserAgent", "country": HOSTILE}
    bad = incident([anomaly(3, {"webacl": HOSTILE, "zone": "x" * 100_000})], samples=(seen,))
    house.found(bad, LOW)
    house.dispatch({"a": Recorder(), "b": Recorder()})
    found = of(house, bad, LOW)
    assert list(found.leaders) == ["webacl", "rule", "client_ip", "host", "zone"]
    page = as_html(found, Context())
    read = Page(page)
    assert len(page) < 25_000
    assert set(read.tags) <= set(SAFE)
    assert read.links == [f"http://localhost:8080/bartizan/incidents/{i.id}" for i in (bad, LOW)]
    text = " ".join(read.text.split())
    for said in ("203.0.113.9", "NoUserAgent", "Clients", "Hosts", "<script>alert(1)</script>"):
        assert said in text
    assert "2 incidents: 1 critical, 1 medium" in text
    assert "1 told to somebody 1 told to nobody 2 still open" in text
    assert "a, b: severity 65.00 is below 70" in text
    assert not {"\u202e", "\x1b"} & set(page)


_texts = st.sampled_from(["", HOSTILE, "{{ 7 * 7 }}", "&amp;", "a" * 9000]) | st.text(max_size=30)


@settings(max_examples=30)
@given(values=st.lists(_texts, min_size=1, max_size=4), why=_texts)
def test_no_value_becomes_markup_on_the_page(values: list[str], why: str) -> None:
    seen = dict(zip(("client_ip", "host", "rule"), values, strict=False))
    found = [
        replace(incident([anomaly(3, {"webacl": one})], samples=(seen,)), id=str(at))
        for at, one in enumerate(values)
    ]
    message = Entry(Message("0", 1, "a"), DeliveryState.SKIPPED, 0, "", why, "")
    page = as_html(digest(DAY, found, [message]), Context())
    read = Page(page)
    assert set(read.tags) <= set(SAFE)
    assert len(read.links) == len(values)
    assert all(line.isprintable() for line in page.splitlines())
    assert ("{{ 7 * 7 }}" in read.text) == ("{{ 7 * 7 }}" in (*values, why))


def test_silence_counts_where_all_of_the_time_was_judged() -> None:
    end = "2026-11-17T00:00:00Z"
    assert format_time(DAY.end) > end
    day = Window(DAY.start, MIDNIGHT)
    through = {"calm": end, "short": "2026-11-16T23:55:00Z", HIGH.detector: end, "new": None}
    detectors = [
        DetectorRecord(name, DetectorStatus.ACTIVE, scored_through=at)
        for name, at in through.items()
    ]
    found = digest(day, [HIGH], [], detectors)
    assert found.calm == ("calm",)
    assert [name for name, _ in found.blind] == ["short", "new"]
    assert "Nothing unusual: calm." in as_markdown(found)
    assert "short (active), new (active)" in " ".join(Page(as_html(found, Context())).text.split())


def test_files_are_pages_markdown_or_json(
    house: DispatchHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    house.found(HIGH, LOW)
    house.dispatch({"a": Recorder()})
    written = json.loads(Path(jobs.write_digest(DAY, tmp_path / "new" / "d.json")).read_text())
    assert [one["id"] for one in written["told"]] == [HIGH.id]
    assert written["suppressed"][0]["heldBack"] == {"a": "severity 65.00 is below 70"}
    text = Path(jobs.write_digest(DAY, tmp_path / "d.md")).read_text()
    assert "2 incidents: 1 critical, 1 medium." in text
    page = Path(jobs.write_digest(DAY, tmp_path / "d.html")).read_text()
    assert HIGH.id in page and LOW.id in page
    with pytest.raises(UsageError, match="neither"):
        jobs.write_digest(DAY, tmp_path / "d.txt")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))
def test_a_period_is_the_last_whole_one(now: datetime) -> None:
    day, week = Period.DAILY.last(now), Period.WEEKLY.last(now)
    assert day.end.date() == now.date() and day.end.time() == time(0)
    assert day.end - day.start == timedelta(days=1)
    assert week.end - week.start == timedelta(days=7)
    assert week.start.weekday() == 0 and week.start.time() == time(0)
    assert timedelta(0) <= now - week.end < timedelta(days=7)


def test_a_channel_of_digests_gets_one_a_day_and_nothing_else(house: DispatchHouse) -> None:
    prompt, daily, weekly = Recorder(), Recorder(), Recorder()
    channels = {"prompt": prompt, "daily": daily, "weekly": weekly}
    digests = {"daily": Period.DAILY, "weekly": Period.WEEKLY}
    house.found(HIGH, LOW)
    house.clock.now = MIDNIGHT + timedelta(hours=1, minutes=59)
    house.dispatch(channels, digests=digests)
    assert prompt.keys == [(1, HIGH.id)]
    days = [one.payload["window"]["start"] for one in daily.sent]
    assert days == ["2026-11-15T00:00:00Z"]  # the day of the incidents is not over yet
    house.clock.turn(minutes=1)
    for _ in range(3):
        house.dispatch(channels, digests=digests)
        house.clock.turn(hours=1)
    (_, told) = (one.payload for one in daily.sent)
    assert told["window"]["start"] == "2026-11-16T00:00:00Z"
    assert [one["id"] for one in told["told"]] == [HIGH.id]
    assert [one["id"] for one in told["suppressed"]] == [LOW.id]
    assert [one.payload["window"]["start"] for one in weekly.sent] == ["2026-11-09T00:00:00Z"]
    assert house.states("daily") == [(1, "delivered")] * 2


def test_a_digest_that_fails_is_tried_again_under_its_key(house: DispatchHouse) -> None:
    answers = iter([Outcome.transient("HTTP 503"), Outcome.permanent("HTTP 400")])
    channel = Recorder(lambda one: next(answers, Outcome.delivered("yes")))
    digests = {"a": Period.DAILY}
    house.clock.now = MIDNIGHT + timedelta(hours=2)
    for _ in range(2):
        house.dispatch({"a": channel}, digests=digests)
        house.clock.turn(minutes=2)
    assert house.states() == [(1, "dead")]
    assert len(retry(house.store, None, house.clock.now)) == 1
    house.dispatch({"a": channel}, digests=digests)
    assert house.states() == [(1, "delivered")]
    assert len({one.message.key for one in channel.sent}) == 1


def test_a_kind_that_takes_no_digest_gives_it_up(house: DispatchHouse) -> None:
    """alerts.yaml refuses it; whoever gets around that loses nothing silently."""
    house.clock.now = MIDNIGHT + timedelta(hours=2)
    channels = house.folders("ocsf", "slack")
    done = house.dispatch(channels, digests=dict.fromkeys(channels, Period.DAILY))
    assert [why for _, why in done.dead] == [
        "FolderChannel: takes no digest — use slack, email or webhook"
    ]
    assert len(done.delivered) == 1


@pytest.mark.parametrize("kind", ["slack", "email", "webhook"])
def test_a_digest_of_very_much_stays_within_limits(kind: str) -> None:
    many = [
        replace(incident([anomaly(3, {"webacl": f"{HOSTILE}{at}" * 20})]), id=str(at))
        for at in range(2_000)
    ]
    found = digest(DAY, many, [])
    payload = DIGESTS[kind](found, Context())
    assert len(encoded(payload)) <= MAX_BYTES
    if kind == "slack":
        assert len(payload["blocks"]) <= 50
        assert all(0 < len(one["text"]["text"]) <= 3_000 for one in payload["blocks"])
        assert {one["text"]["type"] for one in payload["blocks"]} == {"plain_text"}
    if kind == "email":
        assert "<script>" not in payload["html"]
        assert payload["subject"].isprintable() and len(payload["subject"]) < 100
    if kind == "webhook":
        assert payload["leftOut"] + len(payload["suppressed"]) == len(many)
        assert payload["leftOut"] > 0
