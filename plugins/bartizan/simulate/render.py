"""From flows to the log lines of each 5-minute delivery: columns first, text last."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from bartizan.simulate.flows import Flow
from bartizan.simulate.pools import Fragments, Pool
from bartizan.simulate.seasons import SLOTS
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import Site
from bartizan.simulate.verdicts import SOLVED_AT, Verdict

SLOT_MS = 300_000
_LATE_SHARE = 0.002  # delivered with the next 5 minutes
_SOLVED_BEFORE_S = 120

Column = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Columns:
    """One record a row, in order of delivery; the last three index the pools of the day."""

    delivery: Column
    timestamp_ms: Column
    flow: Column
    client: Column
    request: Column


def delivered_lines(
    site: Site, flows: Sequence[Flow], seed: int, day: date
) -> Iterator[tuple[int, list[str]]]:
    """(slot of the day, lines without line end) for every 5 minutes that have records.

    Lines are not sorted by time, and a few come one delivery late, as AWS delivers them.
    """
    verdicts = [flow.verdict for flow in flows]
    clients, client_starts = _joined([flow.clients for flow in flows])
    requests, request_starts = _joined([flow.requests for flow in flows])
    parts = [
        drawn_records(site, flow, seed, day) + np.array([[0], [0], [number], [client], [request]])
        for number, (flow, client, request) in enumerate(
            zip(flows, client_starts, request_starts, strict=True)
        )
    ]
    columns = _in_order_of_delivery(
        np.concatenate(parts, axis=1), generator(seed, "order", site.webacl, day.toordinal())
    )
    bounds = np.searchsorted(columns.delivery, np.arange(SLOTS + 1))
    for slot in np.flatnonzero(np.diff(bounds)).tolist():
        rows = slice(int(bounds[slot]), int(bounds[slot + 1]))
        ids = _request_ids(site, columns.timestamp_ms[rows], seed, day, slot)
        lines = _lines(columns, rows, ids, verdicts=verdicts, clients=clients, requests=requests)
        yield slot, lines


def _joined(pools: Sequence[Pool]) -> tuple[list[Fragments], list[int]]:
    """All items of the distinct pools in one list, and where each pool starts in it."""
    items: list[Fragments] = []
    starts: dict[Pool, int] = {}
    for pool in pools:
        if pool not in starts:
            starts[pool] = len(items)
            items.extend(pool.items)
    return items, [starts[pool] for pool in pools]


def drawn_records(site: Site, flow: Flow, seed: int, day: date) -> Column:
    """The records of one flow, one a column.

    Rows: slot of delivery, time in ms since 1970, 0, indices of the flow's clients and requests.
    """
    midnight_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    slots = np.repeat(np.arange(SLOTS), flow.counts(seed, site, day))
    count = len(slots)
    rng = generator(seed, "records", site.webacl, flow.name, day.toordinal())
    late = slots + (rng.random(count) < _LATE_SHARE)
    return np.stack(
        [
            np.minimum(late, SLOTS - 1),
            midnight_ms + slots * SLOT_MS + rng.integers(0, SLOT_MS, count),
            np.zeros(count, dtype=np.int64),
            flow.clients.draw(rng, count),
            flow.requests.draw(rng, count),
        ]
    )


def _in_order_of_delivery(table: Column, rng: np.random.Generator) -> _Columns:
    """Records of one delivery stand together, shuffled."""
    shuffled = rng.permutation(table.shape[1])
    order = shuffled[np.argsort(table[0, shuffled], kind="stable")]
    return _Columns(*table[:, order])


def _lines(
    columns: _Columns,
    rows: slice,
    request_ids: Sequence[str],
    *,
    verdicts: Sequence[Verdict],
    clients: Sequence[Fragments],
    requests: Sequence[Fragments],
) -> list[str]:
    lines = []
    for time, flow, client, request, request_id in zip(
        columns.timestamp_ms[rows].tolist(),
        columns.flow[rows].tolist(),
        columns.client[rows].tolist(),
        columns.request[rows].tolist(),
        request_ids,
        strict=True,
    ):
        verdict = verdicts[flow]
        address, client_head, version, host, client_end = clients[client]
        target, method, body = requests[request]
        line = (
            f'{{"timestamp":{time}{verdict.head}{address if verdict.rated else ""}{verdict.middle}'
            f"{address}{client_head}{target}{version}{method}{request_id}{host}"
            f"{verdict.labels}{client_end}{verdict.responses}{body}}}"
        )
        if verdict.solved:
            line = line.replace(SOLVED_AT, str(time // 1000 - _SOLVED_BEFORE_S))
        lines.append(line)
    return lines


def _request_ids(site: Site, times_ms: Column, seed: int, day: date, slot: int) -> list[str]:
    """Request ids in the form of the site's source."""
    count = len(times_ms)
    rng = generator(seed, "ids", site.webacl, day.toordinal(), slot)
    if site.source == "CF":
        text = base64.urlsafe_b64encode(rng.bytes(42 * count)).decode()
        return [f"{text[i : i + 54]}==" for i in range(0, 56 * count, 56)]
    if site.source == "APIGW":
        text = base64.urlsafe_b64encode(rng.bytes(12 * count)).decode()
        return [f"{text[i : i + 15]}=" for i in range(0, 16 * count, 16)]
    text = rng.bytes(16 * count).hex()
    starts = range(0, 32 * count, 32)
    if site.source == "ALB":
        seconds = (times_ms // 1000).tolist()
        return [f"1-{s:08x}-{text[i : i + 24]}" for s, i in zip(seconds, starts, strict=True)]
    return [
        f"{text[i : i + 8]}-{text[i + 8 : i + 12]}-4{text[i + 13 : i + 16]}"
        f"-a{text[i + 17 : i + 20]}-{text[i + 20 : i + 32]}"
        for i in starts
    ]
