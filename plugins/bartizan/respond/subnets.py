"""IPv6 subnets from which several addresses were stopped.

A host has a whole /64 to take addresses from (RFC 4291 2.5.1, RFC 8981), so one that changes them
at each request leaves too little evidence on any. What speaks for the users of a subnet counts as
well: all of its clients are looked at, not only those that were stopped.
"""

from __future__ import annotations

import socket
from collections import defaultdict
from dataclasses import dataclass
from ipaddress import IPv6Network
from pathlib import Path

from bartizan.engines import Engine
from bartizan.model.window import Window
from bartizan.respond.queries import clients

LOOKED_AT = 4  # stopped addresses; how many it takes to be blocked is said by the limits
PREFIX = 64
_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True)
class Subnet:
    """A /64, all of its clients as the log writes them, and how many addresses were stopped."""

    network: IPv6Network
    clients: tuple[str, ...]
    stopped: int


def subnets(engine: Engine, window: Window, queries: Path) -> list[Subnet]:
    """Subnets of a window with at least `LOOKED_AT` stopped addresses, in order.

    Raises ConfigError naming the file when the query fails.
    """
    rows = clients(engine, window, queries / "ipv6_clients")
    texts: dict[bytes, list[str]] = defaultdict(list)
    stopped: dict[bytes, set[bytes]] = defaultdict(set)
    for client, blocked in zip(
        *(rows[name].to_pylist() for name in ("client_ip", "blocked")), strict=True
    ):
        if (address := _packed(client)) is not None:
            subnet = address[: PREFIX // 8]
            texts[subnet].append(client)
            if blocked:
                stopped[subnet].add(address)
    return [
        Subnet(IPv6Network((subnet + bytes(8), PREFIX)), tuple(texts[subnet]), len(found))
        for subnet, found in sorted(stopped.items())
        if len(found) >= LOOKED_AT
    ]


def _packed(text: str) -> bytes | None:
    """The bytes of an IPv6 address; None for anything else, and for IPv4 written as IPv6."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None
    return None if packed.startswith(_MAPPED) else packed
