from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from incidents import anomaly, incident
from sqlalchemy import select
from upath import UPath

from bartizan.config import store_in
from bartizan.dispatch import CHANNELS, Context, DispatchResult, dispatch
from bartizan.dispatch import outbox as delivery
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.window import Window
from bartizan.store import Store, tables
from bartizan.store.incidents import replace_incidents, save_explanation, unexplained

HIGH = incident([anomaly(3, {"webacl": "shop", "rule": "SQLi"}, severity=93)])
LOW = incident([anomaly(40, {"webacl": "blog", "rule": "Geo"}, severity=65)])
DAY = Window(HIGH.window.start - timedelta(hours=1), HIGH.window.start + timedelta(days=1))
NAMES = tuple(CHANNELS)


class Bench:
    """A store and an outbox folder."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(store_in(folder))
        self.folder = folder / "outbox"

    def found(self, *incidents: Incident) -> None:
        """Found, and explained."""
        replace_incidents(self.store, HIGH.detector, DAY, incidents)
        for one in unexplained(self.store):
            save_explanation(self.store, one.incident, one.change)

    def dispatch(self, channels: tuple[str, ...] = NAMES, threshold: float = 70) -> DispatchResult:
        thresholds = {HIGH.detector: threshold}
        return dispatch(self.store, UPath(self.folder), channels, thresholds, Context())

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def rows(self) -> list[tuple[str, int, str, str, int, str]]:
        columns = ("channel", "change", "state", "receipt", "attempts", "payload_id")
        query = select(*(tables.outbox.c[name] for name in columns))
        with self.store.transaction() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_channel_gets_what_is_above_the_threshold_once(bench: Bench) -> None:
    bench.found(HIGH, LOW)
    first = bench.dispatch()
    assert sorted(first.delivered) == sorted(f"{name}/{HIGH.id}/1.json" for name in NAMES)
    assert first.below == 1
    files = bench.files()
    assert sorted(files) == sorted(first.delivered)
    for _channel, change, state, receipt, attempts, payload_id in bench.rows():
        assert (change, state, attempts) == (1, "delivered", 1)
        assert receipt == f"sha256:{hashlib.sha256(files[payload_id]).hexdigest()}"
    assert json.loads(files[f"sns/{HIGH.id}/1.json"])["anomalyGroupId"] == HIGH.id

    bench.found(HIGH, LOW)  # scored again, nothing new
    assert bench.dispatch() == DispatchResult(below=1)
    assert bench.files() == files
    assert bench.dispatch(threshold=60).below == 0
    assert len(bench.files()) == 2 * len(NAMES)


def test_a_change_is_one_more_message_and_an_overtaken_intent_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.found(HIGH)
    bench.dispatch(("slack",))
    worse = replace(HIGH, severity=99.0)
    bench.found(worse)
    assert bench.dispatch(("slack",)).delivered == (f"slack/{HIGH.id}/2.json",)

    bench.found(replace(HIGH, severity=99.5))
    with monkeypatch.context() as broken, pytest.raises(OSError, match="disk"):
        broken.setattr(delivery, "mark_delivered", _fail)
        bench.dispatch(("slack",))
    bench.found(replace(HIGH, severity=100.0))
    result = bench.dispatch(("slack",))
    assert result.delivered == (f"slack/{HIGH.id}/4.json",)
    assert [payload for payload, _reason in result.dead] == [f"slack/{HIGH.id}/3.json"]
    assert sorted(row[1:3] for row in bench.rows()) == [
        *[(1, "delivered"), (2, "delivered"), (3, "dead"), (4, "delivered")]
    ]


def test_what_is_not_explained_yet_waits(bench: Bench) -> None:
    replace_incidents(bench.store, HIGH.detector, DAY, [HIGH])
    assert bench.dispatch(("slack",)) == DispatchResult()
    assert bench.rows() == []
    bench.found(HIGH)
    assert bench.dispatch(("slack",)).delivered == (f"slack/{HIGH.id}/1.json",)


def test_security_hub_takes_each_change_as_newer_and_archives_what_is_over(bench: Bench) -> None:
    history = [
        [HIGH],
        [replace(HIGH, severity=81.0)],
        [replace(HIGH, severity=81.0, state=IncidentState.RESOLVED)],
        [],
        [HIGH],
    ]
    for change, incidents in enumerate(history, start=1):
        bench.found(*incidents)
        sent = bench.dispatch(("security_hub",)).delivered
        assert sent == (f"security_hub/{HIGH.id}/{change}.json",)
        bench.found(*incidents)
        assert bench.dispatch(("security_hub",)).delivered == ()
    files = [bench.files()[f"security_hub/{HIGH.id}/{change}.json"] for change in range(1, 6)]
    findings = [json.loads(content) for content in files]
    times = [finding["UpdatedAt"] for finding in findings]
    assert times == sorted(set(times))
    assert [finding["RecordState"] for finding in findings] == [
        *["ACTIVE", "ACTIVE", "ARCHIVED", "ARCHIVED", "ACTIVE"]
    ]
    assert not any({"Workflow", "Note", "VerificationState"} & set(one) for one in findings)


def test_a_withdrawal_reaches_who_was_told_at_any_threshold_and_nobody_else(bench: Bench) -> None:
    bench.found(HIGH, LOW)
    bench.dispatch(("slack",))
    bench.found()
    result = bench.dispatch(("slack", "eventbridge", "email"), threshold=99)
    assert result == DispatchResult(delivered=(f"slack/{HIGH.id}/2.json",))
    assert b"withdrawn (change 2)" in bench.files()[f"slack/{HIGH.id}/2.json"]


@pytest.mark.parametrize("step", ["_deliver", "mark_delivered"])
def test_a_crash_between_intent_and_receipt_ends_as_if_there_was_none(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bench.found(HIGH)
    with monkeypatch.context() as broken, pytest.raises(OSError, match="disk"):
        broken.setattr(delivery, step, _fail)
        bench.dispatch()
    assert {row[2] for row in bench.rows()} == {"intended"}
    assert len(bench.dispatch().delivered) == len(NAMES)

    (tmp_path / "smooth").mkdir()
    smooth = Bench(tmp_path / "smooth")
    smooth.found(HIGH)
    smooth.dispatch()
    assert bench.files() == smooth.files()
    assert bench.rows() == smooth.rows()
    assert bench.dispatch().delivered == ()


def test_one_message_a_channel_cannot_take_does_not_stop_the_others(bench: Bench) -> None:
    bench.found(HIGH)
    no_account = Context(account_id="")
    result = dispatch(bench.store, UPath(bench.folder), NAMES, {}, no_account)
    assert [payload for payload, _ in result.dead] == [f"security_hub/{HIGH.id}/1.json"]
    assert "AwsAccountId is empty" in result.dead[0][1]
    assert len(result.delivered) == len(NAMES) - 1


def test_an_unknown_channel_is_refused_before_anything_is_intended(bench: Bench) -> None:
    bench.found(HIGH)
    with pytest.raises(UsageError, match="'pager' is unknown"):
        bench.dispatch(("slack", "pager"))
    assert bench.rows() == []


def _fail(*_args: object) -> None:
    raise OSError("disk full")
