"""Security Hub CSPM: findings by BatchImportFindings; the same `Id` again updates a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from bartizan.dispatch.channels.aws import AwsClient, AwsOptions, outcome_of, refused
from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.context import Context
from bartizan.dispatch.shapes import security_hub
from bartizan.model.anomaly import Incident


class SecurityHubOptions(AwsOptions):
    """`account_id`: of the findings, None for the installation's; the caller must be in it."""

    kind: Literal["security_hub"]
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
        there = replace(
            context,
            account_id=self._options.account_id or context.account_id,
            region=self._options.region or context.region,
        )
        return security_hub.shape(incident, there, change)

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
