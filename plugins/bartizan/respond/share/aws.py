"""AWS as sharing uses it: a client of one Region, with the credentials of a role where one is
named. Errors become TransientError or UsageError by `bartizan.engines.aws.calling`."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from bartizan.engines.aws import calling

_RETRIES = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
)


class Aws:
    """Credentials in one Region; those of a role where `role_arn` is given."""

    def __init__(self, region: str, role_arn: str | None, external_id: str | None) -> None:
        self._session = boto3.Session(region_name=region)
        if role_arn is None:
            return
        named = {} if external_id is None else {"ExternalId": external_id}
        with calling(role_arn):
            answer = self._session.client("sts", config=_RETRIES).assume_role(
                RoleArn=role_arn, RoleSessionName="bartizan-sharing", **named
            )
        keys = answer["Credentials"]
        self._session = boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=region,
        )

    def client(self, service: str) -> Any:
        return self._session.client(service, config=_RETRIES)

    def account(self) -> str:
        """The account of the credentials."""
        with calling("sts:GetCallerIdentity"):
            return str(self.client("sts").get_caller_identity()["Account"])


def region_of(arn: str) -> str:
    return arn.split(":")[3]
