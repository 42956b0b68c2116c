"""What people say of incidents: what it changes from then on, what never, and its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import bartizan_command

from bartizan import jobs
from bartizan.config import store_in
from bartizan.detect.feedback import effect, excuse, from_new_level, limits
from bartizan.detect.learn import learn
from bartizan.detect.scores import load_scores
from bartizan.errors import UsageError
from bartizan.model.anomaly import Direction, Explanation, Incident, RootCause
from bartizan.model.connector import Connector, Measure
from bartizan.model.feedback import Feedback, FeedbackKind, combinations_of, proposal
from bartizan.model.window import DAY, HOUR, Window, format_time, naive
from bartizan.store import Store
from bartizan.store.feedback import load_feedback, save_feedback
from bartizan.store.incidents import load_incidents

from incidents import anomaly, incident  # isort: skip

START = datetime(2026, 9, 7, tzinfo=UTC)
CONNECTOR = Connector(
    "waf", "", HOUR, timedelta(), "timestamp", ("webacl", "rule"), (Measure("blocked"),), ""
)
# 12 and 20 times the expected, 110 and 190 beyond it.
SEEN = incident(
    [
        anomaly(1, {"webacl": "shop", "rule": "SQLi"}, value=120, expected=10),
        anomaly(2, {"webacl": "shop", "rule": "SQLi"}, value=200, expected=10),
    ],
    detector="waf",
)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def said(
    about: Incident = SEEN, kind: FeedbackKind = FeedbackKind.FALSE_ALARM, since: datetime = NOON
) -> Feedback:
    ratio, change = limits(about)
    return Feedback(
        about.id, 1, "waf", about.measure, about.direction, kind, None, "", "", since, since,
        combinations_of(about), about.window.start, ratio, change,
    )  # fmt: skip


def point(**other: object) -> dict[str, object]:
    usual = {
        "interval_start": naive(NOON), "webacl": "shop", "rule": "SQLi", "measure": "blocked",
        "value": 150.0, "expected": 10.0, "lower": 2.0, "upper": 20.0, "severity": 93.0,
        "direction": "above", "reason": "spike",
    }  # fmt: skip
    return usual | other


@pytest.mark.parametrize(
    ("other", "held"),
    [
        ({}, True),
        ({"value": 247.0}, True),  # 24.7 times and 237 beyond: within a quarter of 20 and 190
        ({"value": 251.0, "expected": 20.0}, True),
        ({"value": 260.0, "expected": 20.0}, False),  # 240 beyond
        ({"value": 26.0, "expected": 1.0}, False),  # 26 times
        ({"value": 15000.0, "expected": 1000.0}, False),  # a flood, by a factor seen before
        ({"rule": "XSS"}, False),
        ({"webacl": "blog"}, False),
        ({"measure": "allowed"}, False),
        ({"direction": "below", "value": 0.0}, False),
        ({"interval_start": naive(NOON - HOUR)}, False),
        ({"severity": 50.0}, False),  # no alarm anyway
        ({"severity": 60.0, "reason": "continues"}, True),
    ],
)
def test_only_what_is_alike_and_no_worse_is_held_below_an_alarm(
    other: dict[str, object], held: bool
) -> None:
    row = point(**other)
    scores = pd.DataFrame([row, point(rule="other")])
    judged = excuse(scores, CONNECTOR, [said()])
    pd.testing.assert_series_equal(judged.iloc[1][list(row)], scores.iloc[1])
    if not held:
        assert judged is scores
        return
    first = judged.iloc[0]
    assert (first["reason"], first["feedback"]) == ("expected", f"{SEEN.id}/1")
    assert first["severity"] == min(float(str(row["severity"])), 0.99 * 70)
    before = [] if row["reason"] == "continues" else [row["severity"]]  # none where it is the same
    assert list(judged["raw_severity"].dropna()) == before
    assert first["value"] == row["value"]


def test_feedback_holds_until_the_next_word_and_kinds_differ() -> None:
    scores = pd.DataFrame([point(), point(interval_start=naive(NOON + HOUR))])
    ended = replace(said(), until=NOON + HOUR)
    assert list(excuse(scores, CONNECTOR, [ended])["reason"]) == ["expected", "spike"]
    for kind in (FeedbackKind.CONFIRMED, FeedbackKind.NEW_NORMAL, FeedbackKind.NONE):
        assert excuse(scores, CONNECTOR, [said(kind=kind)]) is scores
    assert excuse(scores, CONNECTOR, []) is scores


def test_alike_is_the_root_cause_where_one_was_found() -> None:
    cause = RootCause((("rule", "SQLi"),), 320, 20, 93)
    explained = replace(SEEN, explanation=Explanation((cause,), 10, 10, True))
    assert combinations_of(SEEN) == ((("webacl", "shop"), ("rule", "SQLi")),)
    assert combinations_of(explained) == ((("webacl", "shop"), ("rule", "SQLi")),)
    all_of_it = Explanation((replace(cause, dimensions=()),), 1, 1, True)
    everything = replace(SEEN, explanation=all_of_it)
    assert combinations_of(everything) == ((("webacl", "shop"),),)
    other = pd.DataFrame([point(rule="XSS"), point(webacl="blog")])
    assert list(excuse(other, CONNECTOR, [said(everything)])["reason"]) == ["expected", "spike"]


def test_a_drop_is_measured_downwards_and_absence_is_excused_by_absence_only() -> None:
    def drop(value: float) -> Incident:
        return incident(
            [anomaly(1, {"webacl": "shop", "rule": "SQLi"}, value, 100, direction=Direction.BELOW)],
            detector="waf",
        )

    def excused(value: float, by: Incident) -> bool:
        row = point(direction="below", reason="drop", expected=100.0, value=value)
        scores = pd.DataFrame([row])
        return excuse(scores, CONNECTOR, [said(by)]) is not scores

    assert excused(20, drop(20))
    assert not excused(10, drop(20))  # five times below was seen, this is ten
    assert not excused(0, drop(20))
    assert excused(0, drop(0))


def test_what_it_would_have_done_to_past_incidents() -> None:
    worse = incident(
        [
            anomaly(50, {"webacl": "shop", "rule": "SQLi"}, value=100, expected=10),
            anomaly(51, {"webacl": "shop", "rule": "SQLi"}, value=900, expected=10, severity=99),
        ],
        detector="waf",
    )
    other = incident([anomaly(90, {"webacl": "shop", "rule": "XSS"})], detector="waf")
    found = effect(said(), [SEEN, worse, other], replace(CONNECTOR, frequency=timedelta(minutes=5)))
    assert (found.removed, found.changed) == ((SEEN.id,), (worse.id,))
    nothing = effect(said(), [other], CONNECTOR)
    assert (nothing.removed, nothing.changed) == ((), ())
    text = proposal(said(kind=FeedbackKind.EXPECTED), SEEN)
    assert "webacl = shop and rule = SQLi" in text
    assert f"start: {format_time(SEEN.window.start)}" in text
    never_seen = replace(said(kind=FeedbackKind.EXPECTED), ratio=float("inf"), change=103.0)
    assert "more than expected by up to 103, or a quarter beyond" in proposal(never_seen, SEEN)
    doubled = replace(never_seen, ratio=2.0)
    assert "by up to 2 times and 103, or" in proposal(doubled, SEEN)


def test_a_new_normal_is_learned_from_the_incident_on() -> None:
    rng = np.random.default_rng(3)
    days, begins = 30, START + 12 * DAY
    parts = []
    for rule, after in (("SQLi", 10), ("XSS", 1)):
        level = np.where(np.arange(days * 24) >= 12 * 24, 20 * after, 20)
        times = pd.date_range(naive(START), periods=days * 24, freq="h", unit="us")
        frame = pd.DataFrame({"interval_start": times, "webacl": "shop", "rule": rule})
        parts.append(frame.assign(blocked=rng.poisson(level).astype(float)))
    history = pd.concat(parts, ignore_index=True)
    one = replace(said(kind=FeedbackKind.NEW_NORMAL, since=begins + 2 * DAY), begins=begins)
    end = START + days * DAY
    kept = from_new_level(history, [one], end)
    assert len(history) - len(kept) == 12 * 24
    levels = learn(kept, CONNECTOR, Window(START, end)).series.set_index("rule")["level"]
    assert levels["SQLi"] == pytest.approx(200, rel=0.02)
    assert levels["XSS"] == pytest.approx(20, rel=0.05)
    usual = learn(history, CONNECTOR, Window(START, end)).series.set_index("rule")["level"]
    assert usual["SQLi"] < 150
    # What was learned before it was said, or after it was withdrawn, is as without it.
    assert len(from_new_level(history, [one], one.since)) == len(history)
    withdrawn = replace(one, until=end - DAY)
    assert len(from_new_level(history, [withdrawn], end)) == len(history)


# --- in a house: a scan every night that nobody planned --------------------------------------

DESCRIPTION = """\
description: blocked
frequency: PT1H
timestamp: {column: timestamp}
dimensions: [webacl]
measures: [{name: blocked}]
source: {live: 'ROOT/live/{{yyyyMMdd}}/{{HHmm}}', history: 'ROOT/history'}
"""
LIVE = START + 20 * DAY
DAYS = 4
Command = Callable[..., str]


def house(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty days backfilled, four live; on each live day 300 more in one hour, never the same."""
    rng = np.random.default_rng(2)
    times = pd.date_range(naive(START), periods=24 * (20 + DAYS), freq="h")
    frame = pd.DataFrame({"timestamp": times, "webacl": "shop", "blocked": rng.poisson(30, 576)})
    for day in range(DAYS):
        frame.loc[(20 + day) * 24 + 3 + 5 * day, "blocked"] += 300
    (folder / "history").mkdir(parents=True)
    frame[: 20 * 24].to_csv(folder / "history" / "all.csv", index=False)
    for hour, part in frame[20 * 24 :].groupby("timestamp"):
        place = folder / "live" / f"{pd.Timestamp(hour):%Y%m%d/%H%M}"
        place.mkdir(parents=True)
        part.to_csv(place / "part.csv", index=False, date_format="%Y-%m-%d %H:%M:%S")
    described = folder / "sql" / "connectors" / "scans"
    described.mkdir(parents=True)
    (described / "connector.yaml").write_text(DESCRIPTION.replace("ROOT", str(folder)))
    for name in ("LAKE", "STORE", "METRICS"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    monkeypatch.setenv("BARTIZAN_HOME", str(folder))
    monkeypatch.setenv("BARTIZAN_SQL", str(folder / "sql"))


@pytest.fixture
def bartizan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    feedback = bartizan_command(monkeypatch, capsys, "feedback")

    def run(*words: str) -> str:
        code, out, err = feedback(*words)
        return err if code else out

    return run


def day(number: int) -> Window:
    return Window(LIVE + number * DAY, LIVE + (number + 1) * DAY)


def started(store: Store) -> dict[int, str]:
    """Ids of incidents by the live day they start on."""
    known = [one.incident for one in load_incidents(store)]
    return {(one.window.start - LIVE) // DAY: one.id for one in known}


def test_feedback_changes_what_comes_and_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bartizan: Command
) -> None:
    house(tmp_path, monkeypatch)
    store = jobs.open_store()
    jobs.detect("scans", [day(0)])
    (seen,) = started(store).values()
    words = (seen, "--kind", "false_alarm", "--note", "\x1b[31mours", "--by", "ops")
    at = ("--at", format_time(LIVE + 20 * HOUR))  # four hours of what was scored come later

    dry = bartizan("give", *words, *at, "--dry-run")
    assert "removed 1 incidents, changed 0" in dry
    assert f"removed {seen}" in dry
    assert "not saved" in dry
    assert load_feedback(store) == []
    assert "  saved" in bartizan("give", *words, *at)
    assert "not saved" in bartizan("give", *words, *at)  # it was said already
    (one,) = load_feedback(store, "scans")
    assert (one.since, one.by, one.note) == (LIVE + DAY, "ops", "\x1b[31mours")

    jobs.detect("scans", [day(1)])
    assert list(started(store)) == [0]  # the past stays, its like is no incident any more
    scores = load_scores(tmp_path / "lake", jobs.load_connector("scans"), Window(LIVE, day(1).end))
    held = scores[scores["reason"] == "expected"]
    assert list(held["feedback"]) == [one.id]
    assert held["raw_severity"].item() >= 85
    assert held["severity"].item() < 70

    assert "  saved" in bartizan("withdraw", seen, "--at", format_time(LIVE + 2 * DAY))
    jobs.detect("scans", [day(2)])
    assert list(started(store)) == [0, 2]
    listed = bartizan("list", "--connector", "scans")
    assert [line.split()[1].rstrip(",") for line in listed.splitlines()] == ["false_alarm", "none"]
    assert "\x1b" not in listed

    # Scored again from the beginning, with all that was said known: the same.
    jobs.detect("scans", [Window(LIVE, day(2).end)])
    assert list(started(store)) == [0, 2]
    again = load_scores(tmp_path / "lake", jobs.load_connector("scans"), Window(LIVE, day(1).end))
    pd.testing.assert_frame_equal(again, scores)
    told = jobs.backtest("scans", train_until=LIVE)
    assert [one["start"] for one in told["incidents"]] == [
        format_time(one.incident.window.start) for one in load_incidents(store)
    ]


def test_feedback_that_would_hide_a_confirmed_incident_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bartizan: Command
) -> None:
    house(tmp_path, monkeypatch)
    store = jobs.open_store()
    jobs.detect("scans", [day(0), day(1)])
    ids = started(store)
    jobs.give_feedback(ids[1], "confirmed", LIVE + 2 * DAY, cause="external")
    refused = bartizan("give", ids[0], "--kind", "expected", "--at", "2026-10-01")
    assert ids[1] in refused
    assert "withdraw" in refused
    assert [one.incident for one in load_feedback(store)] == [ids[1]]
    jobs.give_feedback(ids[1], "none", LIVE + 2 * DAY)
    assert jobs.give_feedback(ids[0], "expected", LIVE + 2 * DAY, cause="upgrade")["saved"]
    again = jobs.give_feedback(ids[1], "confirmed", LIVE + 2 * DAY, dry_run=True)
    assert again["hidden_by"] == [ids[0]]
    for wrong in ({"kind": "bad"}, {"cause": "moon"}, {"incident_id": "x"}, {"at": LIVE}):
        given = {"incident_id": ids[0], "kind": "none", "at": LIVE + 3 * DAY} | wrong
        with pytest.raises(UsageError, match=str(next(iter(wrong.values())))[:4]):
            jobs.give_feedback(**given)


def test_the_store_keeps_every_word_and_when_it_ended(tmp_path: Path) -> None:
    store = Store.open(store_in(tmp_path))
    first = said()
    second = replace(first, number=2, kind=FeedbackKind.NONE, since=NOON + HOUR, at=NOON + HOUR)
    hostile = replace(
        said(replace(SEEN, id="other")), combinations=((("webacl", "a'\x1f\U0001f600"),),)
    )
    infinite = replace(first, incident="third", ratio=float("inf"), detector="another")
    for one in (first, second, hostile, infinite):
        save_feedback(store, one)
    ended = replace(first, until=second.since)
    assert load_feedback(store) == sorted(
        [ended, second, hostile, infinite], key=lambda one: one.incident
    )
    assert load_feedback(store, "another") == [infinite]
    store.engine.dispose()
