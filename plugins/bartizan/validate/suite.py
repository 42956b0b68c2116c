"""The expectations on a staged batch. Level `fail` rejects the batch, `warn` is shown only."""

from __future__ import annotations

from typing import Any

FAIL, WARN = "fail", "warn"

ACTIONS = ("ALLOW", "BLOCK", "CAPTCHA", "CHALLENGE")
EARLIEST_MS, LATEST_MS = 1_420_070_400_000, 4_102_444_800_000 - 1  # 2015 up to 2100
FARTHEST_HOURS = 25  # a day of delivery retries and an hour of buffering
MOST_QUARANTINED = 0.5  # share of the records
FEW_RECORDS = 10  # below it a share says little: one damaged object is no bad batch


def of_account(gxe: Any) -> list[Any]:
    """On the account of the batch: everything read is accounted for, most of it is usable."""
    pairs = (
        ("records", "records_accounted"),
        ("requests", "requests_in_files"),
        ("rule_hits", "rule_hits_in_files"),
        ("quarantined", "quarantined_in_files"),
    )
    records = gxe.row_conditions.Column("records")
    return [
        *(
            gxe.ExpectColumnPairValuesToBeEqual(column_A=one, column_B=other, meta=_level(FAIL))
            for one, other in pairs
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column="quarantined_share",
                max_value=MOST_QUARANTINED,
                row_condition=condition,
                meta=_level(level),
            )
            for condition, level in ((records >= FEW_RECORDS, FAIL), (records < FEW_RECORDS, WARN))
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="files_with_other_columns", max_value=0, meta=_level(FAIL)
        ),
    ]


def of_requests(gxe: Any) -> list[Any]:
    """On the requests of the batch, of which there is at least one."""
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="event_ms", meta=_level(FAIL)),
        gxe.ExpectColumnValuesToBeBetween(
            column="event_ms", min_value=EARLIEST_MS, max_value=LATEST_MS, meta=_level(FAIL)
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="hours_from_delivery", max_value=FARTHEST_HOURS, meta=_level(WARN)
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="action", mostly=0.95, meta=_level(FAIL)),
        gxe.ExpectColumnValuesToBeInSet(
            column="action", value_set=list(ACTIONS), meta=_level(WARN)
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="client_ip_is_address", value_set=[True], mostly=0.95, meta=_level(WARN)
        ),
        *(
            gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=0.95, meta=_level(WARN))
            for column in ("webacl_id", "client_ip", "uri", "method", "terminating_rule_id")
        ),
    ]


def _level(level: str) -> dict[str, str]:
    return {"level": level}
