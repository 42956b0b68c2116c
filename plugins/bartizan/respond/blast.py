"""The blast radius: what share of past allowed requests a plan would have blocked.

The engine counts the requests of each client; networks are looked up among the sorted clients.
"""

from __future__ import annotations

import socket
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa

from bartizan.engines import Engine
from bartizan.model.intel import Network
from bartizan.model.window import Window
from bartizan.respond.queries import clients

_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True)
class Blast:
    """Allowed requests of a window: all of them, and those of the networks that were simulated."""

    window: Window
    allowed: int
    by_network: Mapping[Network, int]

    def reached(self, networks: Iterable[Network]) -> int:
        """Allowed requests that these networks would have blocked; networks inside each other
        count twice, so it is never too low. Raises KeyError for one that was not simulated."""
        return sum(self.by_network[network] for network in networks)

    def share(self, networks: Collection[Network]) -> float:
        """From 0 to 1; 0 without networks, 1 without allowed requests to judge them by."""
        if not networks:
            return 0.0
        return min(1.0, self.reached(networks) / self.allowed) if self.allowed else 1.0

    def too_far(self, network: Network, reached: int, limit: float) -> str | None:
        """Why `network` may not be blocked beside others that reach so many requests already."""
        if network not in self.by_network:
            return "its blast radius was not simulated"
        if not self.allowed:
            return f"no allowed requests in {self.window} to simulate its blast radius on"
        own = self.by_network[network]
        if (reached + own) / self.allowed <= limit:
            return None
        return (
            f"would have blocked {own} of {self.allowed} allowed requests in {self.window}, with "
            f"the rest of the plan more than {limit:.4%}"
        )


def simulate(engine: Engine, networks: Collection[Network], window: Window, queries: Path) -> Blast:
    """Counts the allowed requests of a window that come from `networks`.

    Raises ConfigError naming the file when the query fails.
    """
    rows = clients(engine, window, queries / "allowed_clients")
    by_size = _sorted_clients(rows)
    allowed = sum(rows["allowed"].to_pylist())
    return Blast(window, allowed, {one: _within(one, by_size) for one in networks})


# Addresses of one length as bytes, in order, and the sums of their requests before each.
_Sorted = tuple[list[bytes], list[int]]


def _sorted_clients(rows: pa.Table) -> dict[int, _Sorted]:
    """Clients by the length of their address in bytes. What is no address, no IP set can block."""
    counts: dict[int, Counter[bytes]] = {4: Counter(), 16: Counter()}
    for client, allowed in zip(
        *(rows[c].to_pylist() for c in ("client_ip", "allowed")), strict=True
    ):
        address = _packed(client or "")
        if address is not None:
            counts[len(address)][address] += allowed
    sizes = {size: sorted(found) for size, found in counts.items()}
    return {
        size: (order, list(accumulate((counts[size][one] for one in order), initial=0)))
        for size, order in sizes.items()
    }


def _packed(address: str) -> bytes | None:
    """The bytes of an address, of IPv4 those of IPv4 however it is written."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed


def _within(network: Network, by_size: Mapping[int, _Sorted]) -> int:
    order, before = by_size[network.max_prefixlen // 8]
    first = bisect_left(order, network.network_address.packed)
    end = bisect_right(order, network.broadcast_address.packed)
    return before[end] - before[first]
