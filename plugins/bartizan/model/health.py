"""Bartizan's own health: incidents of a detector that is none, `bartizan_health`."""

from __future__ import annotations

from enum import StrEnum

HEALTH = "bartizan_health"


class HealthMeasure(StrEnum):
    """What is counted; usual is none of it."""

    NO_LOGS = "hours_without_logs"
    INCOMPLETE_LOGS = "hours_with_incomplete_logs"  # by web ACL, as reconciled with CloudWatch
    REJECTED = "rejected_batches"
    DEAD = "dead_messages"  # by channel
    FAILED = "failed_detectors"  # by detector
    BEHIND = "hours_behind"  # by detector
    EDITED = "addresses_changed_by_others"  # by IP set


ABOUT_LOGS = (HealthMeasure.NO_LOGS, HealthMeasure.INCOMPLETE_LOGS)
