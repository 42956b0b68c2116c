"""Which series the rows belong to: the combinations of their dimension values, numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.detect.values import Integers

_MOST = 2**62  # combinations that an integer can number


def number_series(
    frame: pd.DataFrame, names: Sequence[str], known: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, Integers]:
    """All series (columns `names`) and, for each row of the frame, the position of its series.

    `known` series, no duplicates, come first and in their order; the others follow in the order of
    their dimension values. Without names there is one series, of no dimension.
    """
    if not names:
        return pd.DataFrame(index=range(1)), np.zeros(len(frame), dtype=np.int64)
    columns = list(names)
    rows = frame[columns] if known is None else pd.concat([known[columns], frame[columns]])
    before = 0 if known is None else len(known)
    code = _codes(rows)
    number, codes = pd.factorize(code)  # in order of appearance, so the known ones come first
    first = np.empty(len(codes), dtype=np.int64)
    first[number[::-1]] = np.arange(len(rows) - 1, -1, -1)
    new = before + np.argsort(codes[before:])
    place = np.concatenate([np.arange(before), np.empty(len(new), dtype=np.int64)])
    place[new] = np.arange(before, len(codes))
    first = np.concatenate([first[:before], first[new]])
    return rows.take(first).astype("str").reset_index(drop=True), place[number[before:]]


def groups_of(keys: pd.DataFrame) -> tuple[pd.Index, Integers]:
    """Names of the groups of peers, in order, and the number of the group of each series.

    Peers have the first of several dimensions in common; of fewer, all series are peers.
    """
    if len(keys.columns) < 2:
        return pd.Index([""]), np.zeros(len(keys), dtype=np.int64)
    numbers, names = pd.factorize(keys[keys.columns[0]], sort=True)
    return pd.Index(names), numbers.astype(np.int64)


def group_numbers(keys: pd.DataFrame, groups: pd.Index) -> Integers:
    """The number of the group of each series among `groups` of `groups_of`, -1 for another one."""
    if len(keys.columns) < 2:
        return np.zeros(len(keys), dtype=np.int64)
    numbers: Integers = groups.get_indexer(keys[keys.columns[0]]).astype(np.int64)
    return numbers


def in_order(keys: pd.DataFrame) -> Integers:
    """Positions of the series by the order of their dimension values."""
    return np.argsort(_codes(keys), kind="stable") if len(keys.columns) else np.arange(len(keys))


def _codes(rows: pd.DataFrame) -> Integers:
    """A number for each row: equal rows have equal ones, and their order is that of the rows."""
    code, size = np.zeros(len(rows), dtype=np.int64), 1
    for name in rows.columns:
        rank, ranks = _ranks(rows[name])
        if size * ranks > _MOST:
            code = np.unique(code, return_inverse=True)[1]
            size = int(code.max(initial=0)) + 1
        code, size = code * ranks + rank, size * ranks
    return code


def _ranks(column: pd.Series) -> tuple[Integers, int]:
    """Where each value stands among the column's values in order, and how many there are."""
    values = pa.array(column)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not isinstance(values, pa.DictionaryArray):
        values = values.cast(pa.large_string()).dictionary_encode()
    order = pc.sort_indices(values.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[values.indices.to_numpy()], max(len(order), 1)
