"""Explorer, Series and Contributions in a real browser, before a real Airflow."""

from __future__ import annotations

import csv
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow_server import AirflowServer
from axe_findings import serious_findings
from browser_windows import PHONE, Open
from dashboard_house import DETECTOR, DashboardHouse
from dashboard_scene import HOSTILE
from incidents import DAY_START
from playwright.sync_api import Browser, Locator, Page, expect
from score_house import scored

from bartizan.model.window import DAY, Window

TODAY = f"window=2026-11-16/2026-11-17&detector={DETECTOR}&measure=blocked"
ONE = f"{TODAY}&where=webacl:shop&where=rule:SQLi_BODY"
EXPLORER = f"bartizan/explorer?{TODAY}&by=rule"
VIEWS = (
    "bartizan/explorer",
    EXPLORER,
    f"{EXPLORER}&where=rule:SQLi_BODY&picked=2026-11-16T01:00Z/2026-11-16T03:00Z",
    f"bartizan/series?{ONE}",
    f"bartizan/series?{TODAY}",
    "bartizan/series?window=2026-10-01/2026-10-02",
    f"bartizan/contributions?{TODAY}",
)


@pytest.fixture(scope="module", autouse=True)
def scores(house: DashboardHouse) -> None:
    """Two weeks of the series of the scene's incidents, and of one that is quiet."""
    week = 7 * 288
    odd = {(0, week + 12 + n): (120.0, 99.0, "count_tail") for n in range(3)}
    odd |= {(2, week + 60): (120.0, 75.0, "spike"), (1, week + 200): (30.0, 45.0, "rise")}
    series = [("shop", "SQLi_BODY"), ("blog", "XSS_BODY"), (HOSTILE, HOSTILE)]
    series += [("shop", "quiet"), ("shop", "calm")]
    scored(DETECTOR, Window(DAY_START - 7 * DAY, DAY_START + DAY), series, odd)


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def cells(page: Page, row: str) -> Locator:
    return page.get_by_role("row", name=row).get_by_role("gridcell")


def test_an_incident_is_followed_to_its_series_and_contributions(open_page: Open) -> None:
    page = open_page("bartizan/")
    page.get_by_role("link", name="rule SQLi_BODY").first.click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    expect(page.get_by_role("cell", name="198.51.100.7").first).to_be_visible()
    page.get_by_role("link", name="Series", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Blocked of shop, SQLi_BODY")
    expect(page.locator(".chart canvas")).to_be_visible()  # drawn by script instead of the SVG
    expect(page.get_by_text("12 times the usual")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("row", name="16 Nov 01:00 120")).to_be_visible()
    page.get_by_role("link", name="Contributions", exact=True).click()
    expect(page.get_by_role("heading", name="What makes the difference")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Any rule").click()
    page.get_by_role("link", name="Contributions", exact=True).click()
    expect(page.get_by_text("rule = SQLi_BODY: 360 against an expected 30")).to_be_visible()
    expect(page.get_by_text("read_parquet(")).to_be_hidden()
    page.get_by_role("row", name="SQLi_BODY").get_by_role("link", name="360").click()
    expect(page.get_by_text("read_parquet(")).to_be_visible()


def test_a_selection_is_dragged_and_leads_on(open_page: Open) -> None:
    page = open_page(EXPLORER)
    row = cells(page, "SQLi_BODY")
    first, last = row.nth(2), row.nth(5)
    first.hover()
    page.mouse.down()
    last.hover()
    expect(page.locator("td.held")).to_have_count(4)
    page.mouse.up()
    expect(
        page.get_by_role("heading", name="Most unusual series of what is chosen")
    ).to_be_visible()
    assert asked(page)["picked"] == ["2026-11-16T01:00:00Z/2026-11-16T03:00:00Z"]
    assert asked(page)["where"] == ["rule:SQLi_BODY"]
    expect(page.locator("td.in")).to_have_count(4)
    expect(page.get_by_role("listitem").filter(has_text="quiet")).to_have_count(0)
    series = page.locator("section[aria-labelledby=series]")
    series.get_by_role("link", name="Series").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Blocked of shop, SQLi_BODY")
    assert asked(page)["picked"] == ["2026-11-16T01:00Z/2026-11-16T03:00Z"]


def test_a_deploy_is_marked_seen_in_the_chart_and_removed(open_page: Open) -> None:
    page = open_page(f"{EXPLORER}&picked=2026-11-16T01:00Z/2026-11-16T03:00Z")
    page.get_by_text("Mark a deploy").click()
    expect(page.get_by_label("When (UTC)")).to_have_value("2026-11-16T01:00")
    page.get_by_label("What", exact=True).fill("<img src=x onerror=window.hit=1> 4.2")
    page.get_by_role("button", name="Mark", exact=True).click()
    happened = page.locator("section[aria-labelledby=marks]")
    expect(happened.get_by_text("4.2, by anna")).to_be_visible()
    expect(page.locator("td.mark.deploys")).to_have_count(1)
    assert asked(page)["picked"] == ["2026-11-16T01:00Z/2026-11-16T03:00Z"]
    assert page.evaluate("window.hit") is None
    assert serious_findings(page) == []
    page.goto(f"{page.url.split('bartizan')[0]}bartizan/series?{ONE}")
    expect(page.locator("figcaption").get_by_text("deploy")).to_be_visible()
    expect(page.locator(".chart canvas")).to_be_visible()
    page.go_back()
    happened.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No deploy, no block")).to_be_visible()


def test_over_several_rows_only_the_time_is_chosen(open_page: Open) -> None:
    page = open_page(EXPLORER)
    cells(page, "SQLi_BODY").nth(2).hover()
    page.mouse.down()
    cells(page, "XSS_BODY").nth(3).hover()
    page.mouse.up()
    expect(page.get_by_text("zoom in")).to_be_visible()
    assert "where" not in asked(page)
    page.get_by_role("link", name="zoom in").click()
    expect(page.get_by_text("16 Nov 2026 01:00 to 16 Nov 2026 02:00")).to_be_visible()


def test_by_keyboard_alone_a_part_is_chosen(open_page: Open) -> None:
    page = open_page(EXPLORER)
    page.locator("table.heat td[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("td.held")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("td.held")).to_have_count(0)
    expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile(": nothing unusual"))
    page.keyboard.press("ArrowLeft")
    expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("critical 99"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("zoom in")).to_be_visible()
    assert asked(page)["where"] == ["rule:SQLi_BODY"]
    assert len(page.locator("td.in").all()) == 1


def test_a_tap_chooses_a_cell(airflow: AirflowServer, browser: Browser) -> None:
    size = {"width": PHONE[0], "height": PHONE[1]}
    window = browser.new_context(viewport=size, has_touch=True)  # type: ignore[arg-type]
    cookie = {"name": "_token", "value": airflow.token("vera"), "url": airflow.url}
    window.add_cookies([cookie])  # type: ignore[list-item]
    page = window.new_page()
    page.goto(f"{airflow.url}/{EXPLORER}")
    cells(page, "SQLi_BODY").nth(2).tap()
    expect(page.get_by_text("zoom in")).to_be_visible()
    assert asked(page)["where"] == ["rule:SQLi_BODY"]
    window.close()


def test_without_script_all_is_there(airflow: AirflowServer, browser: Browser) -> None:
    window = browser.new_context(java_script_enabled=False)
    cookie = {"name": "_token", "value": airflow.token("vera"), "url": airflow.url}
    window.add_cookies([cookie])  # type: ignore[list-item]
    page = window.new_page()
    page.goto(f"{airflow.url}/{EXPLORER}")
    page.get_by_role("rowheader", name="SQLi_BODY").get_by_role("link").click()
    page.locator("section[aria-labelledby=series]").get_by_role("link", name="Series").click()
    expect(page.locator(".chart svg")).to_be_visible()
    expect(page.locator(".chart polyline.value")).to_have_count(1)
    window.close()


def test_csv_is_downloaded_by_who_may_only_look(open_page: Open) -> None:
    page = open_page(f"bartizan/series?{ONE}", name="vera")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == f"{DETECTOR}-202611160000.csv"
    with download.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 288
    assert [one["interval_start"][11:16] for one in rows if one["value"] == "120.0"] == [
        "01:00",
        "01:05",
        "01:10",
    ]


def test_what_attackers_wrote_does_nothing(airflow: AirflowServer, open_page: Open) -> None:
    page = open_page(EXPLORER)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in VIEWS:
        page.goto(f"{airflow.url}/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None, path
        assert page.locator('img[src="x"]').count() == 0
    assert said == []
    page.goto(f"{airflow.url}/{EXPLORER}")
    page.get_by_role("rowheader", name=HOSTILE).get_by_role("link").click()
    expect(page.get_by_role("list", name="Chosen")).to_contain_text(HOSTILE)
    page.locator("section[aria-labelledby=series]").get_by_role("link", name="Series").click()
    expect(page.locator(".chart canvas")).to_be_visible()
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(airflow: AirflowServer, open_page: Open, theme: str) -> None:
    page = open_page(EXPLORER, theme=theme)
    for path in VIEWS:
        page.goto(f"{airflow.url}/{path}")
        page.wait_for_load_state("networkidle")
        assert serious_findings(page) == [], path


@pytest.mark.parametrize("path", VIEWS)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page: Open, path: str) -> None:
    page = open_page(path, size=PHONE)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_finger_hits_every_link_of_the_selection(open_page: Open) -> None:
    asked = "window=2026-11-16/2026-11-17&picked=2026-11-16/2026-11-16T12:00Z&where=webacl:shop"
    page = open_page(f"bartizan/explorer?{asked}", size=PHONE)
    links = page.get_by_label("Selection").get_by_role("link").all()
    assert len(links) >= 9
    boxes = [box for link in links if (box := link.bounding_box())]
    small = [box for box in boxes if min(box["width"], box["height"]) < 24]  # WCAG 2.5.8
    assert (len(boxes), small) == (len(links), [])
