"""Entropy of paths, clients and arguments, against scipy's."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from lakes import SmallLake, landed
from scipy.stats import entropy

from bartizan.config import PROJECT
from bartizan.crawl import check, load_connector
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + HOUR)


def test_entropy_of_paths_clients_and_arguments(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    seen = [
        {
            "event_time": START + timedelta(minutes=int(minute)),
            "webacl": webacl,
            "uri": f"/{rng.geometric(0.3)}",
            "client_ip": f"192.0.2.{rng.integers(1, 9)}",
            "args": None if webacl == "blog" else f"id={rng.integers(1, 4)}",
        }
        for webacl, minutes in (("shop", rng.integers(0, 10, 300)), ("blog", [7]))
        for minute in minutes
    ]
    small = SmallLake.open(tmp_path)
    small.land("a", requests=landed("requests", seen))
    connector = load_connector(PROJECT / "include" / "sql" / "connectors" / "waf_entropy")
    assert check(connector, small.engine, WINDOW).warnings == ()

    found = small.engine.query(connector.query, WINDOW).to_pylist()

    assert len(found) == 3
    for row in found:
        rows = [
            one
            for one in seen
            if one["webacl"] == row["webacl"]
            and one["event_time"].minute // 5 * 5 == row["timestamp"].minute
        ]
        assert len(rows) == 1 if row["webacl"] == "blog" else len(rows) > 100
        for measure, of in (("uri", "uri"), ("client", "client_ip"), ("arguments", "args")):
            counts = list(Counter(one[of] for one in rows).values())
            assert row[f"{measure}_entropy"] == pytest.approx(entropy(counts, base=2), abs=1e-9)
