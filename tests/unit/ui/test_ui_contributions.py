"""Contributions: sums that a test reckons itself, and SQL that gives them again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from fastapi.testclient import TestClient
from incidents import DAY_START
from score_house import HOSTILE, LEVEL, RULES, SHARE, client, one_home, scored

from bartizan import jobs
from bartizan.model.window import DAY, HOUR, Window

NOW = DAY_START + DAY
HOUR_OF = "window=2026-11-16T02:00Z/2026-11-16T03:00Z"
WEBACLS = ("shop", "blog", "api")
NAMES = ("SQLi", "XSS", *HOSTILE)
SERIES = [(webacl, rule) for webacl in WEBACLS for rule in NAMES]
TWO = range(288 + 24, 288 + 36)  # from 02:00 to 03:00 of the second day that is scored
FLOOD = {(0, at): (LEVEL + 500.0, 99.0, "spike") for at in TWO}  # of shop, SQLi
FALL = {(len(NAMES) + 1, at): (0.0, 80.0, "drop") for at in TWO}  # of blog, XSS
SHARES = {(0, at): (40.0, 90.0, "spike") for at in range(24, 30)}
ASKED = f"{HOUR_OF}&detector={RULES}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with one_home(tmp_path_factory):
        scored(RULES, Window(DAY_START - DAY, NOW), SERIES, FLOOD | FALL)
        scored(SHARE, Window(DAY_START, NOW), [("shop",), ("blog",)], SHARES)
        yield client(NOW)


def read(site: TestClient, asked: str = ASKED) -> dict[str, Any]:
    found: dict[str, Any] = site.get(f"/api/v1/contributions?{asked}").json()
    return found


def parts(found: dict[str, Any], dimension: str) -> dict[str, dict[str, Any]]:
    [one] = [one for one in found["dimensions"] if one["dimension"] == dimension]
    return {part["value"]: part for part in one["parts"]}


def test_sums_of_all_and_of_each_value(site: TestClient) -> None:
    found = read(site)
    expected = 12 * LEVEL * len(SERIES)
    assert found["series"] == len(SERIES)
    assert found["expected"] == expected
    assert found["actual"] == expected + 12 * 500 - 12 * LEVEL
    assert found["normal"] is False
    webacls = parts(found, "webacl")
    assert set(webacls) == set(WEBACLS)
    assert webacls["shop"]["actual"] == 12 * (LEVEL * len(NAMES) + 500)
    assert webacls["blog"]["actual"] == 12 * LEVEL * (len(NAMES) - 1)
    assert webacls["api"]["actual"] == webacls["api"]["expected"] == 12 * LEVEL * len(NAMES)


def test_shares_are_of_the_whole_change(site: TestClient) -> None:
    webacls = parts(read(site), "webacl")
    change = 12 * 500 - 12 * LEVEL
    assert webacls["shop"]["share"] == round(100 * 12 * 500 / change) == 102
    assert webacls["blog"]["share"] == -2  # it fell
    assert webacls["api"]["share"] == 0
    assert list(webacls) == ["shop", "blog", "api"]  # what changed most first


def test_what_is_left_without_a_value(site: TestClient) -> None:
    webacls = parts(read(site), "webacl")
    rest = 12 * LEVEL * (2 * len(NAMES) - 1) / (12 * LEVEL * 2 * len(NAMES))
    assert webacls["shop"]["rest"] == pytest.approx(rest)
    assert webacls["shop"]["rest_normal"] is True
    assert webacls["api"]["rest_normal"] is False  # the flood is still there


def test_the_combination_that_changed_is_named(site: TestClient) -> None:
    found = read(site)
    [cause] = found["explanation"]["causes"]
    assert dict(cause["dimensions"]) == {"webacl": "shop", "rule": "SQLi"}
    assert (cause["value"], cause["expected"]) == (12 * (LEVEL + 500), 12 * LEVEL)
    assert found["explanation"]["rest_normal"] is True
    page = site.get(f"/contributions?{ASKED}").text
    assert "webacl = shop and rule = SQLi" in page


def test_of_a_quiet_time_nothing_is_explained(site: TestClient) -> None:
    found = read(site, f"window=2026-11-16T10:00Z/2026-11-16T11:00Z&detector={RULES}")
    assert (found["normal"], found["explanation"]) == (True, None)
    assert {part["share"] for part in parts(found, "webacl").values()} == {None}
    assert (
        "what chance makes"
        in site.get(
            f"/contributions?window=2026-11-16T10:00Z/2026-11-16T11:00Z&detector={RULES}"
        ).text
    )


def test_a_flood_in_one_of_few_series_is_not_taken_for_chance(site: TestClient) -> None:
    few = read(site, f"{ASKED}&where=rule:SQLi")
    assert (few["series"], few["normal"]) == (3, False)
    webacls = parts(few, "webacl")
    assert webacls["shop"]["rest_normal"] is True
    assert webacls["blog"]["rest_normal"] is False
    [cause] = few["explanation"]["causes"]
    assert (cause["dimensions"], cause["percent"]) == ([["webacl", "shop"]], 100)


def test_a_value_chosen_leaves_the_others_out(site: TestClient) -> None:
    found = read(site, f"{ASKED}&where=webacl:blog")
    assert (found["series"], found["actual"]) == (len(NAMES), 12 * LEVEL * (len(NAMES) - 1))
    assert [one["dimension"] for one in found["dimensions"]] == ["rule"]  # webacl has one value
    assert parts(found, "rule")["XSS"]["actual"] == 0


def test_what_does_not_add_up_has_means_and_no_shares(site: TestClient) -> None:
    found = read(site, f"{HOUR_OF}&detector={SHARE}")
    webacls = parts(found, "webacl")
    assert (webacls["shop"]["actual"], webacls["blog"]["actual"]) == (25, 10)
    assert (found["actual"], found["expected"]) == (17.5, 10)
    assert (webacls["shop"]["share"], found["explanation"], found["queries"]) == (None, None, {})


def test_the_sql_of_expected_gives_the_numbers_again(
    site: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = jobs.settings().lake
    for where in ("", "&where=webacl:shop"):
        found = read(site, ASKED + where)
        for dimension, queries in found["queries"].items():
            monkeypatch.chdir(lake)
            rows = duckdb.sql(queries[-1]["sql"]).fetchall()
            assert len(rows) == len(parts(found, dimension))
            assert {(value, observed, expected) for value, observed, expected in rows} == {
                (value, part["actual"], part["expected"])
                for value, part in parts(found, dimension).items()
            }


@pytest.mark.parametrize("value", HOSTILE)
def test_the_sql_of_a_hostile_value_is_of_that_value(
    site: TestClient, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    asked = {"window": "2026-11-16T02:00Z/2026-11-16T03:00Z", "detector": RULES}
    where = {"where": f"rule:{value}"}
    found = site.get("/api/v1/contributions", params={**asked, **where}).json()
    assert found["series"] == len(WEBACLS)
    observed, expected = found["queries"]["webacl"]
    monkeypatch.chdir(jobs.settings().lake)
    rows = duckdb.sql(expected["sql"]).fetchall()
    assert sorted(rows) == sorted((name, 12 * LEVEL, 12 * LEVEL) for name in WEBACLS)
    with duckdb.connect() as source:
        _aggregates(source, value)
        assert source.sql(observed["sql"]).fetchall() == [("shop", 7)]


def _aggregates(source: duckdb.DuckDBPyConnection, rule: str) -> None:
    """The two tables that the connector reads: seven blocked by the rule, and one by another."""
    at = (DAY_START + 2 * HOUR).replace(tzinfo=None)
    source.execute("create schema agg")
    source.execute(
        "create table agg.agg_rule_5m (bucket timestamp, webacl varchar, rule varchar,"
        " terminating boolean, rule_action varchar, hits bigint)"
    )
    source.execute(
        "create table agg.agg_action_5m"
        " (bucket timestamp, webacl varchar, action varchar, requests bigint)"
    )
    insert = "insert into agg.agg_rule_5m values (?, 'shop', ?, true, 'BLOCK', ?)"
    source.execute(insert, [at, rule, 7])
    source.execute(insert, [at, "another", 1])


def test_numbers_lead_to_their_sql(site: TestClient) -> None:
    page = site.get(f"/contributions?{ASKED}").text
    for dimension in ("webacl", "rule"):
        assert page.count(f'id="sql-{dimension}"') == 1
        values = len(parts(read(site), dimension))
        assert page.count(f'href="#sql-{dimension}"') == 2 * values
    assert os.fspath(jobs.settings().home) not in page


def test_a_long_time_is_cut_and_says_so(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bartizan.ui.data.contributions.MOST_BYTES", 1)
    asked = f"window=2026-11-15/2026-11-17&detector={RULES}"
    assert read(site, asked)["shown"]["start"] == "2026-11-16T00:00:00Z"
    assert "Only from 2026-11-16 00:00 UTC on" in site.get(f"/contributions?{asked}").text
