"""What an installation sets about reconciliation, parsed once from the environment.

BARTIZAN_RECONCILE            `cloudwatch` lets the DAG ask AWS   (default: off)
BARTIZAN_RECONCILE_ROLE       role to assume, `{account}` in it   (default: the credentials found)
BARTIZAN_RECONCILE_NAMES      YAML file: web ACL ARN -> value of the metrics' WebACL dimension
BARTIZAN_RECONCILE_SHARE      difference that is no difference, as a part of the count (0.005)
BARTIZAN_RECONCILE_REQUESTS   the same in requests; the larger of both counts          (5)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bartizan.errors import ConfigError, UsageError
from bartizan.reconcile.webacl import webacl

CLOUDWATCH = "cloudwatch"


@dataclass(frozen=True)
class Tolerance:
    """A difference is none up to `requests`, or up to `share` of what was counted."""

    share: float = 0.005
    requests: int = 5

    def allows(self, difference: int, counted: int) -> bool:
        return abs(difference) <= max(self.requests, self.share * counted)


@dataclass(frozen=True)
class Options:
    """`names` maps web ACL ARNs to metric names; `role` is an ARN, empty for none."""

    enabled: bool = False
    role: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    tolerance: Tolerance = Tolerance()

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Options:
        """Raises UsageError for a value that cannot be, ConfigError for the file of names."""
        source = env.get("BARTIZAN_RECONCILE", "")
        if source not in ("", CLOUDWATCH):
            raise UsageError(
                "BARTIZAN_RECONCILE", f"{source!r} is unknown", f"write {CLOUDWATCH}, or leave out"
            )
        file = env.get("BARTIZAN_RECONCILE_NAMES", "")
        return cls(
            enabled=source == CLOUDWATCH,
            role=env.get("BARTIZAN_RECONCILE_ROLE", ""),
            names=read_names(Path(file)) if file else {},
            tolerance=Tolerance(
                share=_number(env, "BARTIZAN_RECONCILE_SHARE", Tolerance.share),
                requests=int(_number(env, "BARTIZAN_RECONCILE_REQUESTS", Tolerance.requests)),
            ),
        )


def read_names(path: Path) -> dict[str, str]:
    """Metric names by web ACL ARN. Raises ConfigError."""
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}", "correct the file") from error
    if not isinstance(names, dict) or not all(
        isinstance(text, str) for pair in names.items() for text in pair
    ):
        raise ConfigError(str(path), "does not map ARNs to names", "write `<web ACL ARN>: <name>`")
    for arn in names:
        if webacl(arn) is None:
            raise ConfigError(f"{path}: {arn!r}", "is no ARN of a web ACL", "copy it from a log")
    return names


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(name, f"{text!r} is not a number from 0 on", f"write {default}")
    return value
