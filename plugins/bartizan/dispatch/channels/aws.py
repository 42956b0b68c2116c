"""AWS as channels use it: one attempt per call, because the outbox does the retrying."""

from __future__ import annotations

from typing import Annotated, Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
)
from pydantic import Field

from bartizan.boto import ONCE
from bartizan.dispatch.channels.base import ChannelOptions, Outcome

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]

_CIRCUMSTANCES = (  # the message may be good: nothing is wrong but the moment or the permissions
    *("Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "LimitExceeded"),
    *("RequestTimeout", "ServiceUnavailable", "Internal", "KMSThrottl"),
    *("AccessDenied", "AuthorizationError", "UnrecognizedClient", "ExpiredToken", "Expired"),
    *("InvalidClientTokenId", "InvalidAccess", "Forbidden", "SignatureDoesNotMatch"),
)


class AwsOptions(ChannelOptions):
    """`region`: None is boto3's own. `role_arn`: assumed before sending."""

    region: Region | None = None
    role_arn: RoleArn | None = None


class AwsClient:
    """A client made at first use; endpoints follow AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<NAME>."""

    def __init__(self, service: str, options: AwsOptions) -> None:
        self._service, self._options = service, options
        self._client: Any = None

    def __call__(self) -> Any:
        """Raises BotoCoreError and ClientError."""
        if self._client is None:
            session = _session(self._options)
            self._client = session.client(self._service, config=ONCE)
        return self._client


def outcome_of(error: BotoCoreError | ClientError) -> Outcome:
    """What an exception of boto3 says about the attempt."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return refused(str(answer.get("Code", "")), str(answer.get("Message", "")), status)
    text = " ".join(str(error).split())
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        return Outcome.transient(text)
    if isinstance(error, HTTPClientError):  # it had begun: read timeout, connection closed
        return Outcome.unknown(text)
    if isinstance(error, ParamValidationError):
        return Outcome.permanent(text)
    return Outcome.transient(text)  # no credentials, no region


def refused(code: str, message: str, status: int = 400) -> Outcome:
    """An error code, of a call or of one entry of it."""
    text = f"{code}: {message}"
    if status >= 500 or code.startswith(_CIRCUMSTANCES):
        return Outcome.transient(text)
    return Outcome.permanent(text)


def _session(options: AwsOptions) -> boto3.Session:
    session = boto3.Session(region_name=options.region)
    if options.role_arn is None:
        return session
    answer = session.client("sts", config=ONCE).assume_role(
        RoleArn=options.role_arn, RoleSessionName="bartizan-dispatch"
    )
    keys = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=session.region_name,
    )
