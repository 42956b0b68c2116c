from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from incidents import DAY_START, anomaly, incident, scores

from bartizan.config import PROJECT
from bartizan.dispatch.playbooks import advice, read_playbooks
from bartizan.dispatch.report import write_report
from bartizan.dispatch.report_data import ReportData, Traffic
from bartizan.dispatch.report_lanes import MOST_COLUMNS, lanes
from bartizan.dispatch.report_text import escaped
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.evidence import Evidence, FirstSeen, Impact, Query
from bartizan.model.landing import BatchCounts
from bartizan.model.window import Window

DAY = Window(DAY_START, DAY_START + timedelta(days=1))
HOSTILE = (
    "<script>alert(1)</script>[x](javascript:alert(2)) https://evil.example www.evil.example "
    "| a@evil.example `rm` \u202e\x1b[31m\r\n=cmd|'/c calc'!A1 {{ 7 * 7 }}"
)
LONG = "/" + "a" * 100_000


def about(
    at: int, rule: str, webacl: str = "shop", severity: float = 91.0, **sample: str
) -> Incident:
    found = incident([anomaly(at, {"webacl": webacl, "rule": rule}, severity=severity)])
    return replace(found, samples=(sample,) if sample else ())


def total(at: int, webacl: str = "shop", severity: float = 80.0) -> Incident:
    one = anomaly(at, {"webacl": webacl}, severity=severity)
    return incident([one], detector="waf_blocked_share", measure="blocked_share")


def report(*incidents: Incident, **more: Any) -> ReportData:
    books = read_playbooks(PROJECT / "include" / "playbooks")
    return ReportData(
        title="AWS WAF anomalies",
        period=DAY,
        objects=3,
        counts=BatchCounts(1000, 990, 40, 4, 6),
        incidents=tuple(replace(one, advice=advice(one, books)) for one in incidents),
        scores={one.detector: scores(one) for one in incidents[:1]},
        traffic=Traffic(990, 99, DAY_START + timedelta(hours=23, minutes=58), 5),
        **more,
    )


def written(folder: Path, name: str, data: ReportData) -> str:
    write_report(folder / name, data)
    return (folder / name).read_text(encoding="utf-8")


def test_stories_are_the_same_in_all_three_forms(tmp_path: Path) -> None:
    first, its_total = about(10, "SQLi_BODY", severity=95), total(11, severity=99)
    alone = replace(about(100, "my-rule", "blog", 71), state=IncidentState.RESOLVED)
    data = report(first, its_total, alone)
    html, markdown = written(tmp_path, "r.html", data), written(tmp_path, "r.md", data)
    found = json.loads(written(tmp_path, "r.json", data))
    assert [[one["id"] for one in story["incidents"]] for story in found["stories"]] == [
        [its_total.id, first.id],  # the worst leads
        [alone.id],
    ]
    assert found["stories"][0]["id"] == first.id  # the earliest names it
    assert [story["state"] for story in found["stories"]] == ["open", "over"]
    figures = found["figures"]
    assert (figures["openIncidents"], figures["worstSeverity"], figures["tooLate"]) == (2, 99.0, 5)
    assert figures["freshThrough"] == "2026-11-16T23:58:00Z"
    assert found["stories"][0]["playbooks"][0]["name"] == "managed-sqli"
    assert html.count('<section class="card incident"') == 2 == markdown.count("\n## ")
    assert "3 incidents in 2 stories, 2 open" in markdown
    for text in (html, markdown):
        assert "10.0%" in text  # 99 of 990
        assert f"bartizan feedback give {its_total.id} --kind confirmed" in text
        assert "SQL injection attempts" in text
    assert ">23:58<" in html
    with pytest.raises(UsageError, match="pdf"):
        write_report(tmp_path / "r.pdf", data)


def test_what_was_told_as_one_story_stays_one(tmp_path: Path) -> None:
    one, other = about(10, "SQLi_BODY"), about(200, "XSS", "blog")
    data = report(one, other, told={one.id: "told", other.id: "told"})
    (story,) = json.loads(written(tmp_path, "r.json", data))["stories"]
    assert story["id"] == "told"
    assert len(story["incidents"]) == 2


def test_hostile_text_and_a_uri_of_100_kb_are_harmless_in_markdown_json_and_lanes(
    tmp_path: Path,
) -> None:
    nasty = replace(
        about(10, HOSTILE, HOSTILE, uri=HOSTILE, args=LONG),
        evidence=Evidence(
            Impact(9, 8),
            (FirstSeen("rule", HOSTILE, 35, True), FirstSeen("rule", LONG, 35, False)),
            (Query(HOSTILE, f"select '{HOSTILE}'"),),
        ),
    )
    data = report(nasty, about(20, LONG, LONG), told={nasty.id: nasty.id})
    html = written(tmp_path, "r.html", data)
    assert "<script" not in html
    assert 'class="lane"' in html
    assert "was never seen before in 35 days." in html
    assert html.count("a" * 300) == 0
    assert not {"\u202e", "\x1b"} & set(html)
    text = written(tmp_path, "r.json", data)
    assert not {"\u202e", "\x1b", "\r"} & set(text)
    assert len(json.loads(text)["stories"][1]["headline"]) < 300
    markdown = written(tmp_path, "r.md", data)
    assert not {"\u202e", "\x1b", "\r"} & set(markdown)
    bare = re.sub(r"\\.", "", markdown)  # what Markdown would take for a mark or a link
    for mark in ("<", "](", "://", "www.", "@evil"):
        assert mark not in bare, mark
    assert len(markdown) < 20_000
    rows = [line for line in bare.split("\n") if line.startswith("|")]
    assert {row.count("|") for row in rows} == {6}


def test_escaped_markdown_reads_as_it_was() -> None:
    # A backslash before punctuation is taken away again by every Markdown reader.
    text = "a_b*c|d <e> [f](g) https://h www.i j@k"
    assert re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", escaped(text)) == text


def test_lanes_hold_the_worst_of_each_column_and_count_what_is_left_out() -> None:
    worse = incident(
        [anomaly(1, {"webacl": "shop"}, severity=96.0), anomaly(13, {"webacl": "shop"})]
    )
    found = lanes([total(0), worse, replace(total(1, "blog"), detector=worse.detector)], DAY)
    assert [(one.place, one.detector) for one in found.lanes] == [
        ("blog", "waf_blocked_requests"),
        ("shop", "waf_blocked_requests"),
        ("shop", "waf_blocked_share"),
    ]
    # Intervals 1 and 13 of five minutes: the first and the second hour.
    cells = found.lanes[1].cells
    assert [(cell.start.hour, cell.severity, cell.label) for cell in cells] == [
        (0, 96.0, "critical"),
        (1, 91.0, "critical"),
    ]
    month = Window(DAY_START, DAY_START + timedelta(days=31))
    wide = lanes([total(0)], month)
    assert wide.step == timedelta(hours=8)  # 744 hours in at most 96 columns
    assert MOST_COLUMNS >= 744 / 8
    many = lanes([total(0, f"acl-{at}", severity=50 + at / 2) for at in range(40)], DAY)
    assert (len(many.lanes), many.left_out) == (30, 10)
    assert min(c.severity for lane in many.lanes for c in lane.cells) == 55


def test_of_very_many_stories_the_worst_are_shown_in_full_and_all_are_linked(
    tmp_path: Path,
) -> None:
    many = [about(at, "my-rule", f"acl-{at}", 99 - at) for at in range(45)]
    wide = [total(0, "wide", 60.0)]
    wide += [replace(total(0, "wide", 50.0), id=f"part-{at}") for at in range(14)]
    html = written(tmp_path, "r.html", report(*many, *wide))
    ids = re.findall(r' id="((?:story|incident)-\d+)"', html)
    assert sorted(ids) == sorted(
        [f"incident-{at}" for at in range(1, 61)] + [f"story-{at}" for at in range(1, 47)]
    )
    assert set(re.findall(r'<a href="#([^"]+)"', html)) <= set(ids)
    assert html.count('<section class="card incident"') == 40
    found = json.loads(written(tmp_path, "r.json", report(*many, *wide)))
    assert sum(len(story["incidents"]) for story in found["stories"]) == 60
    (alone,) = [story for story in found["stories"] if len(story["incidents"]) > 1]
    assert len(alone["incidents"]) == 15
