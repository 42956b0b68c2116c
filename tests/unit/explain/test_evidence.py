from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from incidents import DAY_START, anomaly, incident
from lakes import SmallLake, landed

from bartizan.aggregate.build import build_all
from bartizan.aggregate.spec import load_tables
from bartizan.config import PROJECT
from bartizan.explain import explain, samples
from bartizan.explain.evidence import evidence
from bartizan.explain.queries import queries
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector, Measure
from bartizan.model.evidence import FirstSeen, Impact
from bartizan.model.story import story
from bartizan.model.window import Window
from bartizan.store.incidents import load_incidents, replace_incidents
from bartizan.store.stories import story_links

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
HOSTILE = "o'x\\'; drop table waf.requests; -- {{ start }} \u202e🦊"
CONNECTOR = Connector(
    name="waf_traffic_by_country",
    description="Requests by web ACL and country",
    frequency=HOUR,
    offset=timedelta(),
    timestamp="timestamp",
    dimensions=("webacl", "country"),
    measures=(Measure("requests"),),
    query="""
select bucket as "timestamp", webacl, country, cast(sum(requests) as bigint) as requests
from agg.agg_country_1h
where bucket >= {{ start }} and bucket < {{ end }}
group by bucket, webacl, country -- by hour
""",
)


def by_country(**countries: float) -> Incident:
    found = [
        anomaly(0, {"webacl": "shop", "country": name}, value=count, expected=0, step=HOUR)
        for name, count in countries.items()
    ]
    return incident(found, CONNECTOR.name, "requests")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """An hour and the same a week before: 200 and 190 allowed requests from DE, then 30 from TD."""
    small = SmallLake.open(tmp_path_factory.mktemp("evidence"))
    rows = [
        {"event_time": start + timedelta(seconds=at), "country": country, "action": action}
        | {"record_hash": at, "uri": f"/{country}"}
        for start, count, country, action in (
            (DAY_START - WEEK, 190, "DE", "ALLOW"),
            (DAY_START - WEEK + timedelta(minutes=50), 1, HOSTILE, "ALLOW"),
            (DAY_START, 200, "DE", "ALLOW"),
            (DAY_START + timedelta(minutes=30), 30, "TD", "BLOCK"),
            (DAY_START + timedelta(minutes=40), 5, HOSTILE, "BLOCK"),
        )
        for at in range(count)
    ]
    small.land("one", requests=landed("requests", rows))
    names = ("agg_action_5m", "agg_country_1h")
    tables = load_tables(PROJECT / "include" / "sql")
    build_all(small.store, small.lake, small.engine, [tables[name] for name in names], None)
    return small


def test_what_got_through_and_what_was_never_seen(small: SmallLake) -> None:
    found = evidence(small.store, small.engine, CONNECTOR, by_country(TD=30, DE=10))
    assert found.impact == Impact(200, 191)
    assert not found.impact.changed
    assert found.first_seen == (FirstSeen("country", "TD", 7, True),)
    assert list(found.sentences()) == [
        "country TD was never seen before in 7 days.",
        "Traffic that got through did not change: 200 allowed requests, 191 a week before.",
    ]
    # HOSTILE was seen once a week before: it is not new.
    one = by_country(**{HOSTILE: 5})
    assert evidence(small.store, small.engine, CONNECTOR, one).first_seen == ()
    # An hour without a week before it: nothing is said, rather than a rise from zero.
    later = replace(one, window=Window(DAY_START, DAY_START + 2 * HOUR))
    assert evidence(small.store, small.engine, CONNECTOR, later).impact is None
    elsewhere = replace(CONNECTOR, engine="athena")
    assert evidence(small.store, small.engine, elsewhere, one).impact is None


def test_the_queries_give_the_numbers_again_whatever_the_values_hold(small: SmallLake) -> None:
    one = by_country(**{"TD": 30, HOSTILE: 5})
    values, requests = queries(CONNECTOR, one)
    with small.engine.session(["agg.agg_country_1h"], one.window) as connection:
        rows = connection.sql(values.sql).fetchall()
    assert sorted((country, count) for _, _, country, count in rows) == sorted(
        [("TD", 30), (HOSTILE, 5)]
    )
    with small.engine.session(["waf.requests"], one.window) as connection:
        (sample,) = connection.sql(requests.sql).fetchall()
    assert "30" in sample  # requests alike
    assert "'TD'" in values.sql  # as people write it
    assert HOSTILE not in values.sql
    assert not {"\u202e", "🦊"} & set(values.sql)
    long = by_country(**{"a" * 100_000: 5})
    assert list(queries(CONNECTOR, long)) == []
    assert list(queries(replace(CONNECTOR, query="", query_file="query.yaml"), long)) == []


def test_a_path_template_of_the_aggregate_finds_its_requests(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path)
    paths = [
        *("/a/17/b", "/a/18/b", "/a/x/b", "/a/17b"),
        *("/f/0123456789abcdef0", "/u/01234567-89ab-cdef-0123-456789abcdef/v", "/%7b1"),
    ]
    rows = [
        {"event_time": DAY_START + timedelta(seconds=at), "host": "h", "method": "GET", "uri": uri}
        for at, uri in enumerate(paths)
    ]
    small.land("one", requests=landed("requests", rows))
    tables = load_tables(PROJECT / "include" / "sql")
    build_all(small.store, small.lake, small.engine, [tables["agg_uri_5m"]], None)
    with small.engine.session(["agg.agg_uri_5m"], Window(DAY_START, DAY_START + HOUR)) as opened:
        built = opened.sql("select uri_template, requests from agg.agg_uri_5m").fetchall()
    assert sum(count for _, count in built) == len(paths)
    connector = replace(CONNECTOR, dimensions=("webacl", "uri_template"))
    for template, count in built:
        dimensions = {"webacl": "shop", "uri_template": template}
        one = incident([anomaly(0, dimensions)], "waf_top_uris", "requests")
        found = samples(small.engine, connector, one)
        assert sum(int(sample["requests_alike"]) for sample in found) == count, template
    assert ("/a/{id}/b", 2) in built


def test_explaining_saves_evidence_and_joins_stories_once(small: SmallLake, tmp_path: Path) -> None:
    whole_day = Window(DAY_START, DAY_START + timedelta(days=3))
    one, other = by_country(TD=30), replace(by_country(TD=9), id="b", measure="responses")
    apart = replace(by_country(DE=9), id="c", measure="allowed")
    replace_incidents(small.store, CONNECTOR.name, whole_day, [one, other, apart])
    connectors = {CONNECTOR.name: CONNECTOR}
    assert len(explain(small.store, tmp_path, small.engine, connectors)) == 3
    known = {c.incident.id: c.incident for c in load_incidents(small.store)}
    assert known[one.id].evidence == evidence(small.store, small.engine, CONNECTOR, one)
    assert "never seen before in 7 days. Traffic that got through" in story(known[one.id])
    links = story_links(small.store, known)
    assert links[one.id].id == links["b"].id == min(one, other, key=lambda i: i.measure).id
    assert links[one.id].others == ((CONNECTOR.name, "b"),)
    assert links["c"].others == ()
    assert links["c"].is_history  # scored through three days later
    # Withdrawn, then explained again: nobody changes story, and the withdrawn one is not named.
    replace_incidents(small.store, CONNECTOR.name, whole_day, [one, apart])
    assert explain(small.store, tmp_path, small.engine, connectors) == []
    assert story_links(small.store, known)[one.id].others == ()
    assert story_links(small.store, ["b"])["b"].id == links["b"].id


@pytest.mark.parametrize(
    ("now", "before", "says"),
    [
        *[(1000, 1000, "did not change"), (1090, 1000, "did not change"), (1110, 1000, "rose")],
        *[(880, 1000, "fell"), (3, 0, "rose"), (0, 0, "did not change"), (12, 8, "did not change")],
    ],
)
def test_a_change_is_more_than_a_tenth_and_more_than_chance(
    now: int, before: int, says: str
) -> None:
    assert says in Impact(now, before).in_words
