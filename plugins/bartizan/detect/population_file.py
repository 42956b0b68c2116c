"""The populations of a detector as a Parquet file: a row per group, one for groups never seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from bartizan.detect.arrays import from_columns, to_columns
from bartizan.detect.heavy_tail import HeavyTail
from bartizan.detect.newcomers import Newcomers
from bartizan.detect.parts import read, write
from bartizan.detect.population import Kind, Population, Typical

if TYPE_CHECKING:
    from upath import UPath

_FILE = "populations.parquet"


def save_populations(
    folder: UPath, groups: pd.Index, populations: Sequence[Population | None]
) -> None:
    """Write those of all measures. Equal ones give equal bytes."""
    columns = {"group": pa.array([*groups, None], pa.string())}
    for number, population in enumerate(populations):
        for place, kind in enumerate(population.kinds if population else ()):
            columns |= to_columns(kind.typical, f"{number}.{place}")
    text = json.dumps([_facts(one) if one else None for one in populations])
    write(folder / _FILE, [pa.table(columns).replace_schema_metadata({"bartizan": text})])


def load_populations(folder: UPath) -> tuple[pd.Index, list[Population | None]]:
    """The groups and the populations of the measures, in their order."""
    table = pa.concat_tables(read(folder / _FILE))
    facts = json.loads((table.schema.metadata or {})[b"bartizan"])
    groups = pd.Index(table.column("group").to_pandas()[:-1])
    return groups, [
        _population(about, table, number) if about else None for number, about in enumerate(facts)
    ]


def _facts(population: Population) -> dict[str, Any]:
    kinds = [
        {"newcomers": asdict(one.newcomers), "peaks": asdict(one.peaks) if one.peaks else None}
        for one in population.kinds
    ]
    return {"allowed": population.allowed, "kinds": kinds}


def _population(about: dict[str, Any], table: pa.Table, number: int) -> Population:
    kinds = (
        _kind(one, from_columns(Typical, table, f"{number}.{place}"))
        for place, one in enumerate(about["kinds"])
    )
    return Population(about["allowed"], tuple(kinds))


def _kind(about: dict[str, Any], typical: Typical) -> Kind:
    newcomers = about["newcomers"]
    first = Newcomers(**newcomers | {"largest": _tail(newcomers["largest"])})
    return Kind(first, _tail(about["peaks"]), typical)


def _tail(about: dict[str, float] | None) -> HeavyTail | None:
    return HeavyTail(**about) if about else None
