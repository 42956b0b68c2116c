"""A learning that several processes share: a folder beside the states of the detector.

    learning_<day>_<digest>/plan.json          what all shares must know
                            outline/           the state, whole but for the parts of its series
                            keys_<n>.parquet   the series of a share, a row group for each shard
                            rows_<n>.parquet   their rows, likewise
                            share_<n>/         what was learned of them

The day is that of the end of what is learned from, the digest is of all that the learning depends
on: what was learned by one plan is never taken for a share of another. The folder, and that of a
share, are there when they are whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
from upath import UPath

from bartizan.detect.categories import Categories
from bartizan.detect.fit import Fitted, fit_shard, put_together
from bartizan.detect.fitted_file import load_fitted, save_fitted
from bartizan.detect.learn import Outline, completed, learned_from
from bartizan.detect.panel import Rows
from bartizan.detect.parts import read_group, write
from bartizan.detect.series import groups_of
from bartizan.detect.shards import each_shard
from bartizan.detect.special import excluded
from bartizan.detect.state import VERSION, DetectorState
from bartizan.detect.survey import survey
from bartizan.errors import ConfigError, UsageError
from bartizan.model.connector import Connector

_PREFIX = "learning_"
_SHARE = re.compile(rf"({_PREFIX}\d{{8}}_[0-9a-f]{{16}})_(\d+)of(\d+)")
_AGAIN = "plan the learning again"


@dataclass(frozen=True)
class Share:
    """One of the shares of a plan, from 1 on."""

    plan: UPath
    number: int
    of: int

    @property
    def name(self) -> str:
        """Tells it from the shares of any other plan of the detector."""
        return f"{self.plan.name}_{self.number}of{self.of}"

    @property
    def learned(self) -> UPath:
        return self.plan / f"share_{self.number}"


def place_of_plan(folder: UPath, learned_end: datetime, known: Sequence[str]) -> UPath:
    """Where the plan is, in the folder of the detector, of a learning that depends on what is
    `known`."""
    digest = sha256("\n".join([str(VERSION), *known]).encode()).hexdigest()
    return folder / f"{_PREFIX}{learned_end:%Y%m%d}_{digest[:16]}"


def learned_end(plan: UPath) -> datetime:
    """The end of what the plan is to learn from."""
    return datetime.strptime(plan.name[len(_PREFIX) :][:8], "%Y%m%d").replace(tzinfo=UTC)


def named_share(folder: UPath, name: str) -> Share:
    """The share of that name. Raises UsageError for what is no such name."""
    found = _SHARE.fullmatch(name)
    if not found:
        raise UsageError("share", f"{name!r} is none", "take the names that the plan has")
    plan, number, of = found.groups()
    return Share(folder / plan, int(number), int(of))


def shares_of(plan: UPath) -> list[Share]:
    """All shares of a plan, in order; none where there is no plan."""
    of = len(list(plan.glob("rows_*.parquet")))
    return [Share(plan, number, of) for number in range(1, of + 1)]


def save_plan(plan: UPath, outline: Outline, most: int) -> list[Share]:
    """Write down what is needed to learn shares of so many shards each; returns them."""
    rows, fresh = outline.rows, plan.with_name(f"{plan.name}.{uuid4().hex}")
    outline.state.save(fresh / "outline")
    runs = [range(first, min(first + most, rows.shards)) for first in range(0, rows.shards, most)]
    for number, run in enumerate(runs, start=1):
        write(fresh / f"keys_{number}.parquet", [_keys(rows, shard) for shard in run])
        write(fresh / f"rows_{number}.parquet", [_rows(rows, shard) for shard in run])
    facts = {
        "made_for": _made_for(rows.connector),
        "shards": [len(run) for run in runs],
        "size": rows.size,
        "tests": outline.state.tests,
        "times": rows.times.astype(np.int64).tolist(),
        "covered": rows.covered.tolist(),
        "categories": [one and _categories_json(one) for one in outline.categories],
    }
    (fresh / "plan.json").write_text(json.dumps(facts))
    fresh.rename(plan)
    return shares_of(plan)


def learn_share(share: Share, connector: Connector) -> None:
    """Learn it, unless that was done. Raises ConfigError when its plan is not there any more, or
    was made for the connector as it was."""
    facts = _facts(share.plan, connector)
    if share.learned.exists():
        return
    first, categories = sum(facts["shards"][: share.number - 1]), _categories(facts)

    def fit(shard: int) -> Fitted:
        rows = _one_shard(share, shard, (first + shard) * facts["size"], facts, connector)
        panel = learned_from(rows, excluded(rows.keys, rows.times, connector), 0)
        found = survey(panel, connector, groups_of(rows.keys)[1])
        return fit_shard(panel, found, categories, connector, facts["tests"])

    fresh = share.learned.with_suffix(f".{uuid4().hex}")
    save_fitted(fresh, put_together(each_shard(fit, facts["shards"][share.number - 1])))
    fresh.rename(share.learned)


def joined(plan: UPath, connector: Connector) -> DetectorState:
    """The state of all shares. Raises ConfigError when one of them, or the plan, is not there."""
    facts, found = _facts(plan, connector), []
    for share in shares_of(plan):
        if not share.learned.exists():
            raise ConfigError(share.name, "was not learned yet", "learn it before they are joined")
        found.append(load_fitted(share.learned, _categories(facts)))
    times = np.array(facts["times"], dtype="datetime64[us]")
    return completed(DetectorState.load(plan / "outline"), times, put_together(found))


def plans_of(folder: UPath, end: datetime) -> list[UPath]:
    """The whole plans of the detector of learnings with that end."""
    return [plan for plan in folder.glob(f"{_PREFIX}{end:%Y%m%d}_*") if not plan.suffix]


def remove_plans(folder: UPath, until: datetime, but: Collection[UPath] = ()) -> None:
    """Remove plans, whole or not, of learnings up to that end; those of later days stay."""
    names = {plan.name for plan in but}
    for plan in folder.glob(f"{_PREFIX}*"):
        if learned_end(plan) <= until and plan.name not in names:
            with suppress(FileNotFoundError):  # another process removes it too
                plan.fs.rm(str(plan), recursive=True)


def _made_for(connector: Connector) -> str:
    return sha256(f"{VERSION} {connector!r}".encode()).hexdigest()


def _facts(plan: UPath, connector: Connector) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((plan / "plan.json").read_text())
    except FileNotFoundError as error:
        raise ConfigError(str(plan), "is not there any more", _AGAIN) from error
    if facts["made_for"] != _made_for(connector):
        raise ConfigError(str(plan), f"{connector.name} is another since then", _AGAIN)
    return facts


def _categories_json(found: Categories) -> dict[str, Any]:
    return {"rows": found.rows.tolist(), "group": found.group.tolist(), "alone": found.alone}


def _categories(facts: dict[str, Any]) -> list[Categories | None]:
    return [
        one and Categories(np.array(one["rows"]), np.array(one["group"]), one["alone"])
        for one in facts["categories"]
    ]


def _keys(rows: Rows, shard: int) -> pa.Table:
    keys = rows.keys.iloc[rows.span(shard)]
    return pa.table({name: pa.array(keys[name], pa.string()) for name in keys})


def _rows(rows: Rows, shard: int) -> pa.Table:
    span = slice(rows.starts[shard], rows.starts[shard + 1])
    values = rows.values.iloc[span]
    columns = {"cell": pa.array(rows.cell[span])}
    for name in values:
        kind = pa.string() if name in rows.connector.text_columns else pa.float64()
        columns[f"value.{name}"] = pa.array(values[name], kind)
    return pa.table(columns)


def _one_shard(
    share: Share, shard: int, first: int, facts: dict[str, Any], connector: Connector
) -> Rows:
    """The rows of a shard of the share, whose first series has the position `first`."""
    keys = read_group(share.plan / f"keys_{share.number}.parquet", shard).to_pandas()
    table = read_group(share.plan / f"rows_{share.number}.parquet", shard)
    values = {name: table[f"value.{name}"].to_pandas() for name in connector.value_columns}
    return Rows(
        connector,
        keys.set_axis(range(first, first + len(keys))),
        np.array(facts["times"], dtype="datetime64[us]"),
        np.array(facts["covered"], dtype=np.bool_),
        len(keys),
        table["cell"].to_numpy(),
        pd.DataFrame(values),
        np.array([0, len(table)]),
    )
