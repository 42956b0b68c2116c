"""A person at the dashboard, in a real browser, before a real Airflow."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from airflow_server import AirflowServer
from axe_findings import serious_findings
from browser_windows import DESKTOP, PHONE, Open
from dashboard_house import DETECTOR, DashboardHouse
from dashboard_scene import AGAIN, INERT, INJECTION, SHARE
from playwright.sync_api import expect

from bartizan import jobs
from bartizan.store.audit import load_audit
from bartizan.store.feedback import load_feedback
from bartizan.store.handling import load_handling

VIEWS = (
    "bartizan/",
    f"bartizan/incident?id={INJECTION.id}",
    f"bartizan/incident?id={INERT.id}",
    f"bartizan/answer?id={INJECTION.id}&kind=false_alarm",
    "bartizan/intel",
    "bartizan/health",
    "bartizan/quarantine",
    "bartizan/detectors",
    f"bartizan/tuning?detector={DETECTOR}&threshold=95",
    "bartizan/rule?section=rules&place=1",
    "bartizan/rule?section=quiet&place=0",
    f"bartizan/begin?name={DETECTOR}&look=true",
    "bartizan/audit",
    "bartizan/run?dag_id=other",
    "bartizan/incident?id=nothing",
)


def test_nobody_is_let_in(open_page: Open) -> None:
    page = open_page("bartizan/", name=None)
    expect(page.get_by_role("heading")).to_have_text("Unauthorized")
    expect(page.get_by_text("Sign in to Airflow")).to_be_visible()
    expect(page.get_by_text("SQLi_BODY")).to_have_count(0)


def test_signed_in_to_airflow_one_finds_an_incident_and_acknowledges_it(
    house: DashboardHouse, open_page: Open
) -> None:
    page = open_page("", name=None)
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill("anna")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Bartizan").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("3 open stories")
    frame.get_by_role("link", name="rule SQLi_BODY").first.click()
    expect(frame.get_by_role("heading", name="What happened")).to_be_visible()
    expect(frame.get_by_text("open, nobody is on it")).to_have_count(1)
    expect(frame.locator(f'a[href="incident?id={SHARE.id}"]')).to_be_visible()  # of its story
    frame.get_by_role("button", name="Acknowledge").click()
    expect(frame.get_by_text("No more updates go to")).to_be_visible()
    assert load_handling(house.store) == []
    frame.get_by_label("Why").fill("looking at it")
    frame.get_by_role("button", name="Acknowledge").click()
    expect(frame.get_by_role("status")).to_have_text("Acknowledged.")
    expect(frame.get_by_text("acknowledged by anna").first).to_be_visible()
    (done,) = load_handling(house.store)
    assert (done.incident, done.by, done.why) == (INJECTION.id, "anna", "looking at it")
    assert [one.action for one in load_audit(house.store)] == ["acknowledge"]


def test_feedback_shows_its_effect_before_and_after(house: DashboardHouse, open_page: Open) -> None:
    page = open_page(f"bartizan/incident?id={AGAIN.id}")
    page.get_by_role("button", name="False alarm").click()
    expect(page.get_by_role("heading", name="What this changes")).to_be_visible()
    expect(page.locator(f'section a[href="incident?id={AGAIN.id}"]')).to_be_visible()
    assert load_feedback(house.store) == []
    page.get_by_label("Cause").select_option("software")
    page.get_by_label("Why").fill("a scanner of ours")
    page.get_by_role("button", name="False alarm").click()
    expect(page.get_by_role("status")).to_have_text("Noted as a false alarm.")
    expect(page.get_by_text("Feedback: false alarm by anna")).to_be_visible()
    (said,) = load_feedback(house.store)
    assert (said.incident, said.kind, said.by) == (AGAIN.id, "false_alarm", "anna")


def test_who_may_only_look_can_change_nothing(
    airflow: AirflowServer, house: DashboardHouse, open_page: Open
) -> None:
    before = (load_handling(house.store), load_feedback(house.store), load_audit(house.store))
    page = open_page(f"bartizan/incident?id={INJECTION.id}", name="vera")
    expect(page.get_by_role("heading", level=1)).to_contain_text("SQLi_BODY")
    expect(page.get_by_text("You may look, but not answer")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    me = page.request.get(f"{airflow.url}/bartizan/api/v1/me").json()
    assert (me["name"], me["may_write"]) == ("vera", False)
    form = {"id": INJECTION.id, "kind": "confirmed", "token": me["token"]}
    assert page.request.post(f"{airflow.url}/bartizan/answer", form=form).status == 403
    after = (load_handling(house.store), load_feedback(house.store), load_audit(house.store))
    assert after == before


def test_a_backfill_is_started_by_airflow_as_who_asks(
    airflow: AirflowServer, house: DashboardHouse, open_page: Open
) -> None:
    page = open_page("bartizan/detectors")
    card = page.locator(f"#{DETECTOR}")
    card.get_by_text("Backfill, watch live").click()
    card.get_by_label("From (UTC)").fill("2026-11-14T00:00")
    card.get_by_label("To (UTC)").fill("2026-11-16T00:00")
    card.get_by_role("button", name="Backfill").click()
    expect(card.get_by_role("status")).to_contain_text("Counting: queued")
    runs = f"{airflow.url}/api/v2/dags/backfill_{DETECTOR}/dagRuns"
    (run,) = page.request.get(runs).json()["dag_runs"]
    assert run["conf"] == {
        "start": "2026-11-14T00:00:00Z",
        "end": "2026-11-16T00:00:00Z",
        "dry_run": True,
        "backtest": False,
    }
    assert run["triggering_user_name"] == "anna"
    noted = load_audit(house.store)[0]
    assert (noted.by, noted.action, noted.outcome) == (
        "anna",
        "backfill",
        f"run {run['dag_run_id']}",
    )
    page.goto(f"{airflow.url}/dags/backfill_{DETECTOR}/runs/{run['dag_run_id']}")
    page.locator("a[href$='bartizan-run']").click()  # the tab of the run
    shown = page.frame_locator("iframe").locator(f"#{DETECTOR}")
    expect(shown.get_by_role("heading")).to_be_in_viewport()


def test_a_threshold_is_replayed_before_it_is_set(open_page: Open) -> None:
    page = open_page("bartizan/tuning")
    page.get_by_label("Detector").select_option(DETECTOR)
    page.get_by_label("Alert threshold").fill("95")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("heading", name="2 → 1 alerts")).to_be_visible()
    expect(page.get_by_text("No longer told: 1")).to_be_visible()
    expect(page.get_by_text("+alert: {threshold: 95}")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the diff").click()
    assert download.value.suggested_filename == "bartizan.diff"
    assert "+alert: {threshold: 95}" in download.value.path().read_text()


def test_a_rule_is_replayed_and_changed_in_the_file(house: DashboardHouse, open_page: Open) -> None:
    page = open_page("bartizan/detectors")
    page.get_by_role("link", name="Edit: Pager of every detector").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rule 2")
    expect(page.get_by_role("checkbox", name="pager")).to_be_checked()
    page.get_by_label("From severity").fill("80")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_role("row", name="pager 1 2")).to_be_visible()
    expect(page.get_by_role("row", name="chat 2 2")).to_be_visible()
    expect(page.get_by_text("+    min_severity: 80 # at night too")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("It was written into alerts.yaml")).to_be_visible()
    expect(page.get_by_text("Pager of every detector, from severity 80 on")).to_be_visible()
    noted = load_audit(house.store)[0]
    assert (noted.by, noted.action, noted.outcome) == ("anna", "edit_alerts", "done")


def test_the_page_says_when_it_is_no_longer_what_is(
    airflow: AirflowServer, house: DashboardHouse, open_page: Open
) -> None:
    page = open_page("bartizan/health")
    page.clock.install()
    with page.expect_response("**/api/v1/now"):
        page.goto(f"{airflow.url}/bartizan/")
    expect(page.get_by_text("Something has changed")).to_be_hidden()
    jobs.acknowledge_incident(INERT.id, "bob", datetime.now(UTC))
    with page.expect_response("**/api/v1/now"):
        page.clock.run_for(61_000)
    expect(page.get_by_text("Something has changed")).to_be_visible()


def test_a_page_that_nobody_sees_asks_for_nothing(airflow: AirflowServer, open_page: Open) -> None:
    page = open_page("bartizan/health")
    page.clock.install()
    with page.expect_response("**/api/v1/now"):
        page.goto(f"{airflow.url}/bartizan/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.run_for(300_000)
    assert asked == []
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false})")
    with page.expect_response("**/api/v1/now"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_what_attackers_wrote_does_nothing(open_page: Open) -> None:
    page = open_page("bartizan/")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in VIEWS[:-1]:
        page.goto(f"{page.url.split('bartizan')[0]}{path}")
        assert page.evaluate("window.hit") is None, path
        assert page.locator('img[src="x"]').count() == 0
    assert said == []  # nothing was refused by the policy either
    expect(page.get_by_text("Not a DAG of Bartizan's")).to_be_visible()
    page.goto(f"{page.url.split('bartizan')[0]}bartizan/incident?id={INERT.id}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>window.hit=1")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: Open, theme: str) -> None:
    page = open_page("bartizan/", theme=theme)
    for path in VIEWS:
        page.goto(f"{page.url.split('bartizan')[0]}{path}")
        if path.endswith("health"):
            page.wait_for_load_state("networkidle")  # Airflow's runs are shown then
        assert serious_findings(page) == [], path


@pytest.mark.parametrize("path", VIEWS)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page: Open, path: str) -> None:
    page = open_page(path, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("tab", ["Now", "Tuning"])
def test_a_phone_shows_which_view_is_open(open_page: Open, tab: str) -> None:
    page = open_page("bartizan/" if tab == "Now" else "bartizan/tuning", size=(320, 640))
    link = page.get_by_role("navigation", name="Views").get_by_role("link", name=tab)
    expect(link).to_have_attribute("aria-current", "page")
    expect(link).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("scrollY") == 0


def test_by_keyboard_one_skips_to_the_content_and_opens_a_story(open_page: Open) -> None:
    page = open_page("bartizan/", size=DESKTOP)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_attribute("href", "quarantine")
    page.keyboard.press("Tab")
    expect(focused).to_have_attribute("href", re.compile(r"incident\?id="))
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()


def test_the_theme_of_airflow_wins_over_that_of_the_system(open_page: Open) -> None:
    page = open_page("bartizan/", theme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
