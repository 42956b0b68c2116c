"""A query of CloudWatch: which metrics, told apart by which dimensions, in what periods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bartizan.described import Described, wrong
from bartizan.model.connector import NAME
from bartizan.model.window import parse_duration

TIMESTAMP = "timestamp"
_STATISTIC = re.compile(r"Sum|SampleCount|Average|Minimum|Maximum|p\d{1,2}(\.\d{1,10})?|p100")
_COUNTS = ("Sum", "SampleCount")


def _column(value: str) -> str:
    if not NAME.fullmatch(value):
        raise wrong(f"{value!r} is no column name", "use 1-63 letters, digits, - and _")
    return value


def _statistic(value: str) -> str:
    if not _STATISTIC.fullmatch(value):
        raise wrong(
            f"{value!r} is unknown", "write Sum, SampleCount, Average, Minimum, Maximum or p95"
        )
    return value


Column = Annotated[str, AfterValidator(_column)]
Text = Annotated[str, Field(min_length=1, max_length=1024)]


class CloudWatchQuery(Described):
    """The content of query.cloudwatch.yaml.

    `metrics` and `dimensions` name CloudWatch's by column. A series must have exactly the
    dimensions of `dimensions` and `where`, but for those in `absent`, which it may lack: then it
    counts as having the value given there. `regions` None means the connection's.
    """

    namespace: Text
    metrics: Annotated[dict[Column, Text], Field(min_length=1)]
    statistic: Annotated[str, AfterValidator(_statistic)] = "Sum"
    period: Literal["PT1M", "PT5M", "PT10M", "PT15M", "PT1H", "P1D"]
    dimensions: dict[Column, Text] = Field(default_factory=dict)
    where: dict[Text, Annotated[list[Text], Field(min_length=1)]] = Field(default_factory=dict)
    absent: dict[Text, Text] = Field(default_factory=dict)
    fill: Literal["zero", "none"] | None = None
    regions: Annotated[list[Text], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _columns_differ(self) -> CloudWatchQuery:
        names = [TIMESTAMP, *self.dimensions, *self.metrics]
        if twice := [name for name in names if names.count(name) > 1]:
            raise wrong(f"column {twice[0]!r} is named twice", "give each column one role")
        if unknown := sorted(self.absent.keys() - self.dimension_names):
            raise wrong(
                f"absent names {unknown[0]!r}, which is no dimension of the query",
                f"name one of {', '.join(sorted(self.dimension_names))}",
            )
        return self

    @model_validator(mode="after")
    def _zero_is_a_count(self) -> CloudWatchQuery:
        if self.fill == "zero" and self.statistic not in _COUNTS:
            raise wrong(
                f"fill: zero with {self.statistic}, which is no value without a datapoint",
                "write fill: none",
            )
        return self

    @property
    def dimension_names(self) -> frozenset[str]:
        """CloudWatch's names of all dimensions of a series."""
        return frozenset({*self.dimensions.values(), *self.where})

    @property
    def fills_zeros(self) -> bool:
        """Whether a period without a datapoint is 0: usual of counts."""
        return self.fill == "zero" or (self.fill is None and self.statistic in _COUNTS)

    @property
    def step(self) -> timedelta:
        return parse_duration(self.period)

    def value(self, dimensions: Mapping[str, str], name: str) -> str:
        """The value of a series' dimension, or what stands for its absence."""
        return dimensions[name] if name in dimensions else self.absent[name]

    def takes(self, dimensions: Mapping[str, str]) -> bool:
        """Whether a series is one of those asked for."""
        names = self.dimension_names
        if dimensions.keys() - names or names - dimensions.keys() - self.absent.keys():
            return False
        return all(self.value(dimensions, name) in texts for name, texts in self.where.items())
