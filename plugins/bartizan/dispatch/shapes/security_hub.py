"""A finding for Security Hub CSPM `BatchImportFindings` (ASFF 2018-10-08)."""

from __future__ import annotations

import re
from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import MAX_BYTES, encoded
from bartizan.errors import BartizanError
from bartizan.model.anomaly import Direction, Incident, IncidentState
from bartizan.model.hub_word import WorkflowStatus
from bartizan.model.story import drivers, headline, severity_label, shown, story
from bartizan.model.text import clip
from bartizan.model.window import format_time

_REQUIRED = (
    *("SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId"),
    *("CreatedAt", "UpdatedAt", "Title", "Description", "Resources"),
)
_LIMITS = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024}
_PRODUCT_FIELD_LIMIT = 2048
_RECOMMENDATION_LIMIT = 512
_ACL_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):wafv2:(?P<region>[a-z0-9-]+):\d{12}:"
    r"(?:regional|global)/webacl/[\w-]{1,128}/[\w-]{1,36}"
)


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """The finding. `Id` never changes, so that a later change of the incident updates it.

    The service ignores an update whose `UpdatedAt` is not newer: it is when the change was found,
    which is later at each change. An incident that is resolved or withdrawn is archived.
    Raises BartizanError when a required field is empty or a limit of the format is exceeded.
    """
    detector_arn = context.detector_arn(incident.detector)
    types = [f"Unusual Behaviors/Application/{_classifier(incident)}"]
    severity = {
        "Label": severity_label(incident.severity),
        "Original": f"{incident.severity:.2f}",
    }
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": f"{detector_arn}/{incident.id}",
        "ProductArn": _product_arn(context),
        "ProductName": context.product,
        "GeneratorId": detector_arn,
        "AwsAccountId": context.account_id,
        "Types": types,
        "CreatedAt": format_time(incident.window.start),
        "UpdatedAt": format_time(incident.updated_at or incident.window.end),
        "FirstObservedAt": format_time(incident.window.start),
        "LastObservedAt": format_time(incident.window.end),
        "Severity": severity | {"Normalized": round(incident.severity)},
        "FindingProviderFields": {"Severity": severity, "Types": types}
        | _related(incident, context),
        "Title": clip(headline(incident), _LIMITS["Title"]),
        "Description": clip(story(incident), _LIMITS["Description"]),
        "SourceUrl": context.incident_url(incident.id),
        "ProductFields": _product_fields(incident, change),
        "Resources": [_resource(incident, context)],
        "RecordState": "ACTIVE" if incident.state is IncidentState.OPEN else "ARCHIVED",
    }
    finding |= _remediation(incident)
    check(finding)
    return finding


def spoken_of(context: Context) -> dict[str, list[dict[str, str]]]:
    """The `Filters` of GetFindings for active findings of ours with a status that people set."""
    return {
        "ProductArn": [{"Value": _product_arn(context), "Comparison": "EQUALS"}],
        "GeneratorId": [{"Value": context.detector_arn(""), "Comparison": "PREFIX"}],
        "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
        "WorkflowStatus": [
            {"Value": status.value, "Comparison": "EQUALS"} for status in WorkflowStatus
        ],
    }


def check(finding: dict[str, Any]) -> None:
    """Raise BartizanError for a finding that Security Hub would refuse."""
    thing = f"finding {finding.get('Id', '')}"
    for name in _REQUIRED:
        if not finding.get(name):
            raise BartizanError(thing, f"{name} is empty", "give the incident and context a value")
    for name, limit in _LIMITS.items():
        if len(finding[name]) > limit:
            raise BartizanError(
                thing, f"{name} has {len(finding[name])} characters", f"at most {limit} are allowed"
            )
    if (size := len(encoded(finding))) > MAX_BYTES:
        raise BartizanError(thing, f"has {size} bytes", f"at most {MAX_BYTES} are allowed")


def _classifier(incident: Incident) -> str:
    return "WAF Increase" if incident.direction is Direction.ABOVE else "WAF Decrease"


def _product_arn(context: Context) -> str:
    owner = f"arn:{context.partition}:securityhub:{context.region}:{context.account_id}"
    return f"{owner}:product/{context.account_id}/default"


def _product_fields(incident: Incident, change: int) -> dict[str, str]:
    fields = {
        "bartizan/Detector": incident.detector,
        "bartizan/Measure": incident.measure,
        "bartizan/IncidentId": incident.id,
        "bartizan/Change": str(change),
        "bartizan/Direction": incident.direction.value,
        "bartizan/Value": f"{incident.value:g}",
        "bartizan/Expected": f"{incident.expected:g}",
        "bartizan/Reason": incident.peak.reason,
        "bartizan/Drivers": ", ".join(
            f"{name}={shown(value)}" for name, value in drivers(incident)
        ),
        "bartizan/Story": incident.story.in_words if incident.story else "",
        "bartizan/StoryId": incident.story.id if incident.story else "",
        "bartizan/Contributions": ", ".join(
            f"{c.dimension}={shown(c.value)}: {c.percent}%" for c in incident.contributions
        ),
    }
    return {name: clip(value, _PRODUCT_FIELD_LIMIT) for name, value in fields.items() if value}


def _related(incident: Incident, context: Context) -> dict[str, Any]:
    """The findings of the other incidents of its story."""
    others = incident.story.others if incident.story else ()
    arn = _product_arn(context)
    findings = [
        {"ProductArn": arn, "Id": f"{context.detector_arn(detector)}/{one}"}
        for detector, one in others
    ]
    return {"RelatedFindings": findings} if findings else {}


def _remediation(incident: Incident) -> dict[str, Any]:
    """What the first playbook says is to be done."""
    if not incident.advice:
        return {}
    first = incident.advice[0]
    recommended = {"Text": clip(" ".join((f"{first.title}.", *first.do)), _RECOMMENDATION_LIMIT)}
    if first.links:
        recommended["Url"] = first.links[0]
    return {"Remediation": {"Recommendation": recommended}}


def _resource(incident: Incident, context: Context) -> dict[str, str]:
    """The web ACL by the ARN of a sample request, by name where none is known, or the account."""
    for sample in incident.samples:
        if arn := _ACL_ARN.fullmatch(sample.get("webacl_id", "")):
            return {
                "Type": "AwsWafv2WebAcl",
                "Id": arn[0],
                "Partition": arn["partition"],
                "Region": arn["region"],
            }
    place = {"Partition": context.partition, "Region": context.region}
    webacl = dict(incident.peak.dimensions).get("webacl", "")
    if webacl:
        return {"Type": "Other", "Id": f"webacl/{shown(webacl)}", **place}
    return {"Type": "AwsAccount", "Id": f"AWS::::Account:{context.account_id}", **place}
