"""IP sets on a stand-in of AWS WAF, and what changes them in tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from copied import store_at

from bartizan.model.intel import Change, Entry, IpSetTarget, Mode, Network, Plan, Refusal
from bartizan.model.window import Window
from bartizan.respond.apply import apply_change
from bartizan.respond.config import Limits
from bartizan.respond.expire import expire
from bartizan.respond.ip_sets import Contents, IpSet, Pace, Unsure
from bartizan.respond.undo import undo
from bartizan.store import Store
from bartizan.store.intel import IpSetChange

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
REGION = "eu-central-1"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bartizan-respond"


class Clock:
    """Seconds that pass only when somebody waits."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def pace(self) -> Pace:
        return Pace(lambda: self.now, self.pause)


class Meddled(IpSet):
    """An IP set with others at work: `after_read` runs between a read and the write after it."""

    def __init__(self, target: IpSetTarget, *after_read: Callable[[], object]) -> None:
        super().__init__(target)
        self._after_read = list(after_read)

    def read(self) -> Contents:
        found = super().read()
        if self._after_read:
            self._after_read.pop(0)()
        return found


class LostAnswer(IpSet):
    """The write arrives and the answer is lost, as often as `lost` says."""

    lost = 1

    def replace(self, addresses: tuple[str, ...], read: Contents) -> str:
        request = super().replace(addresses, read)
        if self.lost:
            self.lost -= 1
            with self._calling("wafv2:UpdateIPSet", Unsure):
                raise ReadTimeoutError(endpoint_url="https://wafv2")
        return request


class RespondHouse:
    """A store, an IP set of its own in AWS, and a guard that refuses `barred`."""

    def __init__(
        self, folder: Path, version: int = 4, scope: str = "REGIONAL", store: Store | None = None
    ) -> None:
        self.store = store or store_at(folder)
        self.clock, self.barred, self.limits = Clock(), set[Network](), Limits()
        self.target = IpSetTarget(
            "shop", f"set-{uuid4()}", scope, REGION, ACCOUNT, ROLE, version, Mode.BLOCK
        )
        self.aws = wafv2(scope, os.environ["AWS_ENDPOINT_URL"])
        made = self.aws.create_ip_set(
            Name=self.target.ip_set_name, Scope=scope, Description="mine",
            IPAddressVersion=f"IPV{version}", Addresses=[],
        )  # fmt: skip
        self._named = {
            "Name": self.target.ip_set_name, "Scope": scope, "Id": made["Summary"]["Id"]
        }  # fmt: skip

    def addresses(self) -> list[str]:
        return list(self.aws.get_ip_set(**self._named)["IPSet"]["Addresses"])

    def foreign(self, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """An edit of somebody else."""
        token = self.aws.get_ip_set(**self._named)["LockToken"]
        kept = [one for one in self.addresses() if one not in set(remove)]
        self.aws.update_ip_set(**self._named, Addresses=[*kept, *add], LockToken=token)

    def guard(self, networks: Sequence[Network]) -> list[Refusal]:
        return [Refusal(one, "protected") for one in networks if one in self.barred]

    @cached_property
    def ip_set(self) -> IpSet:
        return IpSet(self.target)

    def apply(
        self,
        plan: Plan,
        at: datetime = NOON,
        ip_set: IpSet | None = None,
        dry_run: bool = False,
    ) -> IpSetChange:
        return apply_change(
            self.store, ip_set or self.ip_set, plan, plan.changes[0], self.guard,
            self.limits, self.clock.pace(), "ops", at, dry_run,
        )  # fmt: skip

    def expire(self, at: datetime, ip_set: IpSet | None = None) -> IpSetChange:
        return expire(self.store, ip_set or self.ip_set, self.clock.pace(), "ops", at, False)

    def undo(self, change: IpSetChange, at: datetime = NOON) -> IpSetChange:
        return undo(
            self.store, self.ip_set, change, self.guard, self.clock.pace(), "ops", at, False
        )


@cache
def wafv2(scope: str, endpoint: str, role: str = ROLE) -> Any:
    """AWS WAF as somebody in the account of a role sees it."""
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="owner")["Credentials"]
    return boto3.client(
        "wafv2",
        endpoint_url=endpoint,
        region_name="us-east-1" if scope == "CLOUDFRONT" else REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def networks(*texts: str) -> set[Network]:
    return {ip_network(text) for text in texts}


def plan_of(
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    hours: int = 4,
    score: float = 50.0,
    at: datetime = NOON,
) -> Plan:
    """A plan for the target `shop`; what it adds stays for `hours`."""
    networks = tuple(map(ip_network, add))
    entries = tuple(Entry(one, at, at + hours * HOUR, 1, score) for one in networks)
    change = Change("shop", networks, tuple(map(ip_network, remove)), 0, {}, entries)
    return Plan.of(Window(at - HOUR, at), at, (change,), (), 0.0)


def scored(plan: Plan, scores: Sequence[float]) -> Plan:
    """The same plan, its additions with these scores in order."""
    (change,) = plan.changes
    entries = tuple(
        replace(one, candidate_score=score)
        for one, score in zip(change.entries, scores, strict=True)
    )
    return replace(plan, changes=(replace(change, entries=entries),))


@contextmanager
def refusing(
    ip_set: IpSet, operation: str, code: str, times: int, status: int = 400
) -> Iterator[None]:
    """AWS answers the next calls of an operation with an error."""
    left = [times]

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if not left[0]:
            return None
        left[0] -= 1
        return AWSResponse(request.url, status, {"x-amzn-errortype": code}, _Body(code))

    events = ip_set._client.meta.events
    name = f"before-send.wafv2.{operation}"
    events.register(name, answer)
    yield
    events.unregister(name, answer)
    assert left == [0]


class _Body:
    def __init__(self, code: str) -> None:
        self._text = f'{{"__type": "{code}", "message": "not now"}}'.encode()

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._text
