"""Every answer forbids what pages do not need, and they need nothing that is forbidden."""

from __future__ import annotations

import pytest
from dashboard_house import DETECTOR, DashboardHouse, Page, attack
from fastapi import FastAPI

from bartizan.store.detectors import DetectorStatus

STORY = attack()
PAGES = (
    "/",
    f"/incident?id={STORY.id}",
    f"/answer?id={STORY.id}&kind=snooze",
    f"/answer?id={STORY.id}&kind=false_alarm",
    "/health",
    "/quarantine",
    "/detectors",
    f"/begin?name={DETECTOR}",
    "/tuning",
    "/explorer",
    "/audit",
    "/run?dag_id=other",
)
OTHERS = ("/api/v1/now", "/api/v1/openapi.json", "/static/report.css", "/static/dashboard.js")
WRONG = ("/nothing", "/incident?id=nothing", "/health?day=nothing", "/static/nothing")


def filled(house: DashboardHouse) -> None:
    house.found(STORY)
    house.watches(DETECTOR, DetectorStatus.LEARNING)


@pytest.mark.parametrize("path", [*PAGES, *OTHERS, *WRONG])
def test_only_our_own_files_may_run_or_be_loaded(house: DashboardHouse, path: str) -> None:
    filled(house)
    answer = house.client.get(path)
    assert (answer.status_code < 400) == (path not in WRONG)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("base-uri") == "'none'"
    assert {"script-src", "style-src", "frame-ancestors", "form-action"} <= policy.keys()
    assert set(policy.values()) == {"'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_goes_wrong_unforeseen_is_told_with_the_same_headers(house: DashboardHouse) -> None:
    house = DashboardHouse(own_app=True)
    app = house.client.app
    assert isinstance(app, FastAPI)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret of the server")

    answer = house.client.get("/broken")
    assert answer.status_code == 500
    assert "'none'" in answer.headers["content-security-policy"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", [*PAGES, *WRONG[:3]])
def test_pages_hold_no_script_and_no_style_and_link_by_relative_paths(
    house: DashboardHouse, path: str
) -> None:
    filled(house)
    page = Page(house.client.get(path))
    assert not page.all("style")
    assert all(one.get("src") for one in page.all("script"))
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src", "action"):
            target = attributes.get(name)
            assert target is None or not target.startswith(("/", "http", "javascript:", "data:"))


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_landmarks_headings_and_named_controls(house: DashboardHouse, path: str) -> None:
    filled(house)
    page = house.page(path)
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("h1"), tags.count("main"), tags.count("nav") >= 1) == (1, 1, True)
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    named = [one["id"] for _, one in page.elements if one.get("id")]
    assert len(named) == len(set(named))
    for one in [attributes for _, attributes in page.elements if "aria-labelledby" in attributes]:
        assert one["aria-labelledby"] in named


@pytest.mark.parametrize("path", PAGES)
def test_what_scrolls_can_be_reached_by_keyboard_and_names_are_on_what_has_a_role(
    house: DashboardHouse, path: str
) -> None:
    filled(house)
    house.lands(("s3://logs/AWSLogs/shop/2026/11/16/05/00/a.gz", 10, 0, 0))
    page = house.page(path)
    scrolling = [one for one in page.all("div") if (one.get("class") or "").startswith("scroll")]
    assert len(scrolling) >= (path.startswith("/incident") or path == "/health")
    for one in scrolling:
        assert one["tabindex"] == "0"
        assert one["role"] in ("region", "group")
        assert one.get("aria-label") or one.get("aria-labelledby")
    assert not [one for one in page.all("span") if "aria-label" in one and "role" not in one]


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_ours_leads_somewhere(house: DashboardHouse, path: str) -> None:
    filled(house)
    links = {one["href"] for one in house.page(path).all("a")}
    ours = {link for link in links if link and not link.startswith("#")}
    assert len(ours) >= 4
    for link in ours:
        assert house.client.get(f"/{link.removeprefix('./')}").status_code == 200, link
