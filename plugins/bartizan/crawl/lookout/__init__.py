"""Converts custom connectors of Amazon Lookout for Metrics."""

from bartizan.crawl.lookout.convert import Imported, import_connector

__all__ = ["Imported", "import_connector"]
