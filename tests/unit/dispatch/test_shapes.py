from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from botocore.model import Shape
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from incidents import anomaly, incident
from published import asff_problems, ocsf_problems

from bartizan.dispatch.channels import SHAPES
from bartizan.dispatch.channels.eventbridge import EventBridge, EventBridgeOptions
from bartizan.dispatch.context import Context
from bartizan.dispatch.shapes import lookout_event, ocsf, security_hub, slack, sns
from bartizan.errors import BartizanError
from bartizan.model.anomaly import Explanation, Incident, IncidentState, RootCause
from bartizan.model.story import severity_label

CONTEXT = Context()
SAMPLE = {
    "client_ip": "198.51.100.7",
    "uri": "/<script>&\r\nBcc: x@example.com",
    "webacl_id": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/shop/473e64fd-f30b",
}
ONE = incident(
    [
        anomaly(3, {"webacl": "shop", "rule": "SQLi"}, value=96, expected=4, severity=86.784),
        anomaly(4, {"webacl": "shop", "rule": "XSS"}, value=40, expected=8, severity=71),
    ],
    samples=(SAMPLE,),
)
_EDGES = [0.0, 0.5, 1e-9, 1e15, float("nan")]
_NASTY = [
    "",
    "<!channel> & <b>",
    "\u202eevil\x00\r\nX: y",
    "=1+1",
    "🦊" * 3000,
    "a" * 9000,
    '"' * 4000,
]
_texts = st.sampled_from(_NASTY) | st.text(max_size=20)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    """From one point to thousands of series, of hostile names as long as a URL can be."""
    count = draw(st.sampled_from([1, 2, 40, 400]))
    names = draw(st.lists(_texts, min_size=1, max_size=8))
    width = draw(st.integers(0, 6))
    anomalies = [
        anomaly(
            at % 12,
            {f"dimension{d}": f"{names[(at + d) % len(names)]}{at}" for d in range(width)},
            value=draw(st.sampled_from(_EDGES[:4])) if at < 3 else 17.0,
            expected=draw(st.sampled_from(_EDGES)) if at < 3 else 2.0,
            severity=draw(st.floats(0, 100)) if at < 3 else 70.0,
        )
        for at in range(count)
    ]
    sample = {name: draw(_texts) for name in ("client_ip", "uri", "user_agent", "webacl_id")}
    return incident(anomalies, samples=(sample,) * 5)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(incidents(), st.integers(1, 10**6))
def test_every_shape_keeps_the_limits_of_its_channel(one: Incident, change: int) -> None:
    payloads = {name: shape(one, CONTEXT, change) for name, shape in SHAPES.items()}
    for name, payload in payloads.items():
        assert SHAPES[name](one, CONTEXT, change) == payload
        if name not in ("eventbridge", "sns"):  # where JSON is inside of JSON
            assert compact_size(payload) <= 240_000
    check_finding(payloads["security_hub"])
    check_slack(payloads["slack"])
    check_lookout_event(payloads["lambda"], one)
    entry = payloads["eventbridge"]
    assert len(entry["Detail"].encode()) <= 240 * 1024
    assert len(entry["DetailType"]) <= 128
    assert EventBridge(EventBridgeOptions(kind="eventbridge")).size(entry) <= 256_000
    check_sns(payloads["sns"], one)
    check_ocsf(payloads["ocsf"], one)
    check_pagerduty(payloads["pagerduty"])
    check_lookout_event(payloads["webhook"]["event"], one)
    mail = payloads["email"]
    assert 0 < len(mail["subject"]) < 100
    assert mail["subject"].isprintable()
    assert all(line.isprintable() for line in mail["body"].split("\n"))


def test_thousands_of_series_are_cut_to_the_size_and_counted() -> None:
    many = [anomaly(0, {"uri": f"/{at}?" + '"' * 9000}, value=100.0 + at) for at in range(3000)]
    event = lookout_event.shape(incident(many), CONTEXT, 1)
    check_lookout_event(event, incident(many))
    assert 230_000 < compact_size(event) <= 240_000
    assert event["impactedMetric"]["relevantTimeSeries"][0]["metricValue"] == 3099


def test_a_uri_of_100_kb_is_cut_in_every_payload_and_the_rest_is_there() -> None:
    uri = "/\u202e<!channel>\x1b[31m" + "a" * 100_000
    one = incident([anomaly(0, {"webacl": "shop", "uri": uri})], samples=({"uri": uri},))
    for name, shape in SHAPES.items():
        payload = shape(one, CONTEXT, 1)
        text = json.dumps(payload, ensure_ascii=False)
        assert len(text) < 20_000, name
        assert not {"\u202e", "\x1b"} & set(text), name
        assert "shop" in text, name
        assert one.id in text, name


def test_inside_json_quotes_take_their_room_too() -> None:
    many = incident([anomaly(0, {"uri": f"/{at}?" + '"' * 9000}) for at in range(3000)])
    message = sns.shape(many, CONTEXT, 1)
    check_sns(message, many)
    assert len(message["Message"].encode()) > 200_000
    check_ocsf(ocsf.shape(many, CONTEXT, 1), many)


def compact_size(payload: Any) -> int:
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return len(text.encode())


def check_finding(finding: dict[str, Any]) -> None:
    """Against AWS's own model of the operation, and the limits its documentation adds."""
    assert asff_problems(finding) == []
    assert len(finding["Title"]) <= 256
    assert len(finding["Description"]) <= 1024
    assert max(len(finding["Id"]), len(finding["GeneratorId"])) <= 512
    fields = finding["ProductFields"]
    assert len(fields) <= 50
    assert all(len(name) <= 128 and 0 < len(value) <= 2048 for name, value in fields.items())
    for name in ("CreatedAt", "UpdatedAt"):
        assert datetime.fromisoformat(finding[name]).tzinfo is not None
    assert all(re.fullmatch(r"[^/]+/[^/]+/[^/]+", kind) for kind in finding["Types"])
    assert 1 <= len(finding["Resources"]) <= 32
    assert all(resource["Id"].isprintable() for resource in finding["Resources"])


def check_slack(message: dict[str, Any]) -> None:
    assert 0 < len(message["blocks"]) <= 50
    assert len(json.dumps(message, ensure_ascii=False)) <= 13_000
    assert "<" not in message["text"]
    assert ">" not in message["text"]
    for block in message["blocks"]:
        if block["type"] == "header":
            assert 0 < len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3000
            # What Slack would interpret holds no text of the log at all.
            assert block["text"]["type"] == "plain_text" or "<" not in block["text"]["text"]


def check_lookout_event(event: dict[str, Any], one: Incident) -> None:
    metric = event["impactedMetric"]
    for dimension in metric["dimensionContribution"]:
        shares = [v["valueContribution"] for v in dimension["dimensionValueContributions"]]
        assert sum(shares) == 100
    series = {a.dimensions for a in one.anomalies}
    assert len(metric["relevantTimeSeries"]) + event["seriesLeftOut"] == len(series)
    ids = {item["timeSeriesId"] for item in metric["relevantTimeSeries"]}
    assert all(re.fullmatch(r"[0-9a-f]{128}", one_id) for one_id in ids)
    assert len(ids) == len(metric["relevantTimeSeries"]) > 0


@cache
def _publish() -> Shape:
    return get_session().get_service_model("sns").operation_model("Publish").input_shape


def check_sns(request: dict[str, Any], one: Incident) -> None:
    topic = {"TopicArn": "arn:aws:sns:us-east-1:111122223333:t"}
    problems = ParamValidator().validate(request | topic, _publish())
    assert not problems.has_errors(), problems.generate_report()
    attributes = request["MessageAttributes"]
    size = len(request["Message"].encode()) + sum(
        len(name.encode()) + len(part.encode())
        for name, value in attributes.items()
        for part in value.values()
    )
    assert size <= 262_144
    assert 0 < len(request["Subject"]) < 100
    assert request["Subject"].isprintable()
    assert all(one["StringValue"] for one in attributes.values())
    said = json.loads(request["Message"])
    check_lookout_event(json.loads(said["default"]), one)
    assert len(said["sms"]) <= 160
    assert all(line.isprintable() for line in said["email"].split("\n"))


def check_ocsf(event: dict[str, Any], one: Incident) -> None:
    """Against the published schema of the class, and what we promise beyond it."""
    assert ocsf_problems(event) == []
    assert event["class_uid"] == 2004
    assert event["type_uid"] == 200400 + event["activity_id"]
    assert {"uid", "title"} <= set(event["finding_info"])
    assert event["activity_id"] in (1, 2, 3)
    assert event["severity_id"] in range(1, 6)
    assert event["status_id"] in (1, 4)
    assert event["time"] == 1000 * int(one.window.end.timestamp())
    for analysis in event["anomaly_analyses"]:
        assert all(target["name"].isprintable() for target in analysis["analysis_targets"])
        for found in (*analysis["anomalies"], *analysis["baselines"]):
            for seen in found["observations"]:
                assert seen["timespan"]["start_time"] < seen["timespan"]["end_time"]
    series = {a.dimensions for a in one.anomalies}
    assert len(event["anomaly_analyses"]) + event["unmapped"]["seriesLeftOut"] == len(series)


def check_pagerduty(event: dict[str, Any]) -> None:
    assert set(event) >= {"event_action", "dedup_key", "payload"}
    payload = event["payload"]
    assert set(payload) >= {"summary", "source", "severity"}
    assert 0 < len(payload["summary"]) <= 1024
    assert payload["severity"] in ("critical", "error", "warning", "info")
    assert len(event["dedup_key"]) <= 255
    assert compact_size(event) <= 100_000


def test_ocsf_creates_updates_and_closes_one_finding() -> None:
    changes = (ONE, replace(ONE, severity=95.0), replace(ONE, state=IncidentState.RESOLVED))
    events = [ocsf.shape(one, CONTEXT, number) for number, one in enumerate(changes, start=1)]
    assert [event["activity_name"] for event in events] == ["Create", "Update", "Close"]
    assert [event["status"] for event in events] == ["New", "New", "Resolved"]
    assert [event["is_alert"] for event in events] == [True, True, False]
    assert {event["finding_info"]["uid"] for event in events} == {ONE.id}
    (first, _) = events[0]["anomaly_analyses"]
    assert first["analysis_targets"][0]["name"] == "webacl=shop, rule=SQLi"
    assert first["anomalies"][0]["observations"][0]["value"] == "96"
    assert first["baselines"][0]["observations"][0]["value"] == "4"


def test_the_lookout_event_has_every_key_of_the_original_and_ours() -> None:
    event = lookout_event.shape(ONE, CONTEXT, 2)
    original = {
        *("alertName", "alertEventId", "anomalyDetectorArn", "alertArn", "alertDescription"),
        *("impactedMetric", "timestamp", "anomalyScore", "consoleUrl"),
    }
    ours = {
        *("anomalyGroupId", "changeNumber", "state", "startTime", "endTime", "direction"),
        *("value", "expectedValue", "explanation", "seriesLeftOut"),
    }
    assert set(event) == original | ours
    assert set(event["impactedMetric"]) == {
        *("metricName", "dimensionContribution", "relevantTimeSeries"),
    }
    first = event["impactedMetric"]["relevantTimeSeries"][0]
    assert set(first) >= {"timeSeriesId", "dimensions", "metricValue"}
    assert first["metricValue"] == 96
    assert event["alertEventId"].rsplit("/", 1) == [f"{event['alertArn']}:event", ONE.id]
    # As the published clients read it.
    parsed = datetime.strptime(event["timestamp"].split("[", maxsplit=1)[0], "%Y-%m-%dT%H:%MZ")
    assert parsed == datetime(2026, 11, 16, 0, 15)
    assert event["anomalyScore"] == 86.78
    by_rule = event["impactedMetric"]["dimensionContribution"][1]["dimensionValueContributions"]
    # 92 and 32 of a deviation of 124: 74.19 and 25.81 percent.
    assert [v["valueContribution"] for v in by_rule] == [74, 26]


def test_root_causes_and_the_rest_are_in_the_event_cut_to_their_size() -> None:
    cause = RootCause((("webacl", "shop"), ("rule", "a" * 9000)), 96.0, 4.0, 77)
    known = replace(ONE, explanation=Explanation((cause,), 50.0, float("nan"), False))
    found = lookout_event.shape(known, CONTEXT, 1)["explanation"]
    dimensions = found["rootCauses"][0].pop("dimensions")
    assert [one["dimensionName"] for one in dimensions] == ["webacl", "rule"]
    assert len(dimensions[1]["dimensionValue"]) == 256
    assert found == {
        "rootCauses": [{"value": 96.0, "expectedValue": 4.0, "percentOfChange": 77}],
        "isCompact": True,
        "restValue": 50.0,
        "restExpectedValue": None,
        "restIsNormal": False,
    }
    assert lookout_event.shape(ONE, CONTEXT, 1)["explanation"] is None


def test_a_later_change_updates_the_same_finding_and_the_end_archives_it() -> None:
    first = security_hub.shape(ONE, CONTEXT, 1)
    grown = incident([*ONE.anomalies, anomaly(9, {"webacl": "shop", "rule": "SQLi"}, severity=97)])
    second = security_hub.shape(grown, CONTEXT, 2)
    assert [second[name] for name in ("Id", "ProductArn", "CreatedAt")] == [
        first[name] for name in ("Id", "ProductArn", "CreatedAt")
    ]
    assert first["Id"] == f"{first['GeneratorId']}/{ONE.id}"
    assert second["UpdatedAt"] > first["UpdatedAt"]
    assert (first["RecordState"], first["Severity"]["Label"]) == ("ACTIVE", "HIGH")
    resolved = security_hub.shape(replace(grown, state=IncidentState.RESOLVED), CONTEXT, 3)
    assert (resolved["RecordState"], resolved["Severity"]["Label"]) == ("ARCHIVED", "CRITICAL")
    assert first["Resources"] == [
        {
            "Type": "AwsWafv2WebAcl",
            "Id": SAMPLE["webacl_id"],
            "Partition": "aws",
            "Region": "eu-central-1",
        }
    ]


def test_a_partition_other_than_aws_reaches_the_arns_and_a_bad_finding_is_refused() -> None:
    context = Context(region="us-gov-west-1", account_id="111122223333")
    finding = security_hub.shape(replace(ONE, samples=()), context, 1)
    owner = "arn:aws-us-gov:securityhub:us-gov-west-1:111122223333"
    assert finding["ProductArn"] == f"{owner}:product/111122223333/default"
    assert Context(region="cn-north-1").detector_arn("d").startswith("arn:aws-cn:")
    for broken in ({"Resources": []}, {"Title": "t" * 257}, {"Note": "n" * 240_000}):
        with pytest.raises(BartizanError):
            security_hub.check(finding | broken)


@pytest.mark.parametrize(
    ("severity", "label"),
    [
        *[(0, "INFORMATIONAL"), (1, "LOW"), (39.4, "LOW"), (40, "MEDIUM"), (69.4, "MEDIUM")],
        *[(70, "HIGH"), (89.4, "HIGH"), (90, "CRITICAL"), (100, "CRITICAL")],
    ],
)
def test_severity_labels_of_security_hub(severity: float, label: str) -> None:
    assert severity_label(severity) == label


@given(st.text(st.sampled_from("<>&;amp xé")), st.integers(0, 40))
def test_slack_text_is_escaped_and_never_cut_inside_an_entity(text: str, limit: int) -> None:
    cut = slack.escaped(text, limit)
    assert len(cut) <= limit
    assert not set(cut) & set("<>")
    plain = cut.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert text.startswith(plain)
    assert set(re.findall(r"&\w*;?", cut)) <= {"&lt;", "&gt;", "&amp;"}
