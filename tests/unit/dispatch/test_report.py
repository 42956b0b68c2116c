from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
from incidents import DAY_START, anomaly, incident, scores

from bartizan.dispatch.report import write_report
from bartizan.dispatch.report_data import ReportData, Traffic
from bartizan.model.anomaly import Explanation, RootCause
from bartizan.model.attack import AttackLabel
from bartizan.model.landing import BatchCounts
from bartizan.model.text import short
from bartizan.model.window import Window
from bartizan.store.detectors import DetectorRecord, DetectorStatus
from bartizan.store.validations import CheckResult

DAY = Window(DAY_START, DAY_START + timedelta(days=1))
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
LINK = "javascript:alert(3)"
HOSTILE = f"{SCRIPT}{IMAGE}{LINK}\u202e\x1b[31m{{{{ 7 * 7 }}}}"
SHOWN = HOSTILE.replace("\u202e", "\\u202e").replace("\x1b", "\\u001b")
SAMPLE = dict.fromkeys(
    ("event_time", "client_ip", "country", "method", "host", "uri", "args", "user_agent", "rule"),
    HOSTILE,
)


@dataclass
class Page(HTMLParser):
    """Elements with their attributes, and all text, as a browser would see them."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @classmethod
    def read(cls, path: Path) -> Page:
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        return page

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


def report(*incidents_and_scores: object, **more: object) -> ReportData:
    counts = BatchCounts(184_213, 184_102, 30_211, 84, 27)
    given = {"title": "WAF anomalies", "period": DAY, "objects": 288, "counts": counts}
    return ReportData(**{**given, "incidents": (), "scores": {}, **more})  # type: ignore[arg-type]


def test_what_attackers_wrote_stays_text(tmp_path: Path) -> None:
    one = incident(
        [anomaly(100 + at, {"webacl": HOSTILE, "rule": HOSTILE}) for at in range(3)],
        samples=(SAMPLE,),
    )
    cause = RootCause((("webacl", HOSTILE), (HOSTILE, HOSTILE)), 360.0, 18.0, 93)
    one = replace(one, explanation=Explanation((cause,), 50.0, 49.0, True))
    attack = AttackLabel(HOSTILE, HOSTILE, HOSTILE, one.window, (), ())
    path = tmp_path / "report.html"
    write_report(
        path,
        report(
            incidents=(one,),
            scores={one.detector: scores(one)},
            detectors=(DetectorRecord(HOSTILE, DetectorStatus.FAILED, HOSTILE),),
            validation=(CheckResult(HOSTILE, HOSTILE, "fail", False, HOSTILE),),
            quarantine={HOSTILE: 27},
            labels=(attack,),
        ),
    )
    page = Page.read(path)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "form", "base"}
    assert {"svg", "table"} <= tags
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, attributes)
            assert name not in {"href", "src", "xlink:href"} or (value or "").startswith("#")
    assert page.text.count(SHOWN) >= 16
    shown = short(HOSTILE, 80)
    assert f"webacl = {shown} and {SHOWN} = {shown}: 360 against an expected 18" in page.text
    assert "Without it the rest is 1.02 times what was expected (normal)." in page.text
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    policies = [a["content"] for _, a in page.elements if a.get("http-equiv")]
    assert policies and str(policies[0]).startswith("default-src 'none'")
    assert "url(http" not in path.read_text()


def test_ten_incidents_each_have_a_row_a_section_and_a_plot_and_attacks_are_matched(
    tmp_path: Path,
) -> None:
    ten = tuple(
        incident([anomaly(20 * at + 10, {"webacl": f"acl-{at}", "rule": "SQLi"}, severity=71 + at)])
        for at in range(10)
    )
    labels = (
        AttackLabel("burst", "Found.", "acl-3", ten[3].window, (), (ten[3].detector,)),
        AttackLabel("quiet", "Missed: no incident on this web ACL.", "acl-99", DAY, (), ()),
    )
    frame = pd.concat([scores(one, seed=at) for at, one in enumerate(ten)])
    data = report(incidents=ten, scores={ten[0].detector: frame}, labels=labels)
    write_report(tmp_path / "report.html", data)
    page = Page.read(tmp_path / "report.html")
    links = [a["href"] for tag, a in page.elements if tag == "a"]
    ids = page.ids()
    assert {f"incident-{at}" for at in range(1, 11)} <= set(ids)
    assert {link.removeprefix("#") for link in links if link} <= set(ids)
    assert {f"story-{at}" for at in range(1, 11)} <= set(ids)
    pictures = [tag for tag, a in page.elements if tag == "svg" and a.get("role") == "img"]
    assert len(pictures) == 10 + 1  # and the heat map
    assert "1 of 2 attacks were found, and 9 of 10 incidents match no attack" in page.text
    assert page.text.count("missed") == 1
    first = (tmp_path / "report.html").read_bytes()
    write_report(tmp_path / "report.html", data)
    assert (tmp_path / "report.html").read_bytes() == first
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_a_day_without_incidents_and_an_incident_without_scores(tmp_path: Path) -> None:
    write_report(tmp_path / "quiet.html", report())
    quiet = Page.read(tmp_path / "quiet.html")
    assert "No incident in this period." in quiet.text
    assert "184,213" in quiet.text
    assert "Every series that is ready stayed within its expected range" in quiet.text
    write_report(tmp_path / "void.html", report(traffic=Traffic(0, 0, None, 0)))
    void = Page.read(tmp_path / "void.html")
    assert "No request of this period is in the aggregates" in void.text
    assert "stayed within its expected range" not in void.text
    one = incident([anomaly(3, {"webacl": "shop"}, expected=float("nan"))])
    write_report(tmp_path / "blind.html", report(incidents=(one,)))
    blind = Page.read(tmp_path / "blind.html")
    assert "no scores of the driving series" in blind.text
    assert not any(a.get("aria-label") == "Observed and expected values" for _, a in blind.elements)
