from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from incidents import anomaly, incident

from bartizan.model.anomaly import Incident
from bartizan.model.relations import Order, relations
from bartizan.model.stories import Story, join, order

HOUR = timedelta(hours=1)


def moved(name: str, start: int, end: int, severity: float = 80.0) -> Incident:
    found = [anomaly(at, {"webacl": "shop"}, severity=severity) for at in range(start, end)]
    return incident(found, detector=name)


def test_what_began_before_moved_first_and_what_began_in_the_same_interval_is_unknown() -> None:
    lead = moved("lead", 12, 24)
    first, later = moved("first", 6, 24), moved("later", 18, 24)
    hourly = incident([anomaly(1, {"webacl": "shop"}, severity=80.0, step=HOUR)], "hourly")
    (story,) = join([lead, first, later, hourly])
    found = relations(story, lead)
    # Shared of either: first 12 of 18 intervals, later 6 of 12, hourly 12 of 12: 4/13, 3/13, 6/13.
    assert [(one.incident.detector, one.order, one.percent) for one in found.moves] == [
        ("first", Order.FIRST, 31),
        ("later", Order.LATER, 23),
    ]
    assert found.unknown == 46
    assert list(found.sentences()) == [
        "blocked of first moved first, 30 min before (31%).",
        "blocked of later moved later, 30 min after (23%).",
        "The order of the rest (46%) is unknown: it moved at the same time.",
        "What moved first need not be the cause.",
    ]
    assert relations(Story(lead.id, (lead,)), lead).unknown == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 20), st.floats(0, 100)),
        min_size=2,
        max_size=9,
    )
)
def test_shares_add_to_100_whatever_the_story(shapes: list[tuple[int, int, float]]) -> None:
    members = [moved(f"d{at}", s, s + n, level) for at, (s, n, level) in enumerate(shapes)]
    story = Story("one", tuple(sorted(members, key=order)))
    for lead in members:
        found = relations(story, lead)
        assert sum(one.percent for one in found.moves) + found.unknown == 100
        assert all(one.percent >= 0 and one.lag > timedelta() for one in found.moves)
