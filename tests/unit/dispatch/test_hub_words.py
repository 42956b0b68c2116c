"""What people set in Security Hub comes back as what they did; nothing of theirs is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import JSONFileLoader
from commands import Command, bartizan_command
from dispatch_house import CONTEXT, HIGH, DispatchHouse
from hypothesis import given
from hypothesis import strategies as st
from stand_in_hub import Hub, standing_in

from bartizan.dispatch.channels.security_hub import SecurityHub, SecurityHubOptions
from bartizan.dispatch.shapes import security_hub
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.feedback import FeedbackKind
from bartizan.model.hub_word import HubWord, WorkflowStatus
from bartizan.store.feedback import load_feedback
from bartizan.store.handling import load_handling
from bartizan.store.hub_words import forget_words

REGION = "eu-central-1"
HUB = SecurityHub(SecurityHubOptions(kind="security_hub", region=REGION))
# Each client reads the description of its service anew: megabytes, the same every time.
MODELS = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
ALERTS = f"""
account_id: "{CONTEXT.account_id}"
region: {REGION}
channels:
  hub: {{kind: security_hub, region: {REGION}}}
  deaf: {{kind: security_hub, region: {REGION}, read_back: false}}
  shown: {{kind: folder, of: slack}}
"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda _loader, path: MODELS(path))
    with standing_in() as hub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", hub.url)
        yield hub


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    (tmp_path / "lake").mkdir()
    return DispatchHouse(tmp_path / "lake")


@pytest.fixture
def sync(
    house: DispatchHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    home = house.folder.parents[1]
    (home / "alerts.yaml").write_text(ALERTS)
    monkeypatch.setenv("BARTIZAN_HOME", str(home))
    monkeypatch.setenv("BARTIZAN_ALERTS", str(home / "alerts.yaml"))
    return bartizan_command(monkeypatch, capsys, "incident", "sync", "--json")


def told(house: DispatchHouse, *found: Incident) -> list[dict[str, str]]:
    """Tells Security Hub; the identifiers of the findings."""
    house.found(*found)
    channel = SecurityHub(SecurityHubOptions(kind="security_hub", region=REGION))
    assert len(house.dispatch({"hub": channel}).delivered) == len(found)
    findings = [channel.shape(one, CONTEXT, 1) for one in found]
    return [{"Id": one["Id"], "ProductArn": one["ProductArn"]} for one in findings]


def set_there(finding: dict[str, str], status: str, note: str = "", by: str = "ada") -> None:
    """As a person does it in Security Hub."""
    more = {"Note": {"Text": note, "UpdatedBy": by}} if note else {}
    boto3.client("securityhub").batch_update_findings(
        FindingIdentifiers=[finding], Workflow={"Status": status}, **more
    )


def taken(sync: Command, *words: str) -> list[dict[str, Any]]:
    code, out, err = sync(*words)
    assert code == 0, err
    return list(json.loads(out))


def history(house: DispatchHouse) -> list[tuple[str, str, str]]:
    return [(one.kind.value, one.by, one.why) for one in load_handling(house.store, HIGH.id)]


def test_a_status_acknowledges_once_and_by_whom(
    house: DispatchHouse, hub: Hub, sync: Command
) -> None:
    (finding,) = told(house, HIGH)
    assert taken(sync) == []
    set_there(finding, "NOTIFIED", "asked the owner", "ada")
    (shown,) = taken(sync, "--dry-run")
    assert history(house) == []
    assert taken(sync) == [shown]
    assert (shown["incident"], shown["feedback"], shown["refused"]) == (HIGH.id, None, "")
    expected = ("acknowledge", "ada (Security Hub)", "NOTIFIED in Security Hub: asked the owner")
    assert history(house) == [expected]
    assert taken(sync) == []
    set_there(finding, "RESOLVED", "blocked it", "bo")
    assert [one["status"] for one in taken(sync)] == ["RESOLVED"]
    assert history(house)[1][1:] == ("bo (Security Hub)", "RESOLVED in Security Hub: blocked it")
    assert load_feedback(house.store) == []


def test_a_person_here_who_takes_it_back_has_the_last_word(
    house: DispatchHouse,
    hub: Hub,
    sync: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (finding,) = told(house, HIGH)
    set_there(finding, "SUPPRESSED")
    assert [one["by"] for one in taken(sync)] == ["Security Hub"]
    incident = bartizan_command(monkeypatch, capsys, "incident")
    assert incident("resume", HIGH.id, "--by", "Bo")[0] == 0
    assert taken(sync) == []
    assert [kind for kind, _, _ in history(house)] == ["acknowledge", "resume"]
    set_there(finding, "NEW")
    assert taken(sync) == []
    set_there(finding, "SUPPRESSED")
    assert len(taken(sync)) == 1


@pytest.mark.parametrize(
    ("status", "note", "kind"),
    [
        ("SUPPRESSED", "Expected: load test", FeedbackKind.EXPECTED),
        ("SUPPRESSED", "false alarm, a crawler", FeedbackKind.FALSE_ALARM),
        ("SUPPRESSED", "FALSE_ALARM", FeedbackKind.FALSE_ALARM),
        ("SUPPRESSED", "not expected to last", None),
        ("SUPPRESSED", "expectedly", None),
        ("SUPPRESSED", "confirmed", None),
        ("SUPPRESSED", "", None),
        ("RESOLVED", "CONFIRMED: credential stuffing", FeedbackKind.CONFIRMED),
        ("RESOLVED", "expected", None),
        ("NOTIFIED", "expected", None),
        ("NOTIFIED", "confirmed", None),
    ],
)
def test_only_the_first_words_of_a_note_are_feedback(
    status: str, note: str, kind: FeedbackKind | None
) -> None:
    assert HubWord.of("i-1", status, note, "ada").feedback is kind


def test_what_a_note_says_is_given_as_feedback_once(
    house: DispatchHouse, hub: Hub, sync: Command
) -> None:
    (finding,) = told(house, HIGH)
    set_there(finding, "SUPPRESSED", "Expected: load test")
    assert [one["feedback"] for one in taken(sync)] == ["expected"]
    assert taken(sync) == []
    forget_words(house.store, "hub", [HIGH.id])  # as one who died before it was noted
    assert len(taken(sync)) == 1
    said = [(one.kind, one.note, one.by) for one in load_feedback(house.store)]
    assert said == [(FeedbackKind.EXPECTED, "Expected: load test", "ada (Security Hub)")]
    assert [row[0] for row in history(house)] == ["acknowledge"]


def test_feedback_that_would_hide_a_confirmed_incident_is_refused_and_said(
    house: DispatchHouse,
    hub: Hub,
    sync: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    like = replace(HIGH, id=f"{1:036d}")
    finding, _ = told(house, HIGH, like)
    feedback = bartizan_command(monkeypatch, capsys, "feedback")
    code, _, err = feedback("give", like.id, "--kind", "confirmed", "--by", "Bo")
    assert code == 0, err
    set_there(finding, "SUPPRESSED", "false alarm")
    (one,) = taken(sync)
    assert "would have removed the confirmed incident" in one["refused"]
    ((kind, _, why),) = history(house)
    assert kind == "acknowledge" and "no feedback:" in why
    assert [said.incident for said in load_feedback(house.store)] == [like.id]
    assert taken(sync) == []


def test_our_updates_leave_what_people_set_and_ended_incidents_are_left_alone(
    house: DispatchHouse, hub: Hub, sync: Command
) -> None:
    (finding,) = told(house, HIGH)
    set_there(finding, "RESOLVED", "done")
    hub_channel = {"hub": HUB}
    house.found(replace(HIGH, severity=98.0))
    assert len(house.dispatch(hub_channel).delivered) == 1
    there = hub.findings[finding["Id"]]
    assert there["Severity"]["Original"] == "98.00"
    assert (there["Workflow"]["Status"], there["Note"]["Text"]) == ("RESOLVED", "done")
    house.found(replace(HIGH, state=IncidentState.RESOLVED))
    # Ended here, and Security Hub does not know it yet.
    assert taken(sync) == []
    assert len(house.dispatch(hub_channel).delivered) == 1
    assert hub.findings[finding["Id"]]["RecordState"] == "ARCHIVED"
    assert taken(sync) == []
    assert history(house) == []


def test_all_pages_are_read_and_foreign_findings_are_not(
    house: DispatchHouse, hub: Hub, sync: Command
) -> None:
    incidents = [replace(HIGH, id=f"{number:036d}") for number in range(7)]
    for finding in told(house, *incidents):
        set_there(finding, "NOTIFIED")
    other = security_hub.shape(HIGH, CONTEXT, 1) | {"ProductArn": "arn:aws:x", "Id": "other"}
    hub.findings["other"] = other | {"Workflow": {"Status": "NOTIFIED"}}
    hub.page = 3
    assert [one["incident"] for one in taken(sync)] == [one.id for one in incidents]
    reads = [body for path, body in hub.asked if path == "/findings"]
    assert [body.get("NextToken") for body in reads] == [None, "3", "6"]
    assert {len(body["Filters"]) for body in reads} == {4}


def test_a_hub_that_does_not_answer_is_named_with_the_remedy(
    house: DispatchHouse, hub: Hub, sync: Command
) -> None:
    told(house, HIGH)
    hub.refuses = "AccessDeniedException"
    code, _, err = sync()
    assert code == 75
    assert "hub: Security Hub: cannot be read: AccessDeniedException" in err
    assert "allow securityhub:GetFindings" in err


@given(st.sampled_from(WorkflowStatus), st.text(max_size=600), st.text(max_size=600))
def test_any_note_is_kept_short_and_harmless(status: WorkflowStatus, note: str, by: str) -> None:
    word = HubWord.of("i-1", status, note, by)
    assert word.in_words.isprintable() and word.by.isprintable()
    assert len(word.in_words) < 450 and len(word.by) < 100
    assert word.feedback is not FeedbackKind.NEW_NORMAL
    assert HubWord.of("i-1", status, word.note, word.author) == word
