"""Who sends requests: addresses, countries, headers and fingerprints of people, programs, scanners.

Addresses come from 198.18.0.0/15 and 2001:db8::/32, the ranges reserved for benchmarks and
documentation (RFC 2544, RFC 3849), so no address of a real host is ever named.
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Address, IPv6Address

import numpy as np

from bartizan.model.ids import stable_uuid
from bartizan.simulate.pools import Fragments, Pool, compact, zipf
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import Site

# fmt: off
COUNTRIES = (
    "US", "DE", "GB", "FR", "NL", "IN", "BR", "JP", "CA", "ES", "IT", "PL", "SE", "AU", "IE",
    "BE", "CH", "AT", "PT", "DK", "NO", "FI", "CZ", "RO", "GR", "HU", "TR", "UA", "ZA", "MX",
    "AR", "CL", "CO", "KR", "TW", "SG", "ID", "MY", "PH", "TH", "VN", "NZ", "AE", "IL",
)
# fmt: on
HOSTING_COUNTRIES = ("US", "NL", "DE", "SG", "FR", "GB", "IN", "VN", "BR", "ID")
UNKNOWN_COUNTRIES = ("TD", "VU", "BT", "GY", "-")  # no ordinary client comes from there

_CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
_DESKTOPS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 10; K",
)
_BROWSERS = (
    *(_CHROME.format(system, version) for system in _DESKTOPS for version in (139, 140, 141)),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
)
_USER_AGENTS = {
    "people": _BROWSERS,
    "newcomers": _BROWSERS,  # people whose browser holds no token and no cookie yet
    "apps": ("ExampleApp/7.4 (iOS 18.6)", "ExampleApp/7.3 (Android 15)", "ExampleApp/7.4 okhttp"),
    "programs": (
        "partner-client/3.2",
        "python-requests/2.32.4",
        "Go-http-client/2.0",
        "axios/1.12",
    ),
    "crawlers": ("Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)",),
    "monitors": ("ExampleMonitor/1.0",),
    "scanners": ("curl/8.14.1", "python-requests/2.32.4", "Mozilla/5.0 zgrab/0.x", "sqlmap/1.9"),
}
_BLOCK_ADDRESSES = 2**17 // 50
_IPV6_SHARE = {"people": 0.3, "newcomers": 0.3, "apps": 0.4, "programs": 0.08, "scanners": 0.04}


def audience(site: Site, seed: int) -> Pool:
    """The site's ordinary clients: countries fall by Zipf's law, and so do clients in each."""
    order = site.markets + tuple(c for c in COUNTRIES if c not in site.markets)
    weights = zipf(len(order), 1.6)
    sizes = np.maximum(6, 1500 * weights).astype(int)
    clients = [
        _client(site, seed, site.audience, country, number)
        for country, size in zip(order, sizes, strict=True)
        for number in range(size)
    ]
    shares = [
        weight * zipf(size, 0.8) / zipf(size, 0.8).sum()
        for weight, size in zip(weights, sizes, strict=True)
    ]
    return Pool.of(clients, np.concatenate(shares).tolist())


def crowd(site: Site, seed: int, kind: str, countries: tuple[str, ...], size: int) -> Pool:
    """`size` clients of one kind over the countries, the first ones busiest."""
    clients = [_client(site, seed, kind, countries[i % len(countries)], i) for i in range(size)]
    return Pool.of(clients, zipf(size, 0.5).tolist())


def spread(site: Site, seed: int, kind: str, shares: dict[str, float], size_each: int) -> Pool:
    """Clients of one kind over the countries by the given shares of requests."""
    clients = [
        _client(site, seed, kind, country, number)
        for country in shares
        for number in range(size_each)
    ]
    return Pool.of(clients, [share for share in shares.values() for _ in range(size_each)])


def _client(site: Site, seed: int, kind: str, country: str, number: int) -> Fragments:
    """The five fragments (address, head, HTTP version, host, end) of one client."""
    rng = generator(seed, "client", site.webacl, kind, country, number)
    agents = _USER_AGENTS[kind]
    agent = agents[int(rng.integers(len(agents)))]
    http2 = kind in ("people", "newcomers", "apps", "programs") and rng.random() < 0.8
    address = _address(rng, country, _IPV6_SHARE.get(kind, 0.0))
    headers = _headers(site, kind, agent, http2, address)
    host = compact({"fragment": "", "scheme": "https", "host": site.host})[1:]
    return (
        address,
        f'","country":"{country}","headers":[{",".join(compact(h) for h in headers)}',
        "HTTP/2.0" if http2 else "HTTP/1.1",
        f'",{host}',
        _labels(site, kind, country, address) + _fingerprints(site, agent, http2),
    )


def _address(rng: np.random.Generator, country: str, ipv6_share: float) -> str:
    """An address of the country's own block, so that an address has one country everywhere."""
    block = (*COUNTRIES, *UNKNOWN_COUNTRIES).index(country)
    if rng.random() < ipv6_share:
        network = 0x20010DB8 << 96 | block << 80
        return str(IPv6Address(network + int(rng.integers(1, 2**62))))
    first = IPv4Address("198.18.0.0") + block * _BLOCK_ADDRESSES
    return str(first + int(rng.integers(1, _BLOCK_ADDRESSES)))


def _headers(site: Site, kind: str, agent: str, http2: bool, address: str) -> list[dict[str, str]]:
    headers = {"Host": site.host, "User-Agent": agent, "Accept": "*/*"}
    if kind in ("people", "newcomers"):
        headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        headers |= {"Accept-Language": "en-US,en;q=0.9", "Accept-Encoding": "gzip, deflate, br"}
        headers |= {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
    if kind == "people":
        headers["Cookie"] = "session=SIMULATED; consent=1"
    if kind in ("apps", "programs"):
        headers |= {"Accept-Encoding": "gzip", "Authorization": "Bearer SIMULATED"}
    if site.source in ("APIGW", "APPSYNC"):
        headers |= {"X-Forwarded-For": address, "X-Forwarded-Port": "443"}
        headers["X-Forwarded-Proto"] = "https"
    return [
        {"name": name.lower() if http2 else name, "value": value} for name, value in headers.items()
    ]


def _labels(site: Site, kind: str, country: str, address: str) -> str:
    """The end of the label list that the verdict began; nothing without geography labels."""
    if not site.geo_labels:
        return ""
    names = [f"awswaf:clientip:geo:country:{country}"]
    if kind == "people":
        token = stable_uuid("token", site.webacl, address)
        names += ["awswaf:managed:token:accepted", f"awswaf:managed:token:id:{token}"]
    return ",".join(compact({"name": name}) for name in names) + "]"


def _fingerprints(site: Site, agent: str, http2: bool) -> str:
    """JA3 is 32, JA4 36 characters; AWS logs them for CloudFront and load balancers."""
    if not site.fingerprints:
        return ""
    ja3 = hashlib.sha256(agent.encode()).hexdigest()[:32]
    tail = hashlib.sha256(agent.encode()).hexdigest()[32:]
    ja4 = f"t13d1516{'h2' if http2 else 'h1'}_{tail[:12]}_{tail[12:24]}"
    return f',"ja3Fingerprint":"{ja3}","ja4Fingerprint":"{ja4}"'
