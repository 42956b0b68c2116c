"""Reads alerts.yaml: who is told (channels) and of what (rules). docs/channels.md shows one.

Without the file, every kind of channel is a folder of the outbox that gets what would be sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bartizan.described import Described, check, parse, read
from bartizan.dispatch.channels import KINDS, SHAPES
from bartizan.dispatch.channels.base import Channel, Site
from bartizan.dispatch.channels.folder import CONFIRMATIONS, DIGESTS, PEOPLE, FolderOptions
from bartizan.dispatch.context import Context
from bartizan.dispatch.rulebook import EVERYTHING, CatchUp, Flapping, Quiet, Rule
from bartizan.dispatch.rules_file import (
    CatchUpBlock,
    FlappingBlock,
    HealthBlock,
    QuietBlock,
    RuleBlock,
    ScopeBlock,
)
from bartizan.errors import ConfigError
from bartizan.model.health import HEALTH
from bartizan.model.period import Period
from bartizan.model.window import parse_duration

ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


class _AlertsFile(Described):
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")] = Context.account_id
    region: str = Context.region
    product: Annotated[str, Field(min_length=1, max_length=128)] = Context.product
    console_url: Annotated[str, Field(pattern=r"^https?://\S+$")] = Context.console_url
    channels: Annotated[dict[ChannelName, dict[str, Any]], Field(min_length=1)]
    rules: list[RuleBlock] = Field(default_factory=list)
    quiet: list[QuietBlock] = Field(default_factory=list)
    flapping: FlappingBlock = FlappingBlock()
    catch_up: CatchUpBlock | None = CatchUpBlock()
    confirm: list[str] | None = None
    health: HealthBlock = HealthBlock()


@dataclass(frozen=True)
class Alerts:
    """Channels by name, the rules and quiet times over them, and who sends.

    After `late_after` logs are missed; None without a file: then nothing is said of our own health.
    Channels in `digests` get a digest of each period and nothing else; those in `confirms` hear
    who acknowledged or snoozed what they were told of.
    """

    channels: Mapping[str, Channel]
    rules: tuple[Rule, ...]
    quiet: tuple[Quiet, ...]
    context: Context
    late_after: timedelta | None = None
    digests: Mapping[str, Period] = field(default_factory=dict)
    flapping: Flapping | None = None
    confirms: frozenset[str] = frozenset()
    catch_up: CatchUp | None = None


def read_alerts(path: Path | None, site: Site, detectors: Collection[str]) -> Alerts:
    """The alerts of a file, or the outbox folders without one.

    Raises ConfigError that names file, key, value and remedy. Nothing is connected to, and no
    secret is read yet.
    """
    if path is None:
        folders = {name: FolderOptions(kind="folder", of=name).open(site) for name in SHAPES}
        return Alerts(folders, EVERYTHING, (), Context())
    return _alerts(read(path, _AlertsFile), path, site, detectors)


def parse_alerts(text: str, path: Path, site: Site, detectors: Collection[str]) -> Alerts:
    """The alerts of what a file would hold. Raises ConfigError as `read_alerts` does."""
    return _alerts(parse(text, str(path), _AlertsFile), path, site, detectors)


def _alerts(found: _AlertsFile, path: Path, site: Site, detectors: Collection[str]) -> Alerts:
    channels, digests, kinds = {}, {}, {}
    for name, options in found.channels.items():
        key = f"{path}: channels.{name}"
        own = {option: value for option, value in options.items() if option != "digest"}
        channels[name] = _open(key, own, site)
        kinds[name] = options["of"] if options["kind"] == "folder" else options["kind"]
        if "digest" in options:
            digests[name] = _period(f"{key}.digest", kinds[name], options["digest"])
    watched = (*detectors, HEALTH)
    _check(f"{path}: rules", found.rules, channels, watched)
    _check(f"{path}: quiet", found.quiet, channels, watched)
    _known(f"{path}: flapping.channels", found.flapping.channels, channels)
    return Alerts(
        channels,
        tuple(rule.as_rule() for rule in found.rules) or EVERYTHING,
        tuple(one.as_quiet() for one in found.quiet),
        Context(found.account_id, found.region, found.product, found.console_url.rstrip("/")),
        parse_duration(found.health.late_after),
        digests,
        found.flapping.as_flapping(_of_kinds(kinds, PEOPLE)),
        _confirms(f"{path}: confirm", found.confirm, kinds),
        found.catch_up.as_catch_up() if found.catch_up else None,
    )


def _open(key: str, options: Mapping[str, Any], site: Site) -> Channel:
    kind = options.get("kind")
    if kind not in KINDS:
        problem = "is missing" if kind is None else f"{kind!r} is unknown"
        raise ConfigError(f"{key}.kind", problem, f"write one of {', '.join(KINDS)}")
    return check(options, key, KINDS[kind]).open(site)


def _of_kinds(kinds: Mapping[str, str], wanted: Collection[str]) -> frozenset[str]:
    return frozenset(name for name, kind in kinds.items() if kind in wanted)


def _confirms(key: str, names: list[str] | None, kinds: Mapping[str, str]) -> frozenset[str]:
    """Raises ConfigError for a name that is unknown, and for a kind that takes no confirmation."""
    if names is None:
        return _of_kinds(kinds, set(PEOPLE) & set(CONFIRMATIONS))
    _known(key, names, kinds)
    for name in names:
        if kinds[name] not in CONFIRMATIONS:
            kind, known = kinds[name], ", ".join(CONFIRMATIONS)
            raise ConfigError(key, f"{name}: {kind} takes no confirmation", f"use one of {known}")
    return frozenset(names)


def _period(key: str, kind: str, period: str) -> Period:
    """Raises ConfigError for what is no period, and for a kind that takes no digest."""
    if kind not in DIGESTS:
        raise ConfigError(key, f"{kind} takes no digest", f"use one of {', '.join(DIGESTS)}")
    if period not in list(Period):
        raise ConfigError(key, f"{period!r} is unknown", f"write one of {', '.join(Period)}")
    return Period(period)


def _check(
    key: str, blocks: Sequence[ScopeBlock], channels: Collection[str], detectors: Collection[str]
) -> None:
    """Raises ConfigError for the first name of a channel or detector that is unknown."""
    for position, block in enumerate(blocks):
        _known(f"{key}[{position}].channels", block.channels, channels)
        _known(f"{key}[{position}].detectors", block.detectors, detectors)


def _known(key: str, names: list[str] | None, known: Collection[str]) -> None:
    for name in names or ():
        if name not in known:
            raise ConfigError(key, f"{name!r} is unknown", f"known: {', '.join(sorted(known))}")
