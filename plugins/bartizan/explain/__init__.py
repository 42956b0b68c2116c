"""Explains incidents: who drives them, and which requests are behind them."""

from bartizan.explain.causes import root_causes
from bartizan.explain.contributions import contributions
from bartizan.explain.explanation import explanation
from bartizan.explain.run import explain
from bartizan.explain.samples import samples

__all__ = ["contributions", "explain", "explanation", "root_causes", "samples"]
