"""A rule of alerts.yaml is tried on what was scored, and changed in the file, by who may."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from commands import bartizan_command
from dashboard_house import DAY, DETECTOR, READER, DashboardHouse, attack
from fastapi.testclient import TestClient
from incidents import scores

from bartizan import jobs
from bartizan.detect.scores import save_scores
from bartizan.store.audit import load_audit

STRONG, WEAK = attack(12, severity=97), attack(60, "blog", "Login", 75)
TEXT = """\
channels: # by kind
  chat: {kind: folder, of: slack}
  pager: {kind: folder, of: pagerduty}
rules:
  - channels: [chat] # people
    without: {rule: [Health]}
  - channels: [pager]
    min_severity: 90 # at night too
"""
CHAT, PAGER = "/rule?section=rules&place=0", "/rule?section=rules&place=1"


@pytest.fixture
def alerts(house: DashboardHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "alerts.yaml"
    path.write_text(TEXT)
    path.chmod(0o640)
    monkeypatch.setenv("BARTIZAN_ALERTS", str(path))
    monkeypatch.setenv("BARTIZAN_ALERTS_IN_PLACE", "true")
    frame = pd.concat([scores(one, hours=12) for one in (STRONG, WEAK)], ignore_index=True)
    save_scores(jobs.settings().lake, jobs.load_connector(DETECTOR), DAY, frame)
    house.watches(DETECTOR)
    return path


def asked(house: DashboardHouse, **entry: Any) -> dict[str, Any]:
    version = jobs.list_rules()["version"]
    return {"section": "rules", "place": 1, "version": version, "entry": entry}


def counts(found: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {one["channel"]: (one["before"], one["after"]) for one in found["channels"]}


def test_each_channel_is_counted_before_and_after(house: DashboardHouse, alerts: Path) -> None:
    body = asked(house, channels=["pager"], min_severity=70)
    found = house.post("/api/v1/alert-rules/preview", body).json()
    assert counts(found) == {"chat": (2, 2), "pager": (1, 2)}
    [line] = found["differs"]
    assert (line["now"], line["no_longer"], line["start"][11:16]) == (["pager"], [], "05:00")
    removed = house.post("/api/v1/alert-rules/preview", {**body, "entry": None}).json()
    assert counts(removed) == {"chat": (2, 2), "pager": (1, 0)}
    night = {"why": "night", "start": "2026-11-16T00:00", "end": "2026-11-16T04:00"}
    quiet = {"section": "quiet", "place": 0, "entry": {**night, "channels": ["chat"]}}
    found = house.post("/api/v1/alert-rules/preview", quiet).json()
    assert counts(found) == {"chat": (2, 1), "pager": (1, 1)}
    assert alerts.read_text() == TEXT
    assert load_audit(house.store) == []


@pytest.mark.parametrize("end", ["\n", ""])
def test_the_diff_can_be_applied_by_git(house: DashboardHouse, alerts: Path, end: str) -> None:
    text = TEXT.rstrip() + end
    alerts.write_text(text)
    body = asked(house, channels=["pager"], min_severity=85)
    found = house.post("/api/v1/alert-rules/preview", body).json()
    (alerts.parent / "include").mkdir()
    copy = alerts.parent / "include" / "alerts.yaml"
    copy.write_text(text)
    command = ["git", "apply", "-"]
    subprocess.run(command, input=found["diff"], text=True, cwd=alerts.parent, check=True)
    assert copy.read_text() == text.replace("90 #", "85 #")


def test_the_file_is_changed_in_place_and_it_is_noted(house: DashboardHouse, alerts: Path) -> None:
    body = asked(house, channels=["pager"], min_severity=85)
    saved = house.post("/api/v1/alert-rules", body).json()
    assert alerts.read_text() == TEXT.replace("90 #", "85 #")
    assert alerts.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in alerts.parent.iterdir() if "alerts" in one.name] == ["alerts.yaml"]
    [noted] = load_audit(house.store)
    assert (noted.by, noted.action, noted.outcome) == ("anna", "edit_alerts", "done")
    assert (noted.subject, noted.after) == ("alerts.yaml rules[1]", saved["diff"])
    assert "+    min_severity: 85 # at night too" in saved["diff"]
    again = house.post("/api/v1/alert-rules", body)
    assert (again.status_code, "was changed meanwhile" in again.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"channels": ["nobody"]}, "'nobody' is unknown"),
        ({"min_severity": 200}, "less than or equal to 100"),
        ({"wait": "soon"}, "not a positive ISO-8601 duration"),
        ({"what": 1}, "unknown key"),
        ({"intervals": {"at_least": 3, "among": 2}}, "3 of 2 cannot be"),
    ],
)
def test_what_dispatch_would_refuse_is_refused(
    house: DashboardHouse, alerts: Path, entry: dict[str, Any], says: str
) -> None:
    for path in ("/api/v1/alert-rules", "/api/v1/alert-rules/preview"):
        answer = house.post(path, asked(house, **entry))
        assert answer.status_code == 400
        assert says in f"{answer.json()['detail']} {answer.json()['remedy']}"
    assert alerts.read_text() == TEXT


def test_without_being_told_to_the_file_is_left_alone(
    house: DashboardHouse, alerts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BARTIZAN_ALERTS_IN_PLACE")
    answer = house.post("/api/v1/alert-rules", asked(house, channels=["pager"]))
    assert (answer.status_code, alerts.read_text()) == (400, TEXT)
    assert load_audit(house.store)[0].outcome.startswith("refused")
    page = house.page(f"{PAGER}&tried=true&channels=pager&min_severity=85")
    assert [one for one in page.all("form") if one.get("method") == "post"] == []
    assert "is changed in its repository" in page.text
    [link] = [one["href"] for one in page.all("a") if "download" in one]
    diff = house.client.get(f"/{link}")
    assert "+    min_severity: 85 # at night too" in diff.text


def form_of(client: TestClient, path: str) -> dict[str, Any]:
    """What the form of a page would send as it is."""
    text = client.get(path).text
    form = text[text.index('class="card rule"') : text.index("</form>")]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        known = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if known.get("type") != "checkbox":
            sent[known["name"]] = html.unescape(known.get("value", ""))
        elif tag.endswith(" checked>"):
            sent.setdefault(known["name"], []).append(known["value"])
    return sent


@pytest.mark.parametrize("path", [CHAT, PAGER])
def test_a_form_that_is_sent_as_it_is_changes_nothing(
    house: DashboardHouse, alerts: Path, path: str
) -> None:
    sent = form_of(house.client, path)
    assert sent["tried"] == "true"
    text = house.client.get("/rule", params=sent).text
    assert "Nothing: it is so already." in text
    assert "Nobody would have been told more or less." in text


def test_a_form_is_tried_and_applied(house: DashboardHouse, alerts: Path) -> None:
    sent = form_of(house.client, PAGER) | {"min_severity": "70", "only_worse": "true"}
    page = house.page(f"/rule?{_query(sent)}")
    assert "pager12" in "".join(page.text.split())  # told 1, would be told 2
    fields = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    assert json.loads(fields["entry"] or "") == {
        "channels": ["pager"], "min_severity": 70, "worse_by": {},
    }  # fmt: skip
    names = ("token", "section", "place", "entry", "version")
    answer = house.client.post("/rule", data={name: fields[name] for name in names})
    assert (answer.status_code, answer.headers["location"]) == (303, "detectors?done=rule#told")
    assert alerts.read_text().endswith("    min_severity: 70 # at night too\n    worse_by: {}\n")
    assert "It was written into alerts.yaml" in house.page("/detectors?done=rule").text


def test_a_rule_is_removed_by_its_form(house: DashboardHouse, alerts: Path) -> None:
    page = house.page(f"/rule?{_query(form_of(house.client, PAGER))}&remove=true")
    assert "pager10" in "".join(page.text.split())  # told 1, would be told none
    fields = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    names = ("token", "section", "place", "entry", "version")
    answer = house.client.post("/rule", data={name: fields[name] for name in names})
    assert answer.status_code == 303
    assert alerts.read_text() == TEXT[: TEXT.index("  - channels: [pager]")]


@pytest.mark.parametrize("broken", ["rules: [", "- 1", "channels: 1", f"{TEXT}quiet: 5\n"])
def test_a_file_that_cannot_be_read_is_told_so(
    house: DashboardHouse, alerts: Path, broken: str
) -> None:
    body = asked(house, channels=["pager"])
    alerts.write_text(broken)
    for answer in (
        house.client.get(PAGER),
        house.client.get("/api/v1/alert-rules/file"),
        house.post("/api/v1/alert-rules/preview", body),
        house.post("/api/v1/alert-rules", body),
    ):
        assert "alerts.yaml" in answer.text
    assert alerts.read_text() == broken
    assert "alerts.yaml cannot be read, so nobody is told" in house.page("/detectors").text


def _query(sent: dict[str, Any]) -> str:
    return urlencode(sent, doseq=True)


def test_keys_that_the_form_does_not_have_stay(house: DashboardHouse, alerts: Path) -> None:
    sent = form_of(house.client, CHAT) | {"direction": "above", "measures": "blocked, requests"}
    assert "without of this rule stay as they are" in house.client.get("/rule", params=sent).text
    fields = house.page(f"/rule?{_query(sent)}").all("input")
    [entry] = [one["value"] for one in fields if one["name"] == "entry"]
    assert json.loads(entry or "") == {
        "channels": ["chat"], "without": {"rule": ["Health"]},
        "measures": ["blocked", "requests"], "direction": "above",
    }  # fmt: skip


def test_a_mistake_is_told_beside_what_was_typed(house: DashboardHouse, alerts: Path) -> None:
    sent = form_of(house.client, PAGER) | {"wait": "<script>x</script>"}
    answer = house.client.get("/rule", params=sent)
    assert answer.status_code == 200
    assert "is not a positive ISO-8601 duration" in answer.text
    assert "<script>x" not in answer.text
    assert "What changes in alerts.yaml" not in answer.text


def test_rules_and_quiet_times_lead_to_their_forms(house: DashboardHouse, alerts: Path) -> None:
    alerts.write_text(
        f"{TEXT}quiet:\n  - {{why: move, start: 2026-11-28T20:00, end: 2026-11-29}}\n"
    )
    links = {one["href"] for one in house.page("/detectors").all("a")}
    edits = {f"rule?section={name}&place={n}" for name, n in (("rules", 0), ("rules", 1),
             ("rules", 2), ("quiet", 0), ("quiet", 1))}  # fmt: skip
    assert edits <= links
    sent = form_of(house.client, "/rule?section=quiet&place=0")
    assert (sent["why"], sent["start"], sent["end"]) == ("move", "2026-11-28T20:00", "2026-11-29")
    assert "Nothing: it is so already." in house.client.get("/rule", params=sent).text
    house.visitor = READER
    assert not {one["href"] for one in house.page("/detectors").all("a")} & edits


def test_who_may_only_look_sees_no_line_of_the_file(house: DashboardHouse, alerts: Path) -> None:
    house.visitor = READER
    for path in (CHAT, "/rule.diff?place=0&tried=true", "/api/v1/alert-rules/file"):
        assert house.client.get(path).status_code == 403


@pytest.mark.parametrize("query", ["place=9", "section=channels", "place=-1"])
def test_what_is_not_there_has_no_form(house: DashboardHouse, alerts: Path, query: str) -> None:
    assert house.client.get(f"/rule?{query}").status_code in (400, 422)


def test_without_a_file_there_is_nothing_to_edit(
    house: DashboardHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_ALERTS", "")
    assert house.client.get(CHAT).status_code == 400
    assert not [one for one in house.page("/detectors").all("a") if "rule?" in (one["href"] or "")]


def test_the_command_tries_another_file(
    house: DashboardHouse,
    alerts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = alerts.with_name("other.yaml")
    other.write_text(TEXT.replace("90 #", "70 #"))
    run = bartizan_command(monkeypatch, capsys, "alerts")
    code, said, _ = run("try", other)
    assert code == 0
    assert said.splitlines()[:3] == [
        "last 30 days: 2 incidents",
        "  chat             2 -> 2 told",
        "  pager            1 -> 2 told",
    ]
    assert run("list")[1].startswith("rules[0]  {'channels': ['chat']")
    other.write_text("channels: 1")
    assert run("try", other)[0] == 2
    assert run("try", other, "--days", 91)[0] == 2
