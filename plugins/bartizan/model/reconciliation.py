"""Whether what was logged is what AWS counted."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What the two numbers of an hour say, within the tolerance."""

    COMPLETE = "complete"
    MISSING = "missing"  # counted and not logged
    SURPLUS = "more than counted"
    FILTERED = "filtered"  # whole actions are absent from the log, the others agree
    NO_COUNTERS = "no counters"  # logged, but no datapoint in the whole window
    NO_WEBACL = "no web ACL"  # the records name no web ACL of AWS WAF v2
