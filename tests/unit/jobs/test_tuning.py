"""Other thresholds and rules over stored scores: counted against incidents told apart by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml
from incidents import DAY_START, anomaly, incident, scores

from bartizan import cli, jobs
from bartizan.detect.scores import save_scores
from bartizan.errors import UsageError
from bartizan.jobs import Knobs
from bartizan.model.anomaly import Incident
from bartizan.model.window import DAY, Window, format_time
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector
from bartizan.store.incidents import replace_incidents

NAME = "waf_blocked_requests"
WHOLE = Window(DAY_START, DAY_START + DAY)


def event(at: int, severity: float, rule: str, lasts: int = 3, value: float = 120.0) -> Incident:
    series = {"webacl": "shop", "rule": rule}
    return incident([anomaly(at + n, series, value, severity=severity) for n in range(lasts)])


STRONG, WEAK, SHORT = event(20, 97, "SQLi"), event(80, 75, "Geo"), event(140, 88, "Bots", lasts=1)
SMALL = event(200, 80, "Size", value=9.0)
ALL = (STRONG, WEAK, SHORT, SMALL)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Four events in a day of scores, found as incidents at the usual threshold of 70."""
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_ALERTS", "")
    frame = pd.concat([scores(one) for one in ALL], ignore_index=True)
    store = jobs.open_store()
    save_scores(jobs.settings().lake, jobs.load_connector(NAME), WHOLE, frame)
    through = format_time(WHOLE.end)
    save_detector(store, DetectorRecord(NAME, DetectorStatus.ACTIVE, scored_through=through))
    replace_incidents(store, NAME, WHOLE, ALL)
    return tmp_path


def told(found: dict[str, object], key: str) -> list[str]:
    items = found[key]
    assert isinstance(items, list)
    return [one["start"][11:16] for one in items]


def test_the_settings_as_they_are_change_nothing() -> None:
    found = jobs.tune(NAME, Knobs(70), days=7)
    assert (found["before"], found["after"]) == (4, 4)
    assert (found["gone"], found["new"], found["diff"]) == ([], [], "")
    assert (found["start"], found["end"]) == ("2026-11-10T00:00:00Z", "2026-11-17T00:00:00Z")


def test_a_higher_threshold_tells_less_and_says_what_is_gone() -> None:
    found = jobs.tune(NAME, Knobs(90))
    assert (found["before"], found["after"]) == (4, 1)
    assert told(found, "gone") == ["06:40", "11:40", "16:40"]
    assert found["at_thresholds"] == [
        (50.0, 4),
        (60.0, 4),
        (70.0, 4),
        (80.0, 3),  # an event of one interval needs 85, which it has
        (90.0, 1),
        (95.0, 1),
    ]


@pytest.mark.parametrize(
    ("knobs", "gone"),
    [
        (Knobs(70, at_least=2, among=3), ["11:40"]),  # one interval
        (Knobs(70, absolute=50), ["16:40"]),  # 27 where 9.5 was expected
        (Knobs(70, percent=190), ["16:40"]),  # 184 % more
        (Knobs(70, percent=180), []),
        (Knobs(80, absolute=50, at_least=2, among=2), ["06:40", "11:40", "16:40"]),
    ],
)
def test_rules_hold_back_what_is_short_or_small(knobs: Knobs, gone: list[str]) -> None:
    assert told(jobs.tune(NAME, knobs), "gone") == gone


def test_what_people_confirmed_and_called_false_is_followed() -> None:
    at = WHOLE.end + timedelta(hours=1)
    jobs.give_feedback(STRONG.id, "confirmed", at)
    jobs.give_feedback(SHORT.id, "confirmed", at)
    jobs.give_feedback(WEAK.id, "false_alarm", at)
    found = jobs.tune(NAME, Knobs(90))
    assert [(one["id"], one["told"]) for one in found["confirmed"]] == [
        (one.id, one is STRONG) for one in sorted((STRONG, SHORT), key=lambda one: one.id)
    ]
    assert [(one["id"], one["told"]) for one in found["false_alarms"]] == [(WEAK.id, False)]


def test_a_lower_threshold_tells_more(home: Path) -> None:
    hidden = event(240, 60, "Quiet")
    frame = pd.concat([scores(one) for one in (*ALL, hidden)], ignore_index=True)
    save_scores(jobs.settings().lake, jobs.load_connector(NAME), WHOLE, frame)
    found = jobs.tune(NAME, Knobs(55))
    assert (found["before"], found["after"], told(found, "new")) == (4, 5, ["20:00"])


def test_the_diff_of_the_connector_can_be_applied(tmp_path: Path) -> None:
    found = jobs.tune(NAME, Knobs(82.5))
    file = jobs.settings().sql / "connectors" / NAME / "connector.yaml"
    copy = tmp_path / "include/sql/connectors" / NAME / "connector.yaml"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(file.read_bytes())
    subprocess.run(["git", "apply", "-"], input=found["diff"], text=True, cwd=tmp_path, check=True)
    assert "threshold: 82.5" in copy.read_text()
    assert copy.read_text().replace("82.5", "70") == file.read_text()


@pytest.fixture
def alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where alerts.yaml stands in a project."""
    path = tmp_path / "include" / "alerts.yaml"
    path.parent.mkdir()
    monkeypatch.setenv("BARTIZAN_ALERTS", str(path))
    return path


CHANNELS = "channels: {one: {kind: folder, of: slack}}\n"
TIGHTER = {"detectors": [NAME], "min_severity": 75, "intervals": {"at_least": 2, "among": 3}}


@pytest.mark.parametrize("end", ["\n", "", "  # the last\nhealth: {late_after: PT3H}\n"])
def test_the_diff_of_the_rules_parts_a_rule_for_this_detector(alerts: Path, end: str) -> None:
    rules = f"""\
rules: # who is told
- detectors: [waf_labels] # not ours
- {{detectors: [{NAME}, waf_labels], min_severity: 75}} # both\u2028
- detectors: [{NAME}] # ours
  min_severity: 75"""
    alerts.write_text(CHANNELS + rules + end)
    found = jobs.tune(NAME, Knobs(70, at_least=2, among=3))
    assert (found["before"], found["after"]) == (4, 3)
    command, project = ["git", "apply", "-"], alerts.parent.parent
    subprocess.run(command, input=found["diff"], text=True, cwd=project, check=True)
    assert yaml.safe_load(alerts.read_text())["rules"] == [
        {"detectors": ["waf_labels"]},
        {"detectors": ["waf_labels"], "min_severity": 75},
        TIGHTER,
        TIGHTER,
    ]
    lines = alerts.read_text().split("\n")
    for comment in ("# who is told", "# not ours", "# both\u2028", "# ours"):
        assert len([line for line in lines if line.endswith(comment)]) == 1


def test_the_diff_of_a_rule_for_all_says_no_more_than_it_must(alerts: Path) -> None:
    alerts.write_text(CHANNELS)
    diff = jobs.tune(NAME, Knobs(70, percent=50))["diff"]
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=alerts.parents[1], check=True)
    assert yaml.safe_load(alerts.read_text())["rules"] == [
        {"detectors": [one for one in jobs.connector_names() if one != NAME]},
        {"detectors": [NAME], "min_change": {"percent": 50}},
    ]


def test_without_a_file_the_diff_begins_at_everybody() -> None:
    diff = jobs.tune(NAME, Knobs(70, percent=50))["diff"].splitlines()
    assert diff[3:5] == [" rules:", "-  - {}"]
    others, this = yaml.safe_load("\n".join(line[1:] for line in diff[5:]))
    assert this == {"detectors": [NAME], "min_change": {"percent": 50}}
    assert others == {"detectors": [one for one in jobs.connector_names() if one != NAME]}


def test_rules_that_share_a_part_are_left_to_people(alerts: Path) -> None:
    shared = "rules:\n- &all {min_severity: 75}\n- <<: *all\n  wait: PT5M\n"
    alerts.write_text(CHANNELS + shared)
    found = jobs.tune(NAME, Knobs(80, percent=50))
    [said] = [line for line in found["diff"].splitlines() if "alerts.yaml" in line]
    assert said.startswith("# include/alerts.yaml: rules[")
    assert "edit it by hand" in said
    assert "+alert: {threshold: 80}" in found["diff"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 49},
        {"threshold": 101},
        {"threshold": float("nan")},
        {"threshold": 70, "absolute": -1},
        {"threshold": 70, "at_least": 3, "among": 2},
        {"threshold": 70, "at_least": 0},
    ],
)
def test_knobs_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Knobs(**wrong)  # type: ignore[arg-type]


def test_what_was_never_scored_cannot_be_tuned() -> None:
    with pytest.raises(UsageError, match="has scored nothing yet"):
        jobs.tune("waf_labels", Knobs(70))
    with pytest.raises(UsageError, match="not from 1 to 90"):
        jobs.tune(NAME, Knobs(70), days=91)


def test_the_command_says_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["bartizan", "connector", "tune", NAME, "--threshold", "90", "--days", "7"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "last 7 days: 4 -> 1 alerts"
    assert sum(line.startswith("  gone ") for line in lines) == 3
    assert "+alert: {threshold: 90}" in lines
