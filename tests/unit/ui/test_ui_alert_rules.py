from __future__ import annotations

from pathlib import Path

import pytest
from dashboard_house import DashboardHouse

ALERTS = """
channels:
  chat: {kind: folder, of: slack}
  mail: {kind: folder, of: email}
rules:
  - {channels: [mail, chat], detectors: [waf_labels], min_severity: 90, wait: PT10M}
  - channels: [mail]
    measures: ["blocked*"]
    direction: above
    only: {webacl: [shop, blog]}
    without: {country: [NL]}
    min_change: {absolute: 20, percent: 50}
    intervals: {at_least: 2, among: 3}
    unacknowledged_for: PT1H
    worse_by: {percent: 30}
quiet:
  - {why: at night, start: "2026-01-01T22:00", end: "2026-01-02T06:00", channels: [chat]}
"""


@pytest.fixture
def alerts(tmp_path: Path, house: DashboardHouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "alerts.yaml"
    monkeypatch.setenv("BARTIZAN_ALERTS", str(path))
    path.write_text(ALERTS)
    return path


def test_each_rule_is_a_sentence(house: DashboardHouse, alerts: Path) -> None:
    found = house.client.get("/api/v1/alert-rules").json()
    assert found["channels"] == ["chat", "mail"]
    assert found["rules"] == [
        "Chat, mail of waf_labels, from severity 90 on, after 10 min.",
        "Mail of every detector (blocked*), only what is above the expected, only webacl blog, "
        "shop, without country NL, from its own threshold on, for a change of 20 and 50% at "
        "least, when anomalous in 2 of 3 intervals, when nobody acknowledged it for 1 h, "
        "updates only when worse.",
    ]
    assert found["quiet"] == ["at night: Chat of every detector."]
    page = house.page("/detectors")
    assert all(sentence in page.text for sentence in found["rules"])


def test_a_file_that_cannot_be_read_is_said_so(house: DashboardHouse, alerts: Path) -> None:
    alerts.write_text("channels: 7")
    assert "channels" in house.client.get("/api/v1/alert-rules").json()["problem"]
    assert "nobody is told" in house.page("/detectors").text


def test_without_a_file_every_folder_of_the_outbox_is_told(
    house: DashboardHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_ALERTS", "")
    found = house.client.get("/api/v1/alert-rules").json()
    assert found["rules"] == ["Every channel of every detector, from its own threshold on."]
    assert len(found["channels"]) >= 8
