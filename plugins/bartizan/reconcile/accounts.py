"""Sessions for the accounts whose counters are read, and what AWS answers, as errors for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from bartizan.boto import PATIENT, QUICK
from bartizan.errors import BartizanError, SourceError, TransientError, UsageError

OUT_OF_REACH = "check the network and the endpoint, then run it again"
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_UNKNOWN = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_BUSY = {
    "InternalServiceError",
    "InternalServiceFault",
    "LimitExceeded",
    "LimitExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
}
_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)


class Denied(SourceError):
    """The credentials may not do what `action` names."""


def client(session: boto3.Session, service: str, region: str) -> Any:
    """A client that waits and repeats a throttled call."""
    return session.client(service, region_name=region, config=PATIENT)


def session_for(account: str, region: str, role: str) -> boto3.Session:
    """Credentials for an account: the role assumed there, or else those that boto3 finds.

    Raises UsageError when there are none or they belong to another account: its counters of a web
    ACL of the same name would be taken for ours.
    """
    with aws_errors(
        f"account {account}, {region}", "sts:AssumeRole" if role else "sts:GetCallerIdentity"
    ):
        session = boto3.Session()
        sts = session.client("sts", region_name=region, config=QUICK)
        if role:
            arn = role.replace("{account}", account)
            answer = sts.assume_role(RoleArn=arn, RoleSessionName="bartizan-reconcile")
            keys = answer["Credentials"]
            session = boto3.Session(
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
            sts = session.client("sts", region_name=region, config=QUICK)
        found = sts.get_caller_identity()["Account"]
    if found != account:
        raise UsageError(
            f"account {account}",
            f"the credentials found belong to account {found}",
            "set BARTIZAN_RECONCILE_ROLE=arn:aws:iam::{account}:role/<name>",
        )
    return session


@contextmanager
def aws_errors(thing: str, action: str) -> Iterator[None]:
    """Turns what boto3 raises into one line about `thing`. `action` is the IAM action in use."""
    try:
        yield
    except _NO_CREDENTIALS as error:
        raise UsageError(
            "AWS credentials", _one_line(error), "set them up as boto3 finds them, or a profile"
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        raise TransientError(thing, _one_line(error), OUT_OF_REACH) from error
    except ClientError as error:
        raise _answered(error, thing, action) from error
    except BotoCoreError as error:
        raise SourceError(thing, _one_line(error), "check region and AWS configuration") from error


def _answered(error: ClientError, thing: str, action: str) -> BartizanError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _DENIED:
        return Denied(thing, f"{action} is not allowed ({code})", f"allow {action} there")
    if code in _UNKNOWN:
        return UsageError(
            "AWS credentials", f"{thing} refuses them ({code})", "renew them and run again"
        )
    if code in _BUSY:
        return TransientError(thing, f"{action} is throttled or failing ({code})", "try again")
    return SourceError(thing, f"{action}: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
