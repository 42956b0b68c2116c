"""AWS as sharing uses it: a client of one Region, with the credentials of a role where one is
named. Errors become TransientError or UsageError by `bartizan.engines.aws.calling`."""

from __future__ import annotations

from typing import Any

import boto3

from bartizan.boto import PATIENT, QUICK
from bartizan.engines.aws import calling


class Aws:
    """Credentials in one Region; those of a role where `role_arn` is given."""

    def __init__(self, region: str, role_arn: str | None, external_id: str | None) -> None:
        self._session = boto3.Session(region_name=region)
        if role_arn is None:
            return
        named = {} if external_id is None else {"ExternalId": external_id}
        with calling(role_arn):
            answer = self._session.client("sts", config=QUICK).assume_role(
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
        return self._session.client(service, config=PATIENT)

    def account(self) -> str:
        """The account of the credentials."""
        with calling("sts:GetCallerIdentity"):
            sts = self._session.client("sts", config=QUICK)
            return str(sts.get_caller_identity()["Account"])


def region_of(arn: str) -> str:
    return arn.split(":")[3]
