"""The blast radius counted again, client by client, with the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakes import SmallLake, requests

from bartizan.config import PROJECT
from bartizan.engines import EngineName
from bartizan.errors import ConfigError
from bartizan.model.intel import Network
from bartizan.model.window import Window
from bartizan.respond.blast import simulate

QUERIES = PROJECT / "include" / "sql" / "intel"
START = datetime(2026, 11, 13, tzinfo=UTC)
WEEK = Window(START, START + timedelta(days=7))


class Answering:
    """An engine that answers every query with the same rows."""

    name = EngineName.DUCKDB

    def __init__(self, rows: dict[str, int]) -> None:
        self.rows = pa.table({"client_ip": list(rows), "allowed": list(rows.values())})

    def query(self, *_: object, **__: object) -> pa.Table:
        return self.rows


near = st.integers(0, 255)
clients = st.one_of(
    near.map(lambda n: f"1.1.{n % 3}.{n}"),
    near.map(lambda n: f"::ffff:1.1.1.{n}"),
    near.map(lambda n: f"2606:4700::{n:x}"),
    near.map(lambda n: f"2606:4700:0:0:0:0:0:{n:04X}"),
    st.sampled_from(["-", "", "1.1.1", "01.1.1.1", "1.1.1.1/8", "\x00", "\ud7ff", "fe80::1%eth0"]),
)
networks = st.builds(
    lambda base, n, length: (
        ip_network((int(ip_address(base)) + n, length), False)
        if ":" not in base
        else ip_network((ip_address(base) + n, length + 96), False)
    ),
    st.sampled_from(["1.1.0.0", "1.1.1.0", "2606:4700::"]),
    near,
    st.integers(20, 32),
)


@given(st.dictionaries(clients, st.integers(1, 50), max_size=30), st.lists(networks, max_size=8))
def test_counts_are_those_of_asking_every_client(
    rows: dict[str, int], asked: list[Network]
) -> None:
    blast = simulate(Answering(rows), asked, WEEK, QUERIES)  # type: ignore[arg-type]

    assert blast.allowed == sum(rows.values())
    for network in asked:
        inside = sum(count for client, count in rows.items() if _is_in(client, network))
        assert blast.by_network[network] == inside


def _is_in(client: str, network: Network) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    mapped = None if isinstance(address, IPv4Address) else address.ipv4_mapped
    return (mapped or address) in network


def test_only_allowed_requests_of_the_week_count(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    times = [START + timedelta(hours=hour) for hour in range(-2, 170)]  # 168 of them inside
    landed = [
        requests(times, client_ip="5.6.7.8"),
        requests(times, client_ip="5.6.7.9", action="BLOCK"),
        requests(times[:50], client_ip="5.6.8.1"),
    ]
    small.land("a", requests=pa.concat_tables(landed))
    host, wide, other = map(ip_network, ("5.6.7.8/32", "5.6.0.0/16", "5.6.7.9/32"))

    blast = simulate(small.engine, [host, wide, other], WEEK, QUERIES)

    assert blast.allowed == 168 + 48
    assert blast.by_network == {host: 168, wide: 216, other: 0}
    assert blast.share([host]) == pytest.approx(168 / 216)
    assert blast.share([]) == 0
    assert blast.too_far(host, 0, 168 / 216) is None
    assert "168 of 216" in (blast.too_far(host, 1, 168 / 216) or "")
    with pytest.raises(KeyError):
        blast.reached([ip_network("1.1.1.1/32")])


def test_a_missing_query_is_an_error_not_a_radius_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="allowed_clients"):
        simulate(Answering({}), [], WEEK, tmp_path)  # type: ignore[arg-type]
