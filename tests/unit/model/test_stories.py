from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from incidents import anomaly, incident

from bartizan.model.anomaly import Explanation, Incident, RootCause
from bartizan.model.stories import Story, is_history, join, order
from bartizan.model.story_link import StoryLink

HOUR = timedelta(hours=1)


def blocked(at: int, rule: str, webacl: str = "shop", **samples: str) -> Incident:
    found = incident([anomaly(at, {"webacl": webacl, "rule": rule})])
    return replace(found, samples=(samples,) if samples else ())


def uris(at: int, uri: str, webacl: str = "shop") -> Incident:
    dimensions = {"webacl": webacl, "uri_template": uri}
    return incident([anomaly(at, dimensions)], detector="waf_top_uris", measure="requests")


def total(at: int, webacl: str = "shop") -> Incident:
    return incident([anomaly(at, {"webacl": webacl})], detector="waf_allowed", measure="allowed")


def ids(stories: tuple[Story, ...]) -> list[set[str]]:
    return [{one.id for one in story.incidents} for story in stories]


def test_what_shares_a_cause_at_one_time_and_place_is_one_story() -> None:
    first = blocked(10, "SQLi", uri="/orders/17", country="VN", method="GET")
    same_uri, other_uri = uris(11, "/orders/{id}"), uris(10, "/orders")
    elsewhere, later = uris(11, "/orders/{id}", "blog"), uris(13, "/orders/{id}")
    found = join([later, elsewhere, other_uri, same_uri, first])
    alone = [{other_uri.id}, {elsewhere.id}, {later.id}]
    assert sorted(ids(found), key=sorted) == sorted([{first.id, same_uri.id}, *alone], key=sorted)
    assert next(s.id for s in found if len(s.incidents) == 2) == first.id
    # Two rules have nothing in common, until the total of the web ACL moves too.
    rules = [blocked(30, "XSS"), blocked(31, "Bots")]
    assert len(join(rules)) == 2
    assert len(join([*rules, total(31)])) == 1
    assert len(join([*rules, total(31, "blog")])) == 3


def test_a_root_cause_joins_and_windows_are_widened_by_the_longer_interval() -> None:
    cause = RootCause((("webacl", "shop"), ("country", "VN")), 90.0, 3.0, 80)
    explained = replace(blocked(24, "SQLi"), explanation=Explanation((cause,), 1.0, 1.0, True))
    hourly = incident(
        [anomaly(0, {"webacl": "shop", "country": "VN"}, step=HOUR)], "by_country", "requests"
    )
    # The hour ends at 01:00; 02:00 is outside of it even widened by an hour, 01:55 is not.
    assert len(join([explained, hourly])) == 2
    earlier = replace(blocked(23, "SQLi"), explanation=explained.explanation)
    assert len(join([earlier, hourly])) == 1


def test_a_story_that_was_told_keeps_its_id_when_an_earlier_incident_comes_late() -> None:
    first, second = blocked(10, "SQLi"), total(10)
    told = {one.id: story.id for story in join([first, second]) for one in story.incidents}
    late = total(9)
    (story,) = join([late, first, second], told)
    assert story.incidents[0] == late
    assert {story.id} == set(told.values())
    # What would make one of two told stories leaves both as they are.
    apart = {first.id: first.id, second.id: second.id}
    stories = join([first, second, late], apart)
    assert {s.id for s in stories} == {first.id, second.id}
    assert sum(len(s.incidents) for s in stories) == 3


def test_incidents_without_dimensions_join_with_their_own_detector_only() -> None:
    load = [incident([anomaly(at, {})], detector=name) for at, name in ((1, "a"), (2, "a"))]
    other = incident([anomaly(1, {})], detector="b")
    assert len(join([*load, other])) == 2


@st.composite
def many(draw: st.DrawFn) -> list[Incident]:
    count = draw(st.integers(1, 14))
    found = {}
    for _ in range(count):
        at, webacl = draw(st.integers(0, 12)), draw(st.sampled_from(["shop", "blog"]))
        kind = draw(st.sampled_from([blocked, uris, total]))
        cause = draw(st.sampled_from(["/a", "/b"]))
        one = total(at, webacl) if kind is total else kind(at, cause, webacl)  # type: ignore[operator]
        found[one.id] = one
    return list(found.values())


@given(many(), st.randoms(use_true_random=False), st.integers(0, 14))
def test_order_does_not_matter_and_what_was_told_never_changes(
    incidents: list[Incident], random: object, known: int
) -> None:
    once = join(incidents)
    shuffled = list(incidents)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert join(shuffled) == once
    assert sorted(one.id for s in once for one in s.incidents) == sorted(i.id for i in incidents)
    for story in once:
        assert list(story.incidents) == sorted(story.incidents, key=order)
        assert story.id == story.incidents[0].id
        assert len({one.peak.dimensions[0] for one in story.incidents}) == 1
    told = {one.id: s.id for s in join(incidents[:known]) for one in s.incidents}
    again = {one.id: s.id for s in join(shuffled, told) for one in s.incidents}
    assert told.items() <= again.items()
    assert {o.id: s.id for s in join(incidents, again) for o in s.incidents} == again
    # Only stories that were told apart may stay apart.
    assert len(set(again.values())) <= max(len(once), len(set(told.values())) + len(once))


def test_what_is_found_long_after_it_ended_is_history_and_says_so() -> None:
    one = blocked(10, "SQLi")
    assert not is_history(replace(one, updated_at=one.window.end + timedelta(hours=24)))
    assert is_history(replace(one, updated_at=one.window.end + timedelta(hours=25)))
    said = StoryLink("s", (("d", "a"), ("d", "b")), 3, True).in_words
    assert "history" in said
    assert "with a, b and 3 more." in said
    assert StoryLink("s").in_words == ""
