"""Reads alerts.yaml: who is told (channels) and of what (rules). docs/channels.md shows one.

Without the file, every kind of channel is a folder of the outbox that gets what would be sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bartizan.described import Described, check, read
from bartizan.dispatch.channels import KINDS, SHAPES
from bartizan.dispatch.channels.base import Channel, Site
from bartizan.dispatch.channels.folder import FolderOptions
from bartizan.dispatch.context import Context
from bartizan.dispatch.rules import EVERYTHING, Rule
from bartizan.errors import ConfigError

ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


class _Rule(Described):
    detectors: Annotated[list[str], Field(min_length=1)] | None = None
    channels: Annotated[list[str], Field(min_length=1)] | None = None
    min_severity: Annotated[float, Field(ge=0, le=100)] | None = None

    def as_rule(self) -> Rule:
        return Rule(
            None if self.detectors is None else frozenset(self.detectors),
            None if self.channels is None else frozenset(self.channels),
            self.min_severity,
        )


class _AlertsFile(Described):
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")] = Context.account_id
    region: str = Context.region
    product: Annotated[str, Field(min_length=1, max_length=128)] = Context.product
    console_url: Annotated[str, Field(pattern=r"^https?://\S+$")] = Context.console_url
    channels: Annotated[dict[ChannelName, dict[str, Any]], Field(min_length=1)]
    rules: list[_Rule] = Field(default_factory=list)


@dataclass(frozen=True)
class Alerts:
    """Channels by name, the rules over them, and who sends."""

    channels: Mapping[str, Channel]
    rules: tuple[Rule, ...]
    context: Context


def read_alerts(path: Path | None, site: Site, detectors: Collection[str]) -> Alerts:
    """The alerts of a file, or the outbox folders without one.

    Raises ConfigError that names file, key, value and remedy. Nothing is connected to, and no
    secret is read yet.
    """
    if path is None:
        folders = {name: FolderOptions(kind="folder", of=name).open(site) for name in SHAPES}
        return Alerts(folders, EVERYTHING, Context())
    found = read(path, _AlertsFile)
    channels = {
        name: _open(f"{path}: channels.{name}", options, site)
        for name, options in found.channels.items()
    }
    for position, rule in enumerate(found.rules):
        key = f"{path}: rules[{position}]"
        _known(f"{key}.channels", rule.channels, channels)
        _known(f"{key}.detectors", rule.detectors, detectors)
    return Alerts(
        channels,
        tuple(rule.as_rule() for rule in found.rules) or EVERYTHING,
        Context(found.account_id, found.region, found.product, found.console_url.rstrip("/")),
    )


def _open(key: str, options: Mapping[str, Any], site: Site) -> Channel:
    kind = options.get("kind")
    if kind not in KINDS:
        problem = "is missing" if kind is None else f"{kind!r} is unknown"
        raise ConfigError(f"{key}.kind", problem, f"write one of {', '.join(KINDS)}")
    return check(options, key, KINDS[kind]).open(site)


def _known(key: str, names: list[str] | None, known: Collection[str]) -> None:
    for name in names or ():
        if name not in known:
            raise ConfigError(key, f"{name!r} is unknown", f"known: {', '.join(sorted(known))}")
