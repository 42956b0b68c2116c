"""Reads intel.yaml: the limits of every run, what is never blocked, and the IP sets we manage.

Fail-closed: a list that is missing, empty, wrong or older than allowed raises ConfigError, so there
is no plan and nothing is applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bartizan.described import Described, read, wrong
from bartizan.errors import ConfigError, UsageError
from bartizan.model.intel import IpSetTarget, Mode
from bartizan.model.window import aware, parse_duration
from bartizan.respond.never_block import Layer, NeverBlock, read_ranges
from bartizan.respond.subnets import LOOKED_AT

LARGEST_SET = 10_000  # addresses: AWS WAF's own limit
LONGEST_LISTING = timedelta(days=365)  # by then most addresses have another user

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Limits:
    """What an address must have done, and what a run may do at most.

    Evidence: `min_blocked` requests, `min_breadth` distinct rules or paths, `min_hours` distinct
    hours, `min_blocked_share` of its requests, `min_score` (0-100); an IPv6 subnet also
    `min_addresses` that were stopped. A network is at most as wide as /`widest_ipv4` or
    /`widest_ipv6`. A run adds at most `max_new` networks; a set holds at most
    `max_entries`. `max_blast_radius` is a share of allowed requests. An entry lives for `ttl`,
    times `ttl_growth` for each time it was listed before, and never longer than `max_ttl`.
    """

    min_blocked: int = 100
    min_breadth: int = 2
    min_hours: int = 1
    min_blocked_share: float = 0.9
    min_score: float = 30.0
    min_addresses: int = 8
    widest_ipv4: int = 32
    widest_ipv6: int = 64
    max_new: int = 100
    max_entries: int = LARGEST_SET
    max_blast_radius: float = 0.0001
    ttl: timedelta = timedelta(hours=4)
    ttl_growth: float = 4.0
    max_ttl: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class RespondConfig:
    """The content of intel.yaml; `verified_bots` asks the lake for them as one more layer."""

    targets: tuple[IpSetTarget, ...]
    limits: Limits
    never_block: NeverBlock
    verified_bots: bool


class _Limits(Described):
    min_blocked: Count = Limits.min_blocked
    min_breadth: Count = Limits.min_breadth
    min_hours: Count = Limits.min_hours
    min_blocked_share: Share = Limits.min_blocked_share
    min_score: Annotated[float, Field(ge=0, le=100)] = Limits.min_score
    min_addresses: Annotated[int, Field(ge=LOOKED_AT)] = Limits.min_addresses
    widest_ipv4: Annotated[int, Field(ge=16, le=32)] = Limits.widest_ipv4
    widest_ipv6: Annotated[int, Field(ge=32, le=128)] = Limits.widest_ipv6
    max_new: Count = Limits.max_new
    max_entries: Annotated[int, Field(ge=1, le=LARGEST_SET)] = Limits.max_entries
    max_blast_radius: Share = Limits.max_blast_radius
    ttl: str = "PT4H"
    ttl_growth: Annotated[float, Field(ge=1, le=100)] = Limits.ttl_growth
    max_ttl: str = "P14D"

    @field_validator("ttl", "max_ttl")
    @classmethod
    def _duration(cls, value: str) -> str:
        try:
            parse_duration(value)
        except (UsageError, OverflowError) as error:
            raise wrong(f"{value!r} is not a duration", "write PT4H or P14D") from error
        return value

    @model_validator(mode="after")
    def _grows(self) -> _Limits:
        if parse_duration(self.max_ttl) > LONGEST_LISTING:
            raise wrong(f"max_ttl {self.max_ttl} is longer than a year", "write P14D")
        if parse_duration(self.ttl) > parse_duration(self.max_ttl):
            raise wrong(f"ttl {self.ttl} is longer than max_ttl {self.max_ttl}", "raise max_ttl")
        return self

    def limits(self) -> Limits:
        spans = {"ttl": parse_duration(self.ttl), "max_ttl": parse_duration(self.max_ttl)}
        return Limits(**{**self.model_dump(), **spans})


class _Ranges(Described):
    """One layer: ranges written here, and files with one network a line. `fresh_for` is how old
    a file may be."""

    ranges: list[str] = Field(default_factory=list)
    files: list[str] = Field(default_factory=list)
    fresh_for: str = "P30D"


class _NeverBlock(Described):
    own_egress: _Ranges
    cdn_and_proxies: _Ranges
    partners: _Ranges
    verified_bots: bool = True
    documentation_ranges: bool = True


ExternalId = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9+=,.@:/_-]+$", min_length=2, max_length=1224)
]


class _Target(Described):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    ip_set_name: Annotated[str, Field(pattern=r"^[\w-]{1,128}$")]
    scope: Literal["REGIONAL", "CLOUDFRONT"]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")]
    role_arn: Annotated[str, Field(pattern=r"^arn:[a-z-]+:iam::\d{12}:role/\S+$")] | None = None
    external_id: ExternalId | None = None
    version: Literal[4, 6]
    mode: Literal["off", "dry-run", "count", "block"] = "dry-run"

    @field_validator("mode", mode="before")
    @classmethod
    def _unquoted(cls, value: object) -> object:
        return "off" if value is False else value  # what YAML makes of `mode: off`

    @model_validator(mode="after")
    def _global_scope(self) -> _Target:
        if self.scope == "CLOUDFRONT" and self.region != "us-east-1":
            raise wrong(f"CLOUDFRONT in {self.region}", "AWS WAF keeps that scope in us-east-1")
        return self

    def target(self) -> IpSetTarget:
        return IpSetTarget(**{**self.model_dump(), "mode": Mode(self.mode)})


class _IntelFile(Described):
    never_block: _NeverBlock
    limits: _Limits = _Limits()
    targets: Annotated[list[_Target], Field(min_length=1)]

    @field_validator("targets")
    @classmethod
    def _named_once(cls, value: list[_Target]) -> list[_Target]:
        names = [target.name for target in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise wrong(f"{twice[0]!r} is there twice", "rename one")
        sets = [(one.account_id, one.region, one.scope, one.ip_set_name) for one in value]
        if twice_set := sorted({one for one in sets if sets.count(one) > 1}):
            raise wrong(f"{'/'.join(twice_set[0])} is there twice", "an IP set has one target")
        return value


def read_config(path: Path, now: datetime) -> RespondConfig:
    """The content of intel.yaml, its range files read. Files are named from its folder.

    Raises ConfigError that names file, key, value and remedy.
    """
    found = read(path, _IntelFile)
    kept = found.never_block
    layers = [
        _layer(path, "own egress", "own_egress", kept.own_egress, now),
        _layer(path, "CDN or proxy", "cdn_and_proxies", kept.cdn_and_proxies, now),
        _layer(path, "partner", "partners", kept.partners, now),
    ]
    return RespondConfig(
        tuple(target.target() for target in found.targets),
        found.limits.limits(),
        NeverBlock.of(layers, kept.documentation_ranges),
        kept.verified_bots,
    )


def _layer(path: Path, name: str, key: str, written: _Ranges, now: datetime) -> Layer:
    where = f"{path}: never_block.{key}"
    try:
        oldest = aware(now) - parse_duration(written.fresh_for)
    except (UsageError, OverflowError) as error:
        problem = f"{written.fresh_for!r} is not a duration"
        raise ConfigError(f"{where}.fresh_for", problem, "write P30D") from error
    networks = list(read_ranges(written.ranges, f"{where}.ranges"))
    for file in written.files:
        networks += read_ranges(_lines(path.parent / file, where, oldest), str(file))
    return Layer(name, tuple(networks))


def _lines(file: Path, where: str, oldest: datetime) -> list[str]:
    """The lines of a range file. Raises ConfigError when it is old, empty or cannot be read."""
    try:
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(where, f"{file} cannot be read: {error}", "write it") from error
    if changed < oldest:
        raise ConfigError(
            where, f"{file} is of {changed:%Y-%m-%d}", "fetch it anew or raise fresh_for"
        )
    if not any(line.partition("#")[0].strip() for line in lines):
        raise ConfigError(where, f"{file} is empty", "write its ranges or do not name it")
    return lines
