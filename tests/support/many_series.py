"""Daily metrics of many series, as files of a connector."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from bartizan.crawl.config import load_connector
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, naive

NAME = "many_series"
DAYS = 30
LEARNED_END = datetime(2026, 11, 12, tzinfo=UTC)  # daily metrics are learned from on Thursdays
TODAY = Window(LEARNED_END, LEARNED_END + DAY)
DESCRIBED = """
description: Daily counts of many clients
frequency: P1D
timestamp: {column: timestamp, format: yyyy-MM-dd HH:mm:ss}
dimensions: [webacl, client]
measures:
  - {name: requests, aggregation: SUM, missing: zero}
  - {name: balance, aggregation: SUM, missing: zero}
  - {name: delay, aggregation: AVG, missing: gap}
  - {name: users, aggregation: COUNT_DISTINCT, of: [user], missing: zero}
"""
QUERY = """select bucket as "timestamp", webacl, country as client, requests, requests as balance,
requests as delay, country as "user" from agg.agg_country_1h
where bucket >= {{ start }} and bucket < {{ end }}"""


def write_connector(connectors: Path) -> Connector:
    """Put its folder below the others."""
    folder = connectors / NAME
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text(DESCRIBED)
    (folder / "query.sql").write_text(QUERY)
    return load_connector(folder)


def write_metrics(metrics: Path, many: int) -> None:
    """DAYS of history before LEARNED_END, and the day after it. One in ten series appears late, one
    in forty is a level that hardly moves; on the last day one in a hundred bursts. The balance is
    below zero in the last shard only."""
    rng = np.random.default_rng(6)
    level = np.exp(rng.uniform(np.log(0.3), np.log(40), many))[:, None]
    requests = rng.poisson(level * rng.gamma(6, 1 / 6, (many, DAYS + 1)))
    requests[::40] = 5_000 + rng.integers(0, 3, (len(requests[::40]), DAYS + 1))
    requests[1::10, : DAYS // 3] = 0
    requests[7::100, -1] += 900
    requests[np.arange(many) % 10 != 1, 0] += 1
    series, day = np.nonzero(requests)
    count = requests[series, day]
    rows = pd.DataFrame(
        {
            "timestamp": np.datetime64(naive(LEARNED_END), "s")
            + (day - DAYS) * np.timedelta64(1, "D"),
            "webacl": np.char.add("acl-", (series * 9 // many).astype(str)),
            "client": np.char.add("client-", np.char.zfill(series.astype(str), 5)),
            "requests": count,
            "balance": np.where(series == many - 1, -count, count),
            "delay": rng.normal(20, 2, len(day)).round(3),
            "user": np.where(rng.random(len(day)) < 0.1, "", "u" + pd.Series(count).astype(str)),
        }
    ).sample(frac=1, random_state=3)
    history = metrics / NAME / "backtest" / "history.csv"
    live = metrics / NAME / "live" / f"{LEARNED_END:%Y%m%d}" / "0000" / "live.csv"
    today = rows["timestamp"] == np.datetime64(naive(LEARNED_END), "s")
    for file, some in ((history, rows[~today]), (live, rows[today])):
        file.parent.mkdir(parents=True)
        some.to_csv(file, index=False, date_format="%Y-%m-%d %H:%M:%S")
