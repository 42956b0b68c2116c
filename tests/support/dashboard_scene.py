"""What the browser is shown: attacks of some severities, hostile values, one story of two, data."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from dashboard_house import DAY, DETECTOR, DashboardHouse, attack
from incidents import anomaly, incident, scores

from bartizan import jobs
from bartizan.detect.scores import save_scores
from bartizan.model.anomaly import Explanation, Incident, RootCause
from bartizan.model.evidence import Evidence, Impact, Query
from bartizan.store.detectors import DetectorStatus
from bartizan.store.incidents import save_explanation
from bartizan.store.validations import CheckResult, save_results

ROOT = "s3://logs/AWSLogs/111122223333/WAFLogs/eu-west-1"
HOSTILE = "\"'><script>window.hit=1</script><img src=x onerror=window.hit=1>"

INJECTION = attack(12, "shop", "SQLi_BODY", 99)
AGAIN = attack(100, "shop", "SQLi_BODY", 92)
SHARE = incident(
    [anomaly(13, {"webacl": "shop", "rule": "SQLi_BODY"}, 0.4, 0.02, severity=88)],
    detector="waf_blocked_share",
    measure="share",
)
INERT = attack(60, HOSTILE, HOSTILE, 75)


def scene(house: DashboardHouse) -> None:
    house.found(INJECTION, AGAIN, INERT, stories=False)
    house.found(SHARE, detector="waf_blocked_share")
    for one in (INJECTION, INERT):
        save_explanation(house.store, _explained(one), 1)
    house.watches(DETECTOR, series=73, series_ready=73)
    house.watches("waf_blocked_share", DetectorStatus.LEARNING, series=40, series_ready=12)
    frame = pd.concat([scores(one, hours=12) for one in (INJECTION, AGAIN)], ignore_index=True)
    save_scores(jobs.settings().lake, jobs.load_connector(DETECTOR), DAY, frame)
    batch = house.lands(
        *((f"{ROOT}/shop/2026/11/16/{hour:02}/05/a.gz", 900 + hour, 0, 0) for hour in range(6)),
        (f"{ROOT}/blog/2026/11/16/03/10/b.gz", 80, 4, 0),
        (f"{ROOT}/blog/2026/11/16/04/10/c.gz", 80, 0, 3),
    )
    checks = [
        CheckResult("expect_column_values_to_not_be_null", "action", "fail", True, "0 of 6000"),
        CheckResult("expect_column_values_to_be_between", HOSTILE, "warn", False, HOSTILE),
    ]
    save_results(house.store, batch.id, checks)


def _explained(one: Incident) -> Incident:
    webacl, rule = one.peak.dimensions
    sample = {
        "event_time": "2026-11-16T01:00:05Z",
        "client_ip": "198.51.100.7",
        "country": "NL",
        "action": "BLOCK",
        "rule": rule[1],
        "method": "POST",
        "host": "shop.example",
        "uri": "/search",
        "args": rule[1],
        "user_agent": rule[1],
        "requests_alike": "112",
    }
    cause = RootCause((webacl, rule), one.value, one.expected, 97)
    return replace(
        one,
        samples=(sample,) * 3,
        explanation=Explanation((cause,), 50.0, 49.0, True),
        evidence=Evidence(Impact(410, 400), (), (Query("Values by interval", "select 1\nfrom t"),)),
    )
