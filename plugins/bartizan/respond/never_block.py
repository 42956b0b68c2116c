"""The list of networks that are never blocked, whatever the evidence.

A network is refused when it overlaps a protected range in either direction: inside it, or around
it. IPv6 forms that carry an IPv4 address (mapped, 6to4, NAT64, Teredo) are protected whole, so an
IPv4 address can only be blocked as what it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from bartizan.errors import ConfigError
from bartizan.model.intel import Network
from bartizan.model.text import inert

# IANA registries of special-purpose addresses (RFC 6890 and its updates), and of multicast.
_SPECIAL = {
    "this network": ("0.0.0.0/8", "::/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "carrier-grade NAT": ("100.64.0.0/10",),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "IPv4 inside IPv6": (
        *("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),
        *("2001::/32", "2002::/16"),
    ),
    "reserved": (
        *("192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4"),
        *("100::/64", "2001::/23", "5f00::/16"),
    ),
}
_DOCUMENTATION = {
    "documentation": (
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
    ),
    "benchmarking": ("198.18.0.0/15", "2001:2::/48"),
}


@dataclass(frozen=True)
class Layer:
    """Protected networks of one kind, and what they are called in a refusal."""

    name: str
    networks: tuple[Network, ...]

    def overlapped(self, network: Network) -> Network | None:
        """A range of the layer that has an address in common with `network`."""
        ranges, firsts = self._by_version[network.version]
        before = bisect_right(firsts, int(network.broadcast_address)) - 1
        if before < 0 or int(ranges[before].broadcast_address) < int(network.network_address):
            return None
        return ranges[before]

    @cached_property
    def _by_version(self) -> Mapping[int, tuple[list[Network], list[int]]]:
        """The ranges of a version, disjoint and in order, and their first addresses."""
        v4 = [network for network in self.networks if isinstance(network, IPv4Network)]
        v6 = [network for network in self.networks if isinstance(network, IPv6Network)]
        ranges: dict[int, list[Network]] = {
            4: list(collapse_addresses(v4)),
            6: list(collapse_addresses(v6)),
        }
        return {
            version: (found, [int(network.network_address) for network in found])
            for version, found in ranges.items()
        }


@dataclass(frozen=True)
class NeverBlock:
    """All layers; the special ranges are always among them."""

    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, layers: Iterable[Layer], documentation_too: bool = True) -> NeverBlock:
        """The special ranges and `layers`. Only a demonstration leaves out those kept for
        documentation and benchmarks."""
        special = _SPECIAL | _DOCUMENTATION if documentation_too else _SPECIAL
        fixed = (Layer(name, tuple(map(ip_network, ranges))) for name, ranges in special.items())
        return cls((*fixed, *layers))

    def also(self, layer: Layer) -> NeverBlock:
        """With one more layer, such as the bots that AWS WAF verified."""
        return replace(self, layers=(*self.layers, layer))

    def why(self, network: Network) -> str | None:
        """Why `network` is never blocked, naming layer and range; None if it may be."""
        for layer in self.layers:
            if found := layer.overlapped(network):
                return f"never blocked: {layer.name} {found}"
        return None


def read_network(text: str) -> Network:
    """A network or address as written, IPv4 where it is IPv4 mapped into IPv6.

    Raises ValueError for anything else, and for host bits that are set.
    """
    if "%" in text:
        raise ValueError("a zone is no part of a network")
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network


def read_address(text: str) -> Network:
    """One address, as `read_network` does. Raises ValueError for a network, too."""
    if "/" in text:
        raise ValueError("a network is no address")
    return read_network(text)


def read_ranges(lines: Iterable[str], origin: str) -> tuple[Network, ...]:
    """Networks, one a line; empty lines and what follows `#` do not count.

    Raises ConfigError naming `origin` and line for anything else.
    """
    found = []
    for number, line in enumerate(lines, start=1):
        if text := line.partition("#")[0].strip():
            try:
                found.append(read_network(text))
            except ValueError as error:
                raise ConfigError(
                    f"{origin}: line {number}",
                    f"'{inert(text[:60])}' is no network",
                    "write 192.0.2.0/24",
                ) from error
    return tuple(found)
