"""What may never be blocked, what lacks evidence, and that a list that cannot be read stops all."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from suspects import NOW, STRONG, candidate

from bartizan.config import PROJECT
from bartizan.errors import ConfigError
from bartizan.model.intel import Network
from bartizan.respond.config import Limits, read_config
from bartizan.respond.guard import Guard
from bartizan.respond.never_block import Layer, NeverBlock, read_network

CDN = ("5.6.0.0/16", "7.7.7.7/32", "2a00:1450:4000::/36")
GUARD = Guard(NeverBlock.of([Layer("CDN or proxy", tuple(map(ip_network, CDN)))]), Limits())

addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
    st.sampled_from(["5.6.255.255", "5.7.0.0", "7.7.7.6", "7.7.7.8"]).map(IPv4Address),
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    address = draw(addresses)
    return ip_network((address, draw(st.integers(0, address.max_prefixlen))), strict=False)


@given(networks())
def test_a_layer_answers_as_a_comparison_with_each_of_its_ranges(network: Network) -> None:
    layer = Layer("CDN or proxy", tuple(map(ip_network, CDN)))
    ranges = [one for one in layer.networks if one.version == network.version]

    found = layer.overlapped(network)

    assert (found is not None) == any(one.overlaps(network) for one in ranges)
    assert found is None or found.overlaps(network)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_python_agrees_that_what_may_be_blocked_is_public(address: IPv4Address) -> None:
    """The standard library keeps its own copy of the IANA registries."""
    if GUARD.check([ip_network(address)]) == []:
        assert address.is_global and not address.is_multicast


IPV6 = ["2001::", "2001:db8::", "2002::", "3fff::", "fc00::", "fe80::", "::ffff:0:0", "64:ff9b:1::"]


@given(st.sampled_from(IPV6), st.integers(0, 2**96))
@example("2001::", 2**96)
def test_python_agrees_about_special_ranges_of_ipv6(base: str, offset: int) -> None:
    address = IPv6Address((int(IPv6Address(base)) + offset) % 2**128)
    if GUARD.check([ip_network(address)]) == []:
        assert address.is_global and not address.is_multicast


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("10.1.2.3", "private 10.0.0.0/8"),
        ("100.64.0.1", "carrier-grade NAT 100.64.0.0/10"),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("239.1.1.1", "multicast"),
        ("192.0.2.1", "documentation"),
        ("198.18.0.1", "benchmarking"),
        ("fe80::1", "link-local"),
        ("fd00::1", "private"),
        ("2001:db8::1", "documentation"),
        ("2001:1::", "reserved 2001::/23"),
        ("2001::1", "IPv4 inside IPv6"),
        ("::ffff:8.8.8.8", "IPv4 inside IPv6"),
        ("2002:808:808::", "IPv4 inside IPv6"),
        ("64:ff9b::808:808", "IPv4 inside IPv6"),
        ("::ffff:0:808:808", "IPv4 inside IPv6"),
        ("5.6.7.8", "CDN or proxy 5.6.0.0/16"),
        ("7.7.7.0/24", "/24 is wider than /32"),
        ("2a00:1450:4000::/64", "CDN or proxy"),
        ("::/0", "/0 is wider than /64"),
    ],
)
def test_a_refusal_names_layer_and_range(network: str, why: str) -> None:
    one = candidate(network)

    [refused] = GUARD.check([one.network])

    assert why in refused.why
    assert GUARD.judge(one) == refused


def test_a_wider_network_around_a_protected_address_is_refused_where_width_is_allowed() -> None:
    wide = replace(GUARD, limits=Limits(widest_ipv4=16))

    assert "partner 8.8.8.8/32" in str(
        replace(
            wide, never_block=wide.never_block.also(Layer("partner", (ip_network("8.8.8.8"),)))
        ).check([ip_network("8.8.8.0/24")])
    )
    assert wide.check([ip_network("8.8.8.0/24")]) == []


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ({"blocked": 99, "requests": 99}, "99 blocked requests are fewer than 100"),
        ({"hours": 0}, "0 hours"),
        ({"rules": ("one",), "uris": 1}, "1 rules or paths are fewer than 2"),
        ({"requests": 50_000}, "only 10.0% of its requests were blocked"),
    ],
)
def test_weak_evidence_is_refused_with_its_numbers(evidence: dict[str, object], why: str) -> None:
    assert GUARD.judge(candidate("8.8.8.8")) is None
    refused = GUARD.judge(candidate("8.8.8.8", **evidence))

    assert refused is not None and why in refused.why
    assert GUARD.check([refused.network]) == []  # only evidence was lacking
    assert "score 29.0 is below 30" in str(GUARD.judge(candidate("8.8.8.8", score=29)))
    assert STRONG.blocked_share == 1


def test_a_mapped_address_is_read_as_the_address_it_is() -> None:
    assert read_network("::ffff:10.0.0.1") == ip_network("10.0.0.1/32")
    assert read_network("::ffff:10.0.0.0/104") == ip_network("10.0.0.0/8")
    for text in ("10.0.0.1/8", "fe80::1%eth0", "10.0.0.256", "0x0a000001", "10.0.0.1 ", ""):
        with pytest.raises(ValueError):
            read_network(text)


TARGET = {
    "name": "shop",
    "ip_set_name": "bartizan-v4",
    "scope": "REGIONAL",
    "region": "eu-central-1",
    "account_id": "111122223333",
    "version": 4,
}


def written(folder: Path, never_block: dict[str, object] | None = None, **more: object) -> Path:
    """The example with other content of never_block, or other keys."""
    content = yaml.safe_load((PROJECT / "examples" / "intel.yaml").read_text()) | more
    content["never_block"] |= never_block or {}
    path = folder / "intel.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_example_is_read_with_its_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "cdn.txt").write_text("# edges\n8.8.8.0/24  # one\n\n2a00:1450::/32\n")
    os.utime(tmp_path / "cdn.txt", (NOW.timestamp(), NOW.timestamp()))
    path = written(tmp_path, {"cdn_and_proxies": {"files": ["cdn.txt"], "fresh_for": "P1D"}})

    config = read_config(path, NOW + timedelta(hours=23))

    assert config.limits == Limits()
    assert "CDN or proxy 8.8.8.0/24" in (config.never_block.why(ip_network("8.8.8.8")) or "")
    assert config.never_block.why(ip_network("8.8.9.8")) is None
    assert [(one.version, one.mode) for one in config.targets] == [(4, "dry-run"), (6, "dry-run")]
    with pytest.raises(ConfigError, match=r"cdn.txt is of 2026-11-20"):
        read_config(path, NOW + timedelta(hours=25))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b"# nothing\n\n", "is empty"),
        (b"\xff\xfe", "cannot be read"),
        (b"8.8.8.0/24\n8.8.8.1/24\n", "line 2: '8.8.8.1/24' is no network"),
        (b"\x1b[2J\n", "is no network"),
    ],
)
def test_a_list_that_cannot_be_loaded_stops_everything(
    content: bytes | None, problem: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "cdn.txt").write_bytes(content)
        os.utime(tmp_path / "cdn.txt", (NOW.timestamp(), NOW.timestamp()))
    path = written(tmp_path, {"cdn_and_proxies": {"files": ["cdn.txt"]}})

    with pytest.raises(ConfigError, match=r"cdn") as error:
        read_config(path, NOW)
    assert problem in str(error.value) and str(error.value).isprintable()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("limits", {"max_entries": 10_001}),
        ("limits", {"widest_ipv4": 0}),
        ("limits", {"max_blast_radius": 1.5}),
        ("limits", {"min_blocked_share": float("nan")}),
        ("limits", {"ttl": "P20D"}),
        ("limits", {"ttl": "forever"}),
        ("limits", {"max_ttl": "P366D"}),
        ("never_block", {"own_egress": {}}),
        ("targets", []),
        ("targets", [TARGET, TARGET | {"name": "again"}]),
        ("targets", [TARGET | {"name": "n" * 64}]),
        ("targets", [TARGET | {"scope": "CLOUDFRONT"}]),
    ],
)
def test_a_file_that_would_disarm_the_guard_is_refused(
    key: str, value: object, tmp_path: Path
) -> None:
    path = written(tmp_path)
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | {key: value}))

    with pytest.raises(ConfigError, match=key):
        read_config(path, NOW)


@pytest.mark.parametrize(("text", "mode"), [("off", "off"), ("'off'", "off"), ("block", "block")])
def test_a_mode_is_read_as_people_write_it(text: str, mode: str, tmp_path: Path) -> None:
    example = (PROJECT / "examples" / "intel.yaml").read_text()
    (tmp_path / "intel.yaml").write_text(example.replace("mode: dry-run", f"mode: {text}"))

    found = read_config(tmp_path / "intel.yaml", NOW).targets

    assert [one.mode for one in found] == [mode, mode]
