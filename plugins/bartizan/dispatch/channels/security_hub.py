"""Security Hub CSPM: findings by BatchImportFindings; the same `Id` again updates a finding.

What people set there is theirs: it is read by GetFindings, and never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from bartizan.dispatch.channels.aws import AwsClient, AwsOptions, outcome_of, refused
from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.context import Context
from bartizan.dispatch.shapes import security_hub
from bartizan.errors import TransientError
from bartizan.model.anomaly import Incident
from bartizan.model.hub_word import HubWord, WorkflowStatus

PAGE, MOST_READ = 100, 10_000  # findings


class SecurityHubOptions(AwsOptions):
    """`account_id`: of the findings, None for the installation's; the caller must be in it.
    `read_back`: whether what people set on findings is read."""

    kind: Literal["security_hub"]
    read_back: bool = True
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None

    def open(self, site: Site) -> Channel:
        return SecurityHub(self)


class SecurityHub(Channel):
    """Delivered exactly once: an attempt more changes nothing."""

    at_once = 100
    most_bytes = 5_500_000  # of 6 MB

    def __init__(self, options: SecurityHubOptions) -> None:
        self._options, self._client = options, AwsClient("securityhub", options)

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return security_hub.shape(incident, self._there(context), change)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        findings = [one.payload for one in batch]
        try:
            answer = self._client().batch_import_findings(Findings=findings)
        except (BotoCoreError, ClientError) as error:
            return [outcome_of(error)] * len(batch)
        failed = {one["Id"]: one for one in answer.get("FailedFindings", [])}
        return [
            refused(failed[finding["Id"]]["ErrorCode"], failed[finding["Id"]]["ErrorMessage"])
            if finding["Id"] in failed
            else Outcome.delivered(f"{finding['Id']} {finding['UpdatedAt']}")
            for finding in findings
        ]

    def heard(self, context: Context) -> Sequence[HubWord]:
        """Of active findings that are ours, at most 10,000, 100 a call."""
        if not self._options.read_back:
            return ()
        try:
            pages = self._client().get_paginator("get_findings")
            limits = {"PageSize": PAGE, "MaxItems": MOST_READ}
            filters = security_hub.spoken_of(self._there(context))
            answers = pages.paginate(Filters=filters, PaginationConfig=limits)
            found = [_word(one) for page in answers for one in page["Findings"]]
        except (BotoCoreError, ClientError) as error:
            raise TransientError(
                "Security Hub",
                f"cannot be read: {outcome_of(error).detail}",
                "allow securityhub:GetFindings, or write read_back: false",
            ) from error
        return [one for one in found if one is not None]

    def _there(self, context: Context) -> Context:
        return replace(
            context,
            account_id=self._options.account_id or context.account_id,
            region=self._options.region or context.region,
        )


def _word(finding: dict[str, Any]) -> HubWord | None:
    """None where nobody has set anything: stand-ins of AWS do not filter."""
    note, status = finding.get("Note", {}), finding.get("Workflow", {}).get("Status")
    if status not in list(WorkflowStatus):
        return None
    return HubWord.of(
        incident=finding["Id"].removeprefix(f"{finding['GeneratorId']}/"),
        status=status,
        note=note.get("Text", ""),
        author=note.get("UpdatedBy", ""),
    )
