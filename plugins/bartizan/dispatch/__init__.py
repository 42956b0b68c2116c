"""Tells people and systems about incidents: one shape per channel, one outbox, one HTML report.

The report is imported by its own name (`bartizan.dispatch.report`): it loads matplotlib.
"""

from bartizan.dispatch.context import Context
from bartizan.dispatch.outbox import CHANNELS, DispatchResult, dispatch

__all__ = ["CHANNELS", "Context", "DispatchResult", "dispatch"]
