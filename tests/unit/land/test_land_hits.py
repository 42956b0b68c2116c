"""Rule hits against a plain reading of the five places where a record names a rule."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from waf_logs import record

from bartizan.engines.duckdb import connect
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.rule_hits import rule_hits

ACTIONS = st.sampled_from(["BLOCK", "ALLOW", "COUNT", "CAPTCHA", "CHALLENGE", "block"])
RULES = st.fixed_dictionaries(
    {"ruleId": st.sampled_from("xyz"), "action": ACTIONS},
    optional={"overriddenAction": ACTIONS, "ruleMatchDetails": st.none()},
)
LIST_OF_RULES = st.none() | st.lists(RULES, max_size=2)
GROUPS = st.fixed_dictionaries(
    {"ruleGroupId": st.sampled_from(["g", "h", "managed"])},
    optional={
        "terminatingRule": st.none() | RULES,
        "nonTerminatingMatchingRules": LIST_OF_RULES,
        "excludedRules": st.none()
        | st.lists(st.fixed_dictionaries({"ruleId": st.sampled_from("xyz")}), max_size=2),
    },
)
MATCHES = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["BLOCK", "ALLOW", "CAPTCHA", "CHALLENGE"]),
        "terminatingRuleId": st.sampled_from(["Default_Action", "own", "managed"]),
        "terminatingRuleType": st.sampled_from(
            ["REGULAR", "RATE_BASED", "GROUP", "MANAGED_RULE_GROUP", None]
        ),
        "ruleGroupList": st.none() | st.lists(GROUPS, max_size=3),
        "nonTerminatingMatchingRules": LIST_OF_RULES,
    }
)
Hit = tuple[str | None, str, str, str | None, bool]


def expected_hits(entry: dict[str, Any]) -> Iterator[Hit]:
    """The five places of a record that name a rule, read one after the other."""
    groups = entry["ruleGroupList"] or []
    ended_by_rule = entry["terminatingRuleId"] != "Default_Action"
    by_group = entry["terminatingRuleType"] not in ("REGULAR", "RATE_BASED")
    # A group overridden to COUNT lets evaluation go on, so the last that fits has decided.
    fitting = [
        place
        for place, one in enumerate(groups)
        if ((one.get("terminatingRule") or {}).get("action") or "").upper() == entry["action"]
    ]
    decided = fitting[-1] if ended_by_rule and by_group and fitting else None
    if ended_by_rule and decided is None:
        yield None, entry["terminatingRuleId"], entry["action"], None, True  # (a)
    yield from non_terminating(None, entry["nonTerminatingMatchingRules"])  # (b)
    for place, one in enumerate(groups):
        name = one["ruleGroupId"]
        if rule := one.get("terminatingRule"):  # (c)
            overridden = rule.get("overriddenAction")
            yield name, rule["ruleId"], rule["action"], overridden, place == decided
        yield from non_terminating(name, one.get("nonTerminatingMatchingRules"))  # (d)
        for rule in one.get("excludedRules") or []:  # (e)
            yield name, rule["ruleId"], "EXCLUDED_AS_COUNT", None, False


def non_terminating(name: str | None, rules: Iterable[dict[str, Any]] | None) -> Iterator[Hit]:
    for rule in rules or []:
        yield name, rule["ruleId"], rule["action"], rule.get("overriddenAction"), False


def hits_of(records: Sequence[dict[str, Any]]) -> dict[int, Counter[Hit]]:
    """Rows of waf.rule_hits by the millisecond of their request."""
    text = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    found: dict[int, Counter[Hit]] = defaultdict(Counter)
    names = ("rule_group", "rule", "rule_action", "overridden_action", "terminating")
    with connect() as connection:
        for part in read_chunk([ObjectText("a.log", text)], Columns(), "batch").parts:
            rows = rule_hits(connection, part)
            for row in rows.to_pylist():
                found[row["event_ms"]][tuple(row[name] for name in names)] += 1
    return found


@settings(max_examples=40)
@given(st.lists(MATCHES, min_size=1, max_size=25))
def test_rule_hits_come_from_five_places(changes) -> None:
    records = [record(nth, **change) for nth, change in enumerate(changes)]
    found = hits_of(records)
    for one in records:
        assert found[one["timestamp"]] == Counter(expected_hits(one))


def test_a_group_overridden_to_count_did_not_terminate() -> None:
    counted = {"ruleGroupId": "g", "terminatingRule": {"ruleId": "x", "action": "BLOCK"}}
    blocked = {"ruleGroupId": "h", "terminatingRule": {"ruleId": "y", "action": "BLOCK"}}
    named = [{"ruleId": "group-g", "action": "COUNT"}]
    over = record(1, ruleGroupList=[counted, blocked], nonTerminatingMatchingRules=named)
    passed = record(
        2,
        ruleGroupList=[counted],
        nonTerminatingMatchingRules=named,
        terminatingRuleId="Default_Action",
        terminatingRuleType="REGULAR",
        action="ALLOW",
    )
    found = hits_of([over, passed])
    assert found[over["timestamp"]] == Counter(
        [
            ("g", "x", "BLOCK", None, False),
            ("h", "y", "BLOCK", None, True),
            (None, "group-g", "COUNT", None, False),
        ]
    )
    assert found[passed["timestamp"]] == Counter(
        [("g", "x", "BLOCK", None, False), (None, "group-g", "COUNT", None, False)]
    )
