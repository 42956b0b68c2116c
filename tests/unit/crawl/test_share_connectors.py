"""The connectors of shares that come with Bartizan: both parts of each, as counted here."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lakes import SmallLake, landed

from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.crawl import check, load_connector
from bartizan.model.window import HOUR, Window

SQL = PROJECT / "include" / "sql"
START = datetime(2026, 11, 1, tzinfo=UTC)
SEEN = [
    *(["shop", "DE", "ALLOW", None, minute] for minute in range(0, 50, 2)),
    *(["shop", "FR", "ALLOW", None, minute] for minute in (1, 2, 3)),
    *(["shop", "FR", "BLOCK", None, minute] for minute in (1, 2, 3, 4, 30)),
    *(["shop", "BR", "BLOCK", None, minute] for minute in (6, 7)),
    *(["blog", "DE", "CHALLENGE", "TOKEN_MISSING", minute] for minute in (0, 1, 2, 9)),
    *(["blog", "DE", "ALLOW", "SOLVED", minute] for minute in (3, 4)),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    small = SmallLake.open(Path(tmp_path_factory.mktemp("lake")))
    rows = []
    for webacl, country, action, outcome, minute in SEEN:
        answer = None
        if outcome == "SOLVED":
            answer = {"response_code": 0, "solve_timestamp": 1, "failure_reason": None}
        elif outcome:
            answer = {"response_code": 202, "solve_timestamp": None, "failure_reason": outcome}
        when = {"event_time": START + timedelta(minutes=minute), "challenge_response": answer}
        rows.append(when | {"webacl": webacl, "country": country, "action": action})
    small.land("a", requests=landed("requests", rows))
    tables = load_tables(SQL)
    for name in ("agg_action_5m", "agg_country_1h", "agg_token_5m"):
        build(small.store, small.lake, small.engine, tables[name])
    return small


def shares(small: SmallLake, name: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Both parts of every share by interval (minutes from the start) and dimensions."""
    connector = load_connector(SQL / "connectors" / name)
    window = Window(START, START + HOUR)
    assert check(connector, small.engine, window).warnings == ()
    [measure] = connector.measures
    rows = small.engine.query(connector.query, window).to_pylist()
    found = {}
    for row in rows:
        at = str(row["timestamp"].minute)
        key = (at, *(row[dimension] for dimension in connector.dimensions))
        found[key] = (row[measure.of[0]], row[measure.of[1]])
    assert len(found) == len(rows) > 1
    return found


def test_blocked_share(small: SmallLake) -> None:
    all_of = Counter((str(minute // 5 * 5), webacl) for webacl, _, _, _, minute in SEEN)
    blocked = Counter(
        (str(m // 5 * 5), webacl) for webacl, _, action, _, m in SEEN if action == "BLOCK"
    )

    assert shares(small, "waf_blocked_share") == {
        key: (blocked[key], n) for key, n in all_of.items()
    }


def test_country_share(small: SmallLake) -> None:
    allowed = Counter((acl, country) for acl, country, action, _, _ in SEEN if action == "ALLOW")
    total = Counter(acl for acl, _, action, _, _ in SEEN if action == "ALLOW")

    found = shares(small, "waf_country_share")

    assert found == {
        ("0", webacl, country): (allowed[webacl, country], total[webacl])
        for webacl, country in {(acl, country) for acl, country, *_ in SEEN}
    }
    assert found["0", "shop", "BR"][0] == 0


def test_challenge_solve_rate(small: SmallLake) -> None:
    ran = Counter((str(m // 5 * 5), acl, "CHALLENGE") for acl, _, _, outcome, m in SEEN if outcome)
    solved = Counter(
        (str(m // 5 * 5), acl, "CHALLENGE") for acl, _, _, outcome, m in SEEN if outcome == "SOLVED"
    )

    assert shares(small, "waf_challenge_solve_rate") == {
        key: (solved[key], n) for key, n in ran.items()
    }
