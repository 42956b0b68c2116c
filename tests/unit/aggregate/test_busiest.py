"""Tables of what clients choose keep the busiest by name and fold the rest, losing no request."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lakes import SmallLake, landed

from bartizan.aggregate import load_tables
from bartizan.config import PROJECT
from bartizan.engines import EngineName
from bartizan.model.window import DAY, Window, floor

START = datetime(2026, 11, 1, tzinfo=UTC)
TABLES = load_tables(PROJECT / "include" / "sql")
KEPT = re.compile(r"> (\d+) as is_other")
SEED = 7

Row = dict[str, Any]


def traffic() -> list[Row]:
    """Two web ACLs in two buckets: a few busy clients among hundreds that are seen once or twice,
    as when addresses, paths, fingerprints and keys are made up."""
    source, rows = random.Random(SEED), []
    for number in range(2400):
        name = min(int(source.expovariate(0.006)), 900)
        rows.append(
            {
                "event_time": START + timedelta(minutes=source.choice([1, 6])),
                "webacl": source.choice(["shop", "api"]),
                "record_hash": number,
                "action": "BLOCK" if name % 3 == 0 else "ALLOW",
                "client_ip": f"198.51.100.{name}",
                "uri": f"/page-{name}",
                "host": "shop.example.com",
                "method": "GET",
                "ja4_fingerprint": f"t13d_{name}",
                "oversize_fields": ["REQUEST_BODY"],
                "rate_based_rules": [
                    {
                        "rate_based_rule_name": "limit",
                        "limit_key": "IP",
                        "limit_value": f"198.51.100.{name}",
                    }
                ],
            }
        )
    return rows


def hits(rows: list[Row]) -> list[Row]:
    """Blocked requests were blocked by the rate rule."""
    same = ("event_time", "webacl", "record_hash")
    rule = {"rule": "limit", "rule_action": "BLOCK", "terminating": True}
    return [{**{k: row[k] for k in same}, **rule} for row in rows if row["action"] == "BLOCK"]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return traffic()


@pytest.fixture(scope="module")
def small(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    small = SmallLake.open(Path(tmp_path_factory.mktemp("busiest")))
    small.land("a", requests=landed("requests", rows), rule_hits=landed("rule_hits", hits(rows)))
    return small


def blocked_first(requests: int, blocked: int) -> tuple[int, int]:
    return -blocked, -requests


def busiest_first(requests: int, blocked: int) -> tuple[int, int]:
    return -requests, 0


@pytest.mark.parametrize(
    ("table", "column", "field", "total", "members", "rank"),
    [
        ("agg_ip_5m", "client_ip", "client_ip", "requests", "unique_ips", busiest_first),
        ("agg_uri_5m", "uri_template", "uri", "requests", "unique_uris", busiest_first),
        (
            "agg_fingerprint_5m",
            "fingerprint",
            "ja4_fingerprint",
            "requests",
            "unique_fingerprints",
            busiest_first,
        ),
        ("agg_rate_rule_5m", "key_value", "client_ip", "evaluated", "unique_keys", blocked_first),
        ("agg_oversize_1h", "uri", "uri", "requests", "unique_uris", busiest_first),
        ("agg_ip_1d", "client_ip", "client_ip", "requests", "unique_ips", busiest_first),
    ],
)
def test_the_busiest_keep_their_rows_and_the_rest_is_one(
    small: SmallLake,
    rows: list[Row],
    table: str,
    column: str,
    field: str,
    total: str,
    members: str,
    rank: Callable[[int, int], tuple[int, int]],
) -> None:
    spec = TABLES[table]
    kept = min(int(KEPT.findall(spec.query(EngineName.DUCKDB).text)[0]), 50)
    query, lowered = KEPT.subn(f"> {kept} as is_other", spec.query(EngineName.DUCKDB).text)
    groups: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    blocked: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        bucket = floor(row["event_time"], spec.frequency).replace(tzinfo=None)
        groups[bucket, row["webacl"]][row[field]] += 1
        blocked[bucket, row["webacl"]][row[field]] += row["action"] == "BLOCK"
    expected = set()
    for group, counts in groups.items():
        order = sorted(counts, key=lambda n: (*rank(counts[n], blocked[group][n]), n))
        expected |= {(*group, name, False, counts[name], 1) for name in order[:kept]}
        rest = order[kept:]
        expected.add((*group, "other", True, sum(counts[n] for n in rest), len(rest)))

    built = small.engine.query(query, Window(START, START + DAY)).to_pylist()

    columns = ("bucket", "webacl", column, "is_other", total, members)
    assert {tuple(row[name] for name in columns) for row in built} == expected
    assert lowered == 1 and len(built) == len(expected) == len(groups) * (kept + 1)
    assert sum(row[total] for row in built) == len(rows)
    assert sum(row[members] for row in built if row["is_other"]) > 2 * kept
