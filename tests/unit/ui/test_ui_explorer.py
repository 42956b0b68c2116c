"""Explorer: what it shows is reckoned again from the stored scores."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from dashboard_house import Page
from fastapi import HTTPException
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from incidents import DAY_START, anomaly, incident
from score_house import COUNTRIES, HOSTILE, RULES, client, home, one_home, scored

from bartizan import jobs
from bartizan.config import PROJECT
from bartizan.model.health import HEALTH
from bartizan.model.landing import Batch, LogObject
from bartizan.model.text import inert
from bartizan.model.window import DAY, HOUR, Window, parse_time
from bartizan.store.incidents import replace_incidents
from bartizan.store.landing import add_batches, finish
from bartizan.ui import create_app
from bartizan.ui.data.heat import MOST_COLUMNS, column_step
from bartizan.ui.selection import Selection, around

NOW = DAY_START + DAY
ONE_DAY = Window(DAY_START, NOW)
BLOCKED = [("shop", "SQLi"), ("shop", "XSS"), ("blog", "SQLi"), *(("blog", x) for x in HOSTILE)]
TRAFFIC = [("shop", "DE"), ("shop", "FR"), ("blog", "DE")]
ODD_BLOCKED = {
    (0, 0): (90.0, 95.2, "spike"),
    (0, 7): (80.0, 60.0, "continues"),
    (1, 100): (70.0, 72.0, "spike"),
    (2, 287): (0.0, 12.4, "drop"),
    **{(3 + at, 150): (50.0, 85.0, "spike") for at in range(len(HOSTILE))},
}
ODD_TRAFFIC = {(0, 9): (99.0, 88.0, "spike"), (2, 20): (77.0, 45.0, "rise")}


TOLD = incident([anomaly(0, {"webacl": "shop", "rule": "SQLi"}, severity=95)])
OTHER = incident([anomaly(150, {"webacl": "blog", "rule": HOSTILE[0]}, severity=85)])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with one_home(tmp_path_factory):
        scored(RULES, ONE_DAY, BLOCKED, ODD_BLOCKED)
        scored(COUNTRIES, ONE_DAY, TRAFFIC, ODD_TRAFFIC)
        store, batch = jobs.open_store(), Batch.of([LogObject("s3://logs/a.gz", "1", 10)])
        replace_incidents(store, RULES, ONE_DAY, [TOLD, OTHER])
        add_batches(store, [batch])
        finish(store, batch, [], closed={DAY_START + 7 * HOUR: 1234, DAY_START - HOUR: 5})
        yield client(NOW)


def seen(site: TestClient, **asked: object) -> dict[str, dict[str, int]]:
    """Severity by row and start of the column."""
    found = site.get("/api/v1/explorer", params={"window": "2026-11-16/2026-11-17", **asked}).json()
    starts = [column["window"]["start"] for column in found["heat"]["columns"]]
    return {
        row["value"]: {starts[cell["column"]]: cell["severity"] for cell in row["cells"]}
        for row in found["heat"]["rows"]
    }


def expected_by(place: int) -> dict[str, dict[str, int]]:
    """The highest severities of half hours, of intervals of 5 minutes and of hours."""
    cells: dict[str, dict[str, float]] = defaultdict(dict)
    for series, odd, step in (
        (BLOCKED, ODD_BLOCKED, timedelta(minutes=5)),
        (TRAFFIC, ODD_TRAFFIC, HOUR),
    ):
        for (which, at), (_, severity, _) in odd.items():
            value, start = series[which][place], DAY_START + at * step
            first = start.replace(minute=start.minute // 30 * 30)
            for half in range(2 if step == HOUR else 1):
                key = f"{first + half * timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
                cells[value][key] = max(severity, cells[value].get(key, 0))
    return {
        value: {start: round(severity) for start, severity in row.items()}
        for value, row in cells.items()
    }


def test_cells_are_the_highest_severities(site: TestClient) -> None:
    shown = seen(site)
    assert shown == expected_by(0)
    assert list(shown) == ["shop", "blog"]  # the most severe first
    assert shown["shop"]["2026-11-16T00:00:00Z"] == 95
    assert shown["shop"]["2026-11-16T09:30:00Z"] == 88  # the second half of an hour


def test_rows_by_a_dimension_are_of_the_detectors_that_have_it(site: TestClient) -> None:
    by_country = seen(site, by="country")
    assert set(by_country) == {"DE"}
    assert set(by_country["DE"].values()) == {88, 45}
    assert set(seen(site, by="rule")) == {"SQLi", "XSS", *HOSTILE}
    assert set(seen(site, by="detector")) == {RULES, COUNTRIES}
    assert set(seen(site, by="measure")) == {"blocked", "requests"}
    assert seen(site, by="nonsense") == {}


def test_rows_are_by_the_dimension_that_most_have(site: TestClient) -> None:
    def by(**asked: str) -> str:
        found: str = site.get("/api/v1/explorer", params=asked).json()["selection"]["by"]
        return found

    assert (by(), by(detector=COUNTRIES), by(by="rule")) == ("webacl", "webacl", "rule")
    page = site.get("/explorer", params={"detector": COUNTRIES}).text
    rows = page[page.index('name="by"') : page.index("</select>", page.index('name="by"'))]
    assert re.findall(r">(\w+)</option>", rows) == ["webacl", "country", "measure", "detector"]


def test_values_chosen_narrow_the_rows_but_not_their_own(site: TestClient) -> None:
    assert set(seen(site, by="rule", where="webacl:shop")) == {"SQLi", "XSS"}
    assert seen(site, where="webacl:shop") == seen(site)  # its own rows stay to choose from
    assert set(seen(site, by="webacl", where="rule:XSS")) == {"shop"}
    assert set(seen(site, detector=COUNTRIES)["shop"].values()) == {88}
    assert seen(site, detector=COUNTRIES, measure="blocked") == {}


def test_series_and_incidents_are_of_what_is_chosen(site: TestClient) -> None:
    asked = {
        "window": "2026-11-16/2026-11-17",
        "picked": "2026-11-16/2026-11-16T01:00Z",
        "where": "webacl:shop",
    }
    found = site.get("/api/v1/explorer", params=asked).json()
    [series] = found["series"]
    assert series["dimensions"] == [["webacl", "shop"], ["rule", "SQLi"]]
    assert (series["value"], series["severity"], series["reason"]) == (90, 95, "spike")
    assert [one["id"] for one in found["incidents"]] == [TOLD.id]
    everything = site.get("/api/v1/explorer", params={"window": asked["window"]}).json()
    assert len(everything["series"]) == len({which for which, _ in ODD_BLOCKED}) + 2
    assert {one["id"] for one in everything["incidents"]} == {TOLD.id, OTHER.id}


def test_what_was_not_judged_is_not_called_quiet(site: TestClient) -> None:
    asked = {"window": "2026-11-15/2026-11-17"}
    columns = site.get("/api/v1/explorer", params=asked).json()["heat"]["columns"]
    judged = [parse_time(one["window"]["start"]) for one in columns if one["judged"]]
    assert len(judged) == len(columns) / 2
    assert all(at in ONE_DAY for at in judged)


def test_calendars_and_late_data_are_marked(
    tmp_path: Path, site: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = tmp_path / "sql"
    shutil.copytree(PROJECT / "include" / "sql" / "connectors" / RULES, sql / "connectors" / RULES)
    path = sql / "connectors" / RULES / "connector.yaml"
    entry = f'{{start: 2026-11-16T03:00, end: 2026-11-16T05:00, why: "{HOSTILE[0]}"}}'
    some = (
        "{start: 2026-11-16T09:00, end: 2026-11-16T10:00, why: sale, only: {webacl: [shop, api]}}"
    )
    path.write_text(f"{path.read_text()}\ncalendar:\n  mute: [{entry}]\n  exclude: [{some}]\n")
    monkeypatch.setenv("BARTIZAN_SQL", str(sql))
    asked = {"window": "2026-11-16/2026-11-17"}
    marks = site.get("/api/v1/explorer", params=asked).json()["marks"]
    assert [(one["kind"], one["window"]["start"], one["text"]) for one in marks] == [
        ("calendar", "2026-11-16T03:00:00Z", f"muted: {HOSTILE[0]}"),
        ("calendar", "2026-11-16T09:00:00Z", "excluded: sale (webacl shop or api only)"),
        ("late data", "2026-11-16T07:00:00Z", "1,234 requests came too late"),
    ]
    page = site.get("/explorer", params=asked).text
    assert page.count('class="mark ') == 4 + 2 + 2  # half hours
    assert "<script>window" not in page
    for webacl, shown in (("shop", True), ("app", False)):
        chosen = site.get("/api/v1/explorer", params=asked | {"where": f"webacl:{webacl}"}).json()
        assert shown is any(one["text"].startswith("excluded") for one in chosen["marks"])


def test_without_scores_it_says_what_to_wait_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, monkeypatch)
    empty = client(NOW)
    assert "Nothing was scored yet" in empty.get("/explorer").text
    for view in ("series", "contributions", "series.csv"):
        answer = empty.get(f"/{view}")
        assert (answer.status_code, "there are none yet" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"window": "2026-11-17/2026-11-16"}, "is not before"),
        ({"window": "yesterday"}, "START/END"),
        ({"window": "2020-01-01/2026-01-01"}, "longer than 366 days"),
        ({"window": "0001-01-01/0001-01-02"}, "beyond all data"),
        ({"window": "0001-01-01T00:00+10:00/2026-01-01"}, "beyond UTC"),
        ({"window": "9990-01-01/9990-01-02"}, "beyond all data"),
        ({"picked": "2026-11-16/9999-12-31T23:00-10:00"}, "beyond UTC"),
        ({"where": "country"}, "where=country:DE"),
        ({"where": [f"a{n}:b" for n in range(11)]}, "more than 10"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(
    site: TestClient, asked: dict[str, object], said: str
) -> None:
    for view in ("explorer", "series", "contributions"):
        answer = site.get(f"/api/v1/{view}", params=asked)
        assert answer.status_code == 400
        assert said in " ".join(answer.json().values())
        assert site.get(f"/{view}", params=asked).status_code == 400


def test_links_to_the_same_view_of_other_series_have_other_names(site: TestClient) -> None:
    page = Page(site.get(f"/explorer?window=2026-11-16/2026-11-17&detector={RULES}"))
    for view in ("series?", "contributions?"):
        links = [one for one in page.all("a") if (one["href"] or "").startswith(view)]
        named = [one["aria-label"] for one in links if "aria-label" in one]
        assert len(named) == len(set(named)) == len(BLOCKED)
        assert any(name and name.endswith("of blocked, shop, SQLi") for name in named)


def test_nobody_sees_it_without_access(site: TestClient) -> None:
    def refuse() -> None:
        raise HTTPException(401, "Not authenticated")

    closed = TestClient(create_app(refuse, b"key", lambda: NOW))
    views = ("explorer", "series", "contributions")
    for path in (*views, "series.csv", *(f"api/v1/{view}" for view in views)):
        assert site.get(f"/{path}").status_code == 200
        assert closed.get(f"/{path}").status_code == 401


@pytest.mark.parametrize(("days", "step"), [(1, 30), (7, 120), (30, 480), (365, 5760)])
def test_columns_are_few_and_no_shorter_than_an_interval(days: int, step: int) -> None:
    window = Window(DAY_START - days * DAY, DAY_START)
    found = column_step(window, timedelta(minutes=5))
    assert found == timedelta(minutes=step)
    assert days * DAY / found <= MOST_COLUMNS
    assert column_step(window, DAY) >= DAY


def test_days_are_named_where_there_are_several(site: TestClient) -> None:
    def ticks(window: str) -> list[str]:
        page = site.get("/explorer", params={"window": window}).text
        return re.findall(r'class="tick"><span>(.*?)</span>', page)

    assert ticks("2026-11-16/2026-11-17")[:3] == ["16 Nov", "03:00", "06:00"]
    week = ticks("2026-11-10/2026-11-17")
    assert week == [f"{day} Nov" for day in range(10, 17)]
    assert len(ticks("2025-11-17/2026-11-17")) <= 9


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(TEXTS, TEXTS)
def test_the_address_keeps_any_value(one: str, other: str) -> None:
    selection = Selection(ONE_DAY, where=(("rule", one), ("country", other)))
    assert parse_qs(selection.query, keep_blank_values=True)["where"] == [
        f"rule:{one}",
        f"country:{other}",
    ]


def test_the_address_keeps_the_whole_selection(site: TestClient) -> None:
    part = Window(DAY_START + timedelta(minutes=5, seconds=30), DAY_START + 2 * HOUR)
    chosen = Selection(ONE_DAY, part, RULES, "blocked", "rule", (("rule", HOSTILE[5]),))
    read = site.get(f"/api/v1/explorer?{chosen.query}").json()["selection"]
    assert read == {
        "window": ONE_DAY.as_json(),
        "picked": part.as_json(),
        "detector": RULES,
        "measure": "blocked",
        "by": "rule",
        "where": [["rule", HOSTILE[5]]],
    }


def test_of_an_incident_the_days_beside_it_are_shown() -> None:
    found = around(incident([anomaly(3, {"webacl": "shop", "rule": "x"})]), ())
    assert found.window == Window(DAY_START - DAY, DAY_START + DAY)
    assert found.picked == Window.parse("2026-11-16T00:15", "2026-11-16T00:20")
    assert datetime(2026, 11, 16, tzinfo=UTC) in found.window
    assert found.by == "webacl"


def test_an_incident_leads_to_its_scores_unless_it_has_none(site: TestClient) -> None:
    ours = incident([anomaly(5, {"check": "scheduler"})], detector=HEALTH, measure="health")
    replace_incidents(jobs.open_store(), HEALTH, ONE_DAY, [ours])
    assert "Look closer" not in site.get(f"/incident?id={ours.id}").text
    links = Links(site.get(f"/incident?id={OTHER.id}").text).links
    [series] = [link for link in links if link.startswith("series?")]
    asked = parse_qs(urlsplit(series).query)
    assert asked["where"] == ["webacl:blog", f"rule:{HOSTILE[0]}"]
    assert asked["picked"] == ["2026-11-16T12:30Z/2026-11-16T12:35Z"]
    found = site.get(f"/api/v1/{series}").json()
    assert found["why"]["at"] == "2026-11-16T12:30:00Z"


class Links(HTMLParser):
    """What a browser would run, and follow; and the text that it would show."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str | None] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes |= given.keys()
        if tag == "script":
            self.scripts.append(given.get("src"))
        if tag == "a":
            self.links.append(given["href"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("view", ["explorer?by=rule", "series?", "contributions?"])
def test_hostile_values_are_text_and_links_lead_to_them(site: TestClient, view: str) -> None:
    found = Links(site.get(f"/{view}&window=2026-11-16/2026-11-17&detector={RULES}").text)
    assert all(src and src.startswith("static/") for src in found.scripts)
    assert not any(
        name.startswith("on") or name in ("style", "srcdoc") for name in found.attributes
    )
    assert all(inert(value) in found.text for value in HOSTILE)
    chosen = {
        pair.partition(":")[2]
        for link in found.links
        for pair in parse_qs(urlsplit(link).query).get("where", [])
    }
    assert set(HOSTILE) <= chosen


def test_a_gauge_that_is_stuck_is_said_so_and_no_value_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, monkeypatch)
    odd = {(0, 5): (90.0, 95.0, "stuck"), (1, 6): (float("nan"), 80.0, "spike")}
    scored(RULES, ONE_DAY, BLOCKED[:2], odd)
    asked = {"window": "2026-11-16/2026-11-17", "detector": RULES}
    found = client(NOW).get("/api/v1/explorer", params=asked)
    page = client(NOW).get("/explorer", params=asked)
    assert (found.status_code, page.status_code) == (200, 200), found.text
    assert "hardly moves any more" in page.text
    assert "unknown instead of" in page.text
