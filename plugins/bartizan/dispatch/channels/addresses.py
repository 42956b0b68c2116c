"""Which addresses channels may connect to: public ones, unless the target is on an allow-list.

Whoever may write alerts.yaml or the records of a DNS name shall not reach what only this machine
can reach: metadata services, databases, the loopback interface.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from bartizan.errors import BartizanError, TransientError

Address = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class AllowList:
    """Host names, addresses and networks that may be private, and be spoken to without TLS."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> AllowList:
        """From names, addresses and CIDR networks. What is no network is a name."""
        networks, hosts = [], set()
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: Address) -> bool:
        return host.lower() in self.hosts or any(address in one for one in self.networks)


@dataclass(frozen=True)
class Checked:
    """An address that may be connected to; `allowed` says that it is on the allow-list."""

    address: str
    allowed: bool


def checked(host: str, port: int, allow: AllowList) -> Checked:
    """The address to connect to, of a host that resolves now; the caller must use this one.

    Raises BartizanError when none of its addresses may be used, TransientError when it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except OSError as error:
        raise TransientError(f"host {host}", "cannot be resolved", "check the name") from error
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for address in addresses:
        if allow.allows(host, address):
            return Checked(str(address), allowed=True)
        if is_public(address):
            return Checked(str(address), allowed=False)
    raise BartizanError(
        f"host {host}", f"{addresses[0]} is no public address", "add it to `allow` if it is meant"
    )


def is_public(address: Address) -> bool:
    """Whether the internet routes it; of an IPv6 address that wraps an IPv4 one, that one."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo:
            inner = address.teredo[1]
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved
