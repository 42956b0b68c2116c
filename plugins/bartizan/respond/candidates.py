"""Finds candidates: suspects by the queries of `intel/reasons`, and IPv6 subnets of which several
addresses were stopped; then what each of them did.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from bartizan.engines import Engine
from bartizan.errors import ConfigError
from bartizan.model.intel import Candidate, Evidence, Network
from bartizan.model.text import inert
from bartizan.model.window import Window, aware
from bartizan.respond.never_block import Layer, read_address
from bartizan.respond.queries import client_rows
from bartizan.respond.subnets import Subnet, subnets

TOGETHER = "several_addresses"  # the reason to suspect a subnet
_MOST_BLOCKED, _MOST_BREADTH, _MOST_HOURS, _MOST_REASONS = 10_000, 100, 12, 3


@dataclass(frozen=True)
class Found:
    """Candidates, the highest score first, and client addresses of the log that are none."""

    candidates: tuple[Candidate, ...]
    unreadable: tuple[str, ...]


def find(engine: Engine, window: Window, queries: Path) -> Found:
    """Candidates of a window from the folder `intel` of queries.

    Raises ConfigError naming the file for a query that fails or answers other columns.
    """
    reasons = _reasons(engine, window, queries)
    networks, unreadable = _read(reasons)
    together = {str(one.network): one for one in subnets(engine, window, queries)}
    if not networks and not together:
        return Found((), unreadable)
    networks |= {name: one.network for name, one in together.items()}
    for name, one in together.items():
        its = {reason for client in one.clients for reason in reasons.get(client, ())}
        reasons[name] = [TOGETHER, *sorted(its)]
    suspects = {"suspects": _suspects(networks, together)}
    rules, webacls = _rules(engine, window, queries, suspects)
    found: dict[Network, Evidence] = {}
    for row in client_rows(engine, window, queries / "evidence_clients", suspects):
        client = row["client_ip"]
        network = networks[client]
        evidence = Evidence(
            requests=int(row["requests"]),
            blocked=int(row["blocked"]),
            rules=tuple(sorted(rules[client])),
            uris=int(row["uris"]),
            hours=int(row["hours"]),
            first_seen=aware(row["first_seen"]),
            last_seen=aware(row["last_seen"]),
            webacls=tuple(sorted(webacls[client])),
            reasons=tuple(reasons[client]),
            addresses=together[client].stopped if client in together else 0,
        )
        known = found.get(network)
        found[network] = evidence if known is None else _joined(known, evidence)
    candidates = [Candidate(one, evidence, score(evidence)) for one, evidence in found.items()]
    candidates.sort(key=lambda one: (-one.score, str(one.network)))
    return Found(tuple(candidates), unreadable)


def _read(clients: Iterable[str]) -> tuple[dict[str, Network], tuple[str, ...]]:
    """The networks of clients, and those that are no address."""
    networks, unreadable = {}, []
    for client in clients:
        try:
            networks[client] = read_address(client)
        except ValueError:
            unreadable.append(inert(client[:60]))
    return networks, tuple(sorted(unreadable))


def _suspects(networks: Iterable[str], together: Mapping[str, Subnet]) -> pa.Table:
    """Clients, each of a suspect: itself, or the subnet that it is in."""
    rows = [
        (client, suspect)
        for suspect in sorted(networks)
        for client in (together[suspect].clients if suspect in together else (suspect,))
    ]
    return pa.table(
        {"client_ip": [client for client, _ in rows], "suspect": [one for _, one in rows]}
    )


def _joined(one: Evidence, other: Evidence) -> Evidence:
    """What an address did that the log writes in two ways. Distinct paths and hours may be the same
    in both, so the larger number counts: evidence is never made more than it is."""
    return Evidence(
        requests=one.requests + other.requests,
        blocked=one.blocked + other.blocked,
        rules=tuple(sorted({*one.rules, *other.rules})),
        uris=max(one.uris, other.uris),
        hours=max(one.hours, other.hours),
        first_seen=min(one.first_seen, other.first_seen),
        last_seen=max(one.last_seen, other.last_seen),
        webacls=tuple(sorted({*one.webacls, *other.webacls})),
        reasons=tuple(sorted({*one.reasons, *other.reasons})),
    )


def score(evidence: Evidence) -> float:
    """From 0 to 100: the blocked share, times the weighted mean of four parts from 0 to 1.

    35% volume (log of the blocked requests, full at 10,000), 25% persistence (hours, full at 12),
    20% breadth (log of distinct rules and paths, full at 100), 20% agreement (reasons, full at 3).
    The share is a factor because an address that real users share must never outweigh it by noise.
    """
    volume = _log_part(evidence.blocked, _MOST_BLOCKED)
    persistence = min(1.0, evidence.hours / _MOST_HOURS)
    breadth = _log_part(len(evidence.rules) + evidence.uris, _MOST_BREADTH)
    agreement = min(1.0, len(evidence.reasons) / _MOST_REASONS)
    parts = 0.35 * volume + 0.25 * persistence + 0.2 * breadth + 0.2 * agreement
    return round(100 * evidence.blocked_share * parts, 2)


def verified_bots(engine: Engine, window: Window, queries: Path) -> Layer:
    """Addresses of the bots that AWS WAF verified in a window, to be never blocked."""
    networks = set()
    for row in client_rows(engine, window, queries / "verified_bots"):
        try:
            networks.add(read_address(row["client_ip"]))
        except ValueError:  # no address of a network, so no rule could block it either
            continue
    return Layer("verified bot", tuple(sorted(networks, key=str)))


def _log_part(value: int, full: int) -> float:
    return min(1.0, math.log1p(value) / math.log1p(full))


def _reasons(engine: Engine, window: Window, queries: Path) -> dict[str, list[str]]:
    """The names of the reasons to suspect each client, in order."""
    folders = sorted(path.parent for path in (queries / "reasons").glob("*/query.sql"))
    if not folders:
        raise ConfigError(str(queries / "reasons"), "holds no query", "restore the folder")
    found: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for row in client_rows(engine, window, folder):
            found[row["client_ip"]].append(folder.name)
    return found


def _rules(
    engine: Engine, window: Window, queries: Path, suspects: Mapping[str, pa.Table]
) -> tuple[Mapping[str, set[str]], Mapping[str, set[str]]]:
    """Rules that stopped each suspect, and the web ACLs where."""
    rules: dict[str, set[str]] = defaultdict(set)
    webacls: dict[str, set[str]] = defaultdict(set)
    for row in client_rows(engine, window, queries / "evidence_rules", suspects):
        rules[row["client_ip"]].add(row["rule"])
        webacls[row["client_ip"]].add(row["webacl"])
    return rules, webacls
