"""Findings against the schemas that AWS and OCSF publish; the schemas do refuse what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from dispatch_house import CONTEXT, HIGH
from published import asff_problems, ocsf_problems

from bartizan.dispatch.shapes import ocsf, security_hub
from bartizan.model.advice import Advice
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.story_link import StoryLink

FULL = replace(
    HIGH,
    story=StoryLink("s-1", (("waf_requests", "i-2"), ("waf_rules", "i-3")), 4),
    advice=(Advice("flood", "Flood", "Why.", ("Look?",), ("Block.",), ("https://example.com/",)),),
)
LIFE = [
    pytest.param(HIGH, 1, id="opened"),
    pytest.param(FULL, 2, id="updated"),
    pytest.param(replace(FULL, severity=0.4), 3, id="mild"),
    pytest.param(replace(FULL, state=IncidentState.RESOLVED), 4, id="resolved"),
    pytest.param(replace(FULL, state=IncidentState.WITHDRAWN), 5, id="withdrawn"),
]


@pytest.mark.parametrize(("one", "change"), LIFE)
def test_every_change_is_a_valid_finding(one: Incident, change: int) -> None:
    event = ocsf.shape(one, CONTEXT, change)
    assert ocsf_problems(event) == []
    assert len(event["anomaly_analyses"]) == 1
    assert asff_problems(security_hub.shape(one, CONTEXT, change)) == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda e: e.update(severity_id=7), "7 is not one of"),
        (lambda e: e.update(severity="Grave"), "'Grave' instead of 'Critical'"),
        (lambda e: e.update(type_name="Finding"), "'Finding' instead of 'Detection Finding: Cre"),
        (lambda e: e.update(ours=1), "'ours' was unexpected"),
        (lambda e: e["metadata"].pop("profiles"), "'cloud' was unexpected"),
        (lambda e: e["finding_info"].pop("uid"), "'uid' is a required property"),
        (lambda e: e["anomaly_analyses"][0].pop("anomalies"), "'anomalies' is a required"),
        (
            lambda e: e["anomaly_analyses"][0]["baselines"][0]["observations"][0].update(value=1),
            "1 is not of type 'string'",
        ),
    ],
)
def test_ocsf_refuses_what_is_wrong(spoil: Callable[[Any], Any], says: str) -> None:
    event = deepcopy(ocsf.shape(HIGH, CONTEXT, 1))
    spoil(event)
    (problem,) = ocsf_problems(event)
    assert says in problem


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: f.pop("Resources"), 'Missing required parameter in Findings[0]: "Resources"'),
        (lambda f: f.update(ProductFields={"a": 1}), "Invalid type for parameter"),
        (lambda f: f.update(RecordState="OPEN"), "'OPEN' is none of"),
        (lambda f: f.update(Title=" "), "finding.Title: ' ' is not of"),
        (lambda f: f["FindingProviderFields"]["Severity"].update(Label="BAD"), "'BAD' is none of"),
    ],
)
def test_security_hub_refuses_what_is_wrong(spoil: Callable[[Any], Any], says: str) -> None:
    finding = deepcopy(security_hub.shape(HIGH, CONTEXT, 1))
    spoil(finding)
    (problem,) = asff_problems(finding)
    assert says in problem
