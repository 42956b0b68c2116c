from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from incidents import anomaly, incident

from bartizan.model.anomaly import Direction
from bartizan.model.attack import AttackLabel
from bartizan.model.matching import match
from bartizan.model.story import compared, headline, span, story
from bartizan.model.text import inert, short
from bartizan.model.window import Window


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        (96, 8, "12 times the usual"),
        (20, 8, "2.5 times the usual"),
        (12, 8, "50% above the usual"),
        (400, 8000, "95% below the usual"),
        (0, 40, "absent where 40 is usual"),
        (96, 0.2, "96 where 0.2 is usual"),
        (5, float("nan"), "5 instead of unknown"),
    ],
)
def test_a_ratio_is_named_only_where_it_says_something(
    value: float, expected: float, words: str
) -> None:
    assert compared(value, expected) == words


def test_headline_and_story_name_what_when_how_much_and_who() -> None:
    one = incident(
        [
            anomaly(160, {"webacl": "shop", "rule": "SQLi"}, value=150, expected=6, severity=98.4),
            anomaly(162, {"webacl": "shop", "rule": "XSS\n<b>"}, value=42, expected=10),
        ]
    )
    assert headline(one) == "Blocked requests 12 times the usual: webacl shop, rule SQLi"
    text = story(one)
    for part in (
        "above the expected range from 2026-11-16 13:20 UTC to 2026-11-16 13:35 UTC (15 min)",
        "Observed 192, expected 16: 12 times the usual.",
        # 144 and 32 of 176
        "By rule: SQLi 82%, XSS\\u000a<b> 18%.",
        "The peak was at 2026-11-16 13:20 UTC: 150 against an expected 6",
        "Severity 98 of 100 (critical).",
    ):
        assert part in text
    assert text.isprintable()
    dip = incident([anomaly(1, {}, value=0, expected=40, direction=Direction.BELOW)])
    assert headline(dip) == "Blocked requests absent where 40 is usual"
    assert span(timedelta(days=1, hours=2, minutes=5)) == "1 d 2 h 5 min"


@pytest.mark.parametrize(
    ("reason", "words", "ran"),
    [
        ("stuck", "hardly moves any more", "moved unlike itself from"),
        ("restless", "moves up and down more than usual", "moved unlike itself from"),
        ("jointly", "is at odds with the other measures", "other measures were at odds from"),
    ],
)
def test_of_a_gauge_that_moves_unlike_itself_the_value_is_not_what_is_unusual(
    reason: str, words: str, ran: str
) -> None:
    peak = replace(anomaly(1, {"webacl": "shop"}, value=41, expected=40), reason=reason)
    one = incident([peak])
    assert headline(one) == f"Blocked requests {words}: webacl shop"
    assert ran in story(one)
    assert "expected range from" not in story(one)


@given(st.text(), st.integers(1, 30))
def test_short_text_is_the_start_of_the_inert_text(text: str, limit: int) -> None:
    assert inert(text).isprintable()
    cut = short(text, limit)
    assert len(cut) <= limit
    assert cut == inert(text) or (cut[-1] == "…" and inert(text).startswith(cut[:-1]))


@given(st.integers(0, 60), st.integers(1, 20), st.integers(0, 60), st.integers(1, 20))
def test_an_attack_matches_within_one_interval_on_its_own_web_acl_only(
    attack_at: int, attack_length: int, first: int, length: int
) -> None:
    one = incident(
        [anomaly(at, {"webacl": "shop", "rule": "r"}) for at in range(first, first + length)]
    )
    start = one.window.start + (attack_at - first) * timedelta(minutes=5)
    window = Window(start, start + attack_length * timedelta(minutes=5))
    seen_by = (one.detector,)
    labels = [AttackLabel("k", "", acl, window, (), seen_by) for acl in ("shop", "blog")]
    found = match(labels, [one])
    touching = attack_at - 1 < first + length and first < attack_at + attack_length + 1
    assert [len(attack.incidents) for attack in found.attacks] == [int(touching), 0]
    assert found.unmatched == (() if touching else (one,))
    assert found.found == int(touching)
    strict = match(labels, [one], slack=timedelta())
    assert strict.found == int(attack_at < first + length and first < attack_at + attack_length)


@pytest.mark.parametrize(
    ("dimensions", "visible", "found"),
    [
        ((("rule", "r"),), True, 1),
        ((("rule", "r"), ("country", "NL")), True, 1),  # the metrics know no countries
        ((("rule", "other"),), True, 0),
        ((("rule", "r"),), False, 0),
    ],
)
def test_an_attack_is_found_by_what_it_drives_where_it_can_be_seen(
    dimensions: tuple[tuple[str, str], ...], visible: bool, found: int
) -> None:
    one = incident([anomaly(0, {"webacl": "shop", "rule": "r"})])
    seen_by = (one.detector,) if visible else ("another_connector",)
    assert (
        match([AttackLabel("k", "", "shop", one.window, dimensions, seen_by)], [one]).found == found
    )
