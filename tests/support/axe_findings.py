"""What keeps people out of a page, as axe finds it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def serious_findings(page: Page) -> list[tuple[str, list[str]]]:
    """Rules that the page breaks seriously, with where; all that can be unfolded is open."""
    for one in page.locator("details").all():
        one.evaluate("details => details.open = true")
    found = Axe().run(page).response
    assert len(found["passes"]) >= 15, "axe saw little of the page"
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    return [(v["id"], [node["html"][:120] for node in v["nodes"][:3]]) for v in serious]
