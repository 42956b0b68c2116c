"""Crawl: runs connectors and writes metric files on the paths Lookout for Metrics reads."""

from bartizan.crawl.check import ConnectorCheck, check
from bartizan.crawl.config import load_connector, load_connectors
from bartizan.crawl.history import BackfillResult, backfill
from bartizan.crawl.live import CrawlResult, crawl

__all__ = [
    "BackfillResult",
    "ConnectorCheck",
    "CrawlResult",
    "backfill",
    "check",
    "crawl",
    "load_connector",
    "load_connectors",
]
