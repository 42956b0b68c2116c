"""Expectations on frames, beside what a ValidationDefinition of Great Expectations finds there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import great_expectations as gx
import pandas as pd
import pytest
from great_expectations import expectations as gxe

from bartizan.validate import suite
from bartizan.validate.checks import Checks


def accounts() -> list[pd.DataFrame]:
    good = {
        **dict.fromkeys(("records", "records_accounted", "requests", "requests_in_files"), 20),
        **dict.fromkeys(("rule_hits", "rule_hits_in_files"), 3),
        **dict.fromkeys(("quarantined", "quarantined_in_files"), 0),
        "quarantined_share": 0.0,
        "files_with_other_columns": 0,
    }
    changes: list[dict[str, float]] = [
        {},
        {"records_accounted": 19, "rule_hits_in_files": 4},
        {"quarantined_share": 0.6, "files_with_other_columns": 2},
        {"records": 1, "records_accounted": 1, "quarantined_share": 1.0},
        {},
    ]
    return [pd.DataFrame([good | change]) for change in changes]


def requests() -> list[pd.DataFrame]:
    good = pd.DataFrame(
        {
            "event_ms": [1_700_000_000_000] * 40,
            "action": ["ALLOW", "BLOCK"] * 20,
            "webacl_id": ["a"] * 40,
            "client_ip": ["192.0.2.1"] * 40,
            "uri": [f"/{number}" for number in range(40)],
            "method": ["GET"] * 40,
            "terminating_rule_id": ["r"] * 40,
            "client_ip_is_address": [True] * 40,
            "hours_from_delivery": [0.0] * 40,
        }
    )
    odd, empty = good.copy(), good.copy()
    odd.loc[:4, "action"] = "<b>"
    odd.loc[3:7, "event_ms"] = [5, 6, 7, 8, 4_102_444_800_000]
    odd.loc[:1, "uri"] = None
    odd.loc[:2, "method"] = None
    odd.loc[7:12, "client_ip_is_address"] = False
    odd.loc[9:, "hours_from_delivery"] = [float("nan"), *(float(hour) for hour in range(30))]
    empty[["client_ip", "action"]] = None
    texts = ["action", "webacl_id", "client_ip", "uri", "method", "terminating_rule_id"]
    return [frame.astype(dict.fromkeys(texts, "category")) for frame in (good, odd, empty, good)]


def by_definition(
    expectations: Sequence[Any], frames: Sequence[pd.DataFrame]
) -> list[list[tuple[object, ...]]]:
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("source").add_dataframe_asset("asset")
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name="definition",
            data=asset.add_batch_definition_whole_dataframe("whole"),
            suite=context.suites.add(gx.ExpectationSuite("suite", expectations=list(expectations))),
        )
    )
    found = []
    for frame in frames:
        outcome = definition.run(batch_parameters={"dataframe": frame})
        found.append([of_definition(one) for one in outcome.results])
    return found


def of_definition(outcome: Any) -> tuple[object, ...]:
    config, found = outcome.expectation_config, outcome.result
    subject = config.kwargs.get("column") or config.kwargs["column_A"]
    examples = ", ".join(map(repr, found["partial_unexpected_list"][:3]))
    counts = f"{found['unexpected_count']} of {found['element_count']} rows unexpected"
    observed = counts + (f", such as {examples}" if examples else "")
    return config.type, subject, config.meta["level"], outcome.success, observed


@pytest.mark.parametrize(
    ("expectations", "frames", "failing"),
    [(suite.of_account, accounts, [0, 2, 2, 1, 0]), (suite.of_requests, requests, [0, 5, 2, 0])],
)
def test_results_are_those_of_a_validation_definition(
    expectations: Callable[[Any], list[Any]],
    frames: Callable[[], list[pd.DataFrame]],
    failing: list[int],
) -> None:
    checks = Checks(expectations(gxe))
    results = [checks.run(frame) for frame in frames()]

    assert [sum(not one.passed for one in of_frame) for of_frame in results] == failing
    shown = [
        [
            (one.expectation, one.subject.split(" = ")[0], one.level, one.passed, one.observed)
            for one in of_frame
        ]
        for of_frame in results
    ]
    assert shown == by_definition(expectations(gxe), frames())


def test_what_cannot_be_computed_fails_and_says_why() -> None:
    checks = Checks(suite.of_requests(gxe))
    good, *_ = requests()

    results = checks.run(good.assign(event_ms="yesterday"))

    [failed] = [one for one in results if not one.passed]
    assert (failed.expectation, failed.level) == ("expect_column_values_to_be_between", "fail")
    assert failed.subject == "event_ms"
    assert failed.observed.startswith("Column values, min_value, and max_value must")
    assert all(one.passed for one in checks.run(good))
