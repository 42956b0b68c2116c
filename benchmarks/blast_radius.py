"""What share of a week's allowed requests 10,001 networks would have blocked, over 10 million.

    python benchmarks/blast_radius.py [--requests N]

The lake of the requests is made first, of 1.2 million clients, IPv4 and IPv6, a few of them busy.
The peer does the same with what Python users have at hand: pandas counts the allowed requests of
each client, the ipaddress module finds the networks of each. Both must count the same, or the bench
fails.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.config import PROJECT
from bartizan.engines import DuckDBEngine
from bartizan.lake import Lake, add_files
from bartizan.lake.schemas import REQUESTS
from bartizan.model.intel import Network
from bartizan.model.window import HOUR, Window, naive
from bartizan.respond.blast import simulate
from tables import show

WEEK = Window(datetime(2026, 11, 13, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
V4, V6, HOSTS, WIDE = 1_000_000, 200_000, 10_000, "1.2.0.0/16"
BLOCKED = 0.1  # of the requests
REPEATS = 3

Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=10_000_000)
    requests = parser.parse_args().requests
    clients = _clients(np.random.default_rng(1))
    chosen = [*clients[: HOSTS - 100], *clients[-100:]]
    networks = [ip_network(one) for one in chosen] + [ip_network(WIDE)]
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake.open(Path(folder))
        files = _land(lake, pa.array(clients), requests)
        engine, queries = DuckDBEngine(lake), PROJECT / "include" / "sql" / "intel"
        ours, own = _timed(lambda: simulate(engine, networks, WEEK, queries))
        theirs, other = _timed(lambda: _by_pandas(files, networks))
    if (ours.allowed, dict(ours.by_network)) != theirs:
        raise SystemExit("the two count differently")
    show(
        f"{len(networks):,} networks, {ours.allowed:,} allowed of {requests:,} requests",
        ["by", "seconds", "times as long"],
        [
            ["Bartizan", f"{own:.1f}", "1.0"],
            ["pandas and ipaddress", f"{other:.1f}", f"{other / own:.1f}"],
        ],
    )


def _clients(rng: np.random.Generator) -> list[str]:
    v4 = [
        str(IPv4Address(int(one))) for one in rng.choice(2**31 - 2**24, V4, replace=False) + 2**24
    ]
    low = rng.integers(0, 2**60, V6)
    return v4 + [str(IPv6Address((0x2A00 << 112) + int(one) * 7919)) for one in low]


def _land(lake: Lake, clients: pa.Array, requests: int) -> list[Path]:
    rng, files = np.random.default_rng(2), []
    hours = list(WEEK.split(HOUR))
    for number, hour in enumerate(hours):
        rows = requests // len(hours) + (number < requests % len(hours))
        folder = lake.data_path("waf.requests") / f"event_date={hour.start:%Y-%m-%d}"
        folder = folder / f"event_hour={hour.start.hour}"
        folder.mkdir(parents=True)
        files.append(folder / "requests.parquet")
        pq.write_table(_hour(rng, clients, hour.start, rows), files[-1])
    for number in range(7):
        add_files(
            lake.table("waf.requests"), files[24 * number : 24 * (number + 1)], f"day-{number}"
        )
    return files


def _hour(rng: np.random.Generator, clients: pa.Array, start: datetime, rows: int) -> pa.Table:
    busy = (rng.random(rows) ** 2 * len(clients)).astype(np.int64)
    times = np.datetime64(naive(start), "us") + rng.integers(0, 3_600_000_000, rows).astype(
        "timedelta64[us]"
    )
    action = np.where(rng.random(rows) < BLOCKED, "BLOCK", "ALLOW")
    known = {
        "event_time": pa.array(times),
        "client_ip": clients.take(pa.array(busy)),
        "action": pa.array(action),
        "webacl": pa.array(np.full(rows, "shop")),
        "uri": pa.array(rng.integers(0, 5_000, rows).astype(str)),
        "event_date": pa.array([start.date()] * rows),
        "event_hour": pa.array(np.full(rows, start.hour, np.int32)),
    }
    columns = [
        known[one.name].cast(one.type) if one.name in known else pa.nulls(rows, one.type)
        for one in REQUESTS
    ]
    return pa.table(columns, REQUESTS)


def _by_pandas(
    files: Sequence[Path], networks: Sequence[Network]
) -> tuple[int, dict[Network, int]]:
    """Allowed requests: all, and by network."""
    frame = pd.concat(pd.read_parquet(file, columns=["client_ip", "action"]) for file in files)
    counts = frame.loc[frame["action"] == "ALLOW", "client_ip"].value_counts()
    by_size: dict[tuple[int, int], set[Network]] = {}
    for one in networks:
        by_size.setdefault((one.version, one.prefixlen), set()).add(one)
    found: Counter[Network] = Counter()
    for client, count in counts.items():
        address = ip_address(client)
        for (version, length), some in by_size.items():
            if address.version == version:
                network = ip_network((address, length), strict=False)
                if network in some:
                    found[network] += int(count)
    return int(counts.sum()), {one: found[one] for one in networks}


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What it returns, and the least seconds of some runs."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return result, min(seconds)


if __name__ == "__main__":
    main()
