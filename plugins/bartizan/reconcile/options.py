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

from pydantic import ConfigDict, model_validator

from bartizan.described import Described, read, wrong
from bartizan.errors import UsageError
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
            names=read(Path(file), _Names).__pydantic_extra__ if file else {},
            tolerance=Tolerance(
                share=_number(env, "BARTIZAN_RECONCILE_SHARE", Tolerance.share),
                requests=int(_number(env, "BARTIZAN_RECONCILE_REQUESTS", Tolerance.requests)),
            ),
        )


class _Names(Described):
    """Metric names by web ACL ARN: every key is one."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    @model_validator(mode="after")
    def _keys_are_arns(self) -> _Names:
        for arn in self.__pydantic_extra__:
            if webacl(arn) is None:
                raise wrong(f"{arn!r} is no ARN of a web ACL", "copy it from a log")
        return self


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(name, f"{text!r} is not a number from 0 on", f"write {default}")
    return value
