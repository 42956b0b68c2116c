"""IP sets of AWS WAF: one read with its lock token, one write of the whole list.

`UpdateIPSet` replaces the list and there is no other way to change it, so a list belongs to the
token it was read with: after a refusal both are read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from bartizan.boto import ONCE
from bartizan.errors import BartizanError, SourceError, TransientError, UsageError
from bartizan.model.intel import IpSetTarget, Network

MOST = 10_000  # addresses of one set, a quota of AWS
_EDGE = "us-east-1"  # the only Region that serves the scope CLOUDFRONT
_NOT_NOW = (
    "WAFOptimisticLock",
    "Throttl",
    "TooManyRequests",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "WAFUnavailableEntity",
)
_LONGEST_PAUSE = 30.0  # seconds


class Unsure(TransientError):
    """The answer was lost or an error of the service: it may have been written."""


class Pace:
    """At most one write a second, as AWS allows for an account and Region; longer after refusals.

    `clock` and `pause` count seconds; tests give their own.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._pause = clock, pause
        self._next = 0.0

    def turn(self) -> None:
        """Wait until the next write is allowed."""
        if (early := self._next - self._clock()) > 0:
            self._pause(early)
        self._next = self._clock() + 1.0

    def back_off(self, attempt: int) -> None:
        """Wait after the refusal of attempt 0, 1, ...: one second, doubled each time."""
        self._pause(min(2.0**attempt, _LONGEST_PAUSE))


@dataclass(frozen=True)
class Contents:
    """What one read found: `addresses` as AWS writes them, and the token that belongs to them."""

    addresses: tuple[str, ...]
    networks: frozenset[Network]
    description: str
    token: str


class IpSet:
    """One IP set. Both methods raise TransientError for what may pass, an edit of somebody else
    since the read too, and UsageError or SourceError for what will not; `replace` tells Unsure."""

    def __init__(self, target: IpSetTarget) -> None:
        self.target = target
        self._thing = f"IP set {target.name}"

    def read(self) -> Contents:
        with self._calling("wafv2:GetIPSet", TransientError):
            answer = self._client.get_ip_set(**self._named)
        found = answer["IPSet"]
        if found["IPAddressVersion"] != f"IPV{self.target.version}":
            raise UsageError(
                self._thing, f"holds {found['IPAddressVersion']}", "correct `version` of the target"
            )
        addresses = tuple(found["Addresses"])
        try:
            networks = frozenset(ip_network(text, strict=False) for text in addresses)
        except ValueError as error:
            raise SourceError(self._thing, f"holds what is no network: {error}") from error
        return Contents(addresses, networks, found.get("Description") or "", answer["LockToken"])

    def replace(self, addresses: tuple[str, ...], read: Contents) -> str:
        """Write the whole list in place of the one that was read; returns AWS's request id."""
        described = {"Description": read.description} if read.description else {}
        with self._calling("wafv2:UpdateIPSet", Unsure):
            answer = self._client.update_ip_set(
                **self._named, **described, Addresses=list(addresses), LockToken=read.token
            )
        return str(answer["ResponseMetadata"].get("RequestId", ""))

    @cached_property
    def _client(self) -> Any:
        return _client_of(self.target)

    @cached_property
    def _named(self) -> dict[str, str]:
        """How the set is named in calls; its id is looked up by name once."""
        scope: dict[str, Any] = {"Scope": self.target.scope}
        marker: dict[str, str] = {}
        while True:
            answer = self._client.list_ip_sets(**scope, Limit=100, **marker)
            for one in answer["IPSets"]:
                if one["Name"] == self.target.ip_set_name:
                    return {**scope, "Name": one["Name"], "Id": one["Id"]}
            if not answer.get("NextMarker"):
                break
            marker = {"NextMarker": answer["NextMarker"]}
        raise UsageError(
            self._thing,
            f"{self.target.ip_set_name!r} is not in account {self.target.account_id}, "
            f"{self.target.scope} {self.target.region}",
            "create it, or correct the target",
        )

    @contextmanager
    def _calling(self, action: str, lost: type[TransientError]) -> Iterator[None]:
        try:
            yield
        except HTTPClientError as error:
            raise lost(self._thing, f"{action}: {error}", "try again") from error
        except ConnectionError as error:
            remedy = "check the network and the endpoint, then try again"
            raise TransientError(self._thing, f"{action}: {error}", remedy) from error
        except BotoCoreError as error:
            raise UsageError(self._thing, str(error), "check AWS credentials and region") from error
        except ClientError as error:
            raise _answered(error, self._thing, action, lost) from error


def _answered(
    error: ClientError, thing: str, action: str, lost: type[TransientError]
) -> BartizanError:
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    text = f"{action}: {code}: {said.get('Message', '')}"
    if code.startswith(_NOT_NOW):
        return TransientError(thing, text, "try again")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "WAFInternalErrorException" or status >= 500:
        return lost(thing, text, "try again")
    if code in ("AccessDenied", "AccessDeniedException"):
        return UsageError(thing, text, "allow this to the role of the target")
    return SourceError(thing, text)


def _client_of(target: IpSetTarget) -> Any:
    """A client in the target's account. Raises UsageError when its credentials belong to another
    one, where a set of the same name would be taken for ours."""
    region = _EDGE if target.scope == "CLOUDFRONT" else target.region
    session = boto3.Session(region_name=region)
    keys: dict[str, Any] = {}
    if target.role_arn is not None:
        named = {} if target.external_id is None else {"ExternalId": target.external_id}
        answer = session.client("sts", config=ONCE).assume_role(
            RoleArn=target.role_arn, RoleSessionName="bartizan-respond", **named
        )
        given = answer["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
    found = session.client("sts", config=ONCE, **keys).get_caller_identity()["Account"]
    if found != target.account_id:
        raise UsageError(
            f"IP set {target.name}",
            f"the credentials belong to account {found}, not {target.account_id}",
            "correct `account_id` or `role_arn` of the target",
        )
    return session.client("wafv2", config=ONCE, **keys)
