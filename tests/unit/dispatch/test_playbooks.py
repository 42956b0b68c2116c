from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from incidents import anomaly, incident

from bartizan.config import PROJECT
from bartizan.dispatch.channels import SHAPES
from bartizan.dispatch.context import Context
from bartizan.dispatch.playbooks import advice, read_playbooks
from bartizan.dispatch.shapes import email, ocsf, pagerduty, security_hub, slack, webhook
from bartizan.errors import ConfigError
from bartizan.model.advice import Advice
from bartizan.model.anomaly import Direction, Incident
from bartizan.model.rule_families import FAMILIES
from bartizan.model.story_link import StoryLink

SHIPPED = read_playbooks(PROJECT / "include" / "playbooks")
GOOD = """
title: Odd methods
match:
  - {detectors: ["waf_*"], direction: above, dimensions: {method: ["PROP*", PUT]}}
why: Somebody tries what is open.
check: ["Which paths?"]
do: [Block the method.]
links: ["https://example.com/methods"]
"""


def about(
    detector: str, measure: str, direction: Direction = Direction.ABOVE, **dimensions: str
) -> Incident:
    return incident([anomaly(1, dimensions, direction=direction)], detector, measure)


@pytest.mark.parametrize(
    ("expected", "one"),
    [
        ("managed-common", about("waf_blocked_requests", "blocked", rule="GenericLFI_URIPATH")),
        ("managed-known-bad-inputs", about("waf_blocked_requests", "blocked", rule="Log4JRCE_URI")),
        ("managed-sqli", about("waf_blocked_requests", "blocked", rule="SQLi_BODY")),
        ("managed-linux", about("waf_blocked_requests", "blocked", rule="LFI_HEADER")),
        (
            "managed-php",
            about("waf_blocked_requests", "blocked", rule="PHPHighRiskMethodsVariables_BODY"),
        ),
        (
            "managed-wordpress",
            about("waf_blocked_requests", "blocked", rule="WordPressExploitablePaths_URIPATH"),
        ),
        (
            "managed-amazon-ip-reputation",
            about("waf_counted_requests", "counted", rule="AWSManagedIPDDoSList"),
        ),
        ("managed-anonymous-ip", about("waf_labels", "requests", label="awswaf:managed:aws:"
            "anonymous-ip-list:HostingProviderIPList")),
        ("managed-bot-control", about("waf_counted_requests", "counted", rule="TGT_TokenReuseIp")),
        ("managed-atp", about("waf_blocked_requests", "blocked", rule="VolumetricIpHigh")),
        ("managed-acfp", about("waf_blocked_requests", "blocked", rule="VolumetricPhoneHigh")),
        ("rule-count-to-block", about("waf_counted_requests", "counted", rule="my-rule")),
        ("rule-misfires", about("waf_blocked_requests", "blocked", rule="my-rule")),
        ("rule-silent", about("waf_blocked_requests", "blocked", Direction.BELOW, rule="my-rule")),
        ("country-shift", about("waf_traffic_by_country", "requests", country="VN")),
        ("method-shift", about("waf_methods", "requests", method="DELETE")),
        ("flood", about("waf_allowed_requests", "allowed")),
        ("flood", about("waf_blocked_requests", "blocked", rule="rate-limit-per-ip")),
        ("credential-stuffing", about("waf_top_uris", "requests", uri_template="/v1/login")),
        ("scanner", about("waf_top_uris", "requests", uri_template="/.git/config")),
        ("silence", about("waf_allowed_requests", "allowed", Direction.BELOW)),
        ("silence", about("waf_traffic_by_country", "requests", Direction.BELOW, country="AU")),
        ("country-shift", about("waf_country_share", "share", Direction.BELOW, country="AU")),
        ("database-locking", about("database_load", "aas", wait="Lock: transactionid")),
        ("database-commit", about("database_load", "aas", wait="IO: WALSync")),
        ("database-missing-index", about("database_load", "aas", wait="IO: DataFileRead")),
    ],
)  # fmt: skip
def test_the_shipped_playbooks_fit_what_they_are_for(expected: str, one: Incident) -> None:
    assert advice(one, SHIPPED)[0].name == expected


def test_every_family_has_a_playbook_and_an_unknown_metric_has_none() -> None:
    families = {f for p in SHIPPED for c in p.conditions for f in c.families}
    assert families == set(FAMILIES)
    assert advice(about("orders_by_shop", "returns", shop="north"), SHIPPED) == ()
    assert len(advice(about("waf_blocked_requests", "blocked", rule="LFI_URI"), SHIPPED)) <= 3


def test_all_of_a_condition_must_hold_and_only_values_that_lead_count(tmp_path: Path) -> None:
    (tmp_path / "methods.yaml").write_text(GOOD)
    books = read_playbooks(tmp_path)
    put = about("waf_methods", "requests", method="PUT")
    assert [one.name for one in advice(put, books)] == ["methods"]
    for other in (
        about("shop_methods", "requests", method="PUT"),
        about("waf_methods", "requests", method="GET"),
        about("waf_methods", "requests", uri="PUT"),
        about("waf_methods", "requests", Direction.BELOW, method="PUT"),
    ):
        assert advice(other, books) == ()
    # What decided half of the requests counts too; one of three does not.
    samples = [{"rule": "AWS-AWSManagedRulesATPRuleSet"}, {"rule": "a"}, {"rule": "Default_Action"}]
    for few, fits in ((samples[:2], True), (samples, False)):
        seen = replace(about("waf_top_uris", "requests", uri_template="/x"), samples=tuple(few))
        assert ("managed-atp" in [one.name for one in advice(seen, SHIPPED)]) == fits
    # PUT holds 1 of 100 parts of the deviation: the incident is not about it.
    parts = [anomaly(1, {"method": "GET"}, 990, 0), anomaly(1, {"method": "PUT"}, 10, 0)]
    assert advice(incident(parts, "waf_methods", "requests"), books) == ()


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("direction: above", "direction: up", "direction"),
        ("direction: above", "families: [nonsense]", "no rule family"),
        ("links", "lynx", "unknown key"),
        ("https://example.com/methods", "javascript:alert(1)", "no https:// address"),
        ('{detectors: ["waf_*"], direction: above, dimensions: {method: ["PROP*", PUT]}}', "{}",
         "is empty"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file(tmp_path: Path, good: str, bad: str, says: str) -> None:
    (tmp_path / "odd.yaml").write_text(GOOD.replace(good, bad))
    with pytest.raises(ConfigError, match=r"odd\.yaml") as error:
        read_playbooks(tmp_path)
    assert says in str(error.value)


def test_advice_and_the_story_are_in_the_messages_within_their_limits() -> None:
    one = about("waf_blocked_requests", "blocked", webacl="shop", rule="VolumetricIpHigh")
    link = StoryLink("story-1", tuple(("waf_methods", f"id-{at}") for at in range(10)), 7)
    one = replace(one, story=link, advice=advice(one, SHIPPED))
    context = Context()
    finding = security_hub.shape(one, context, 1)
    recommended = finding["Remediation"]["Recommendation"]
    assert recommended["Url"] == one.advice[0].links[0]
    assert one.advice[0].do[0] in recommended["Text"]
    assert len(recommended["Text"]) <= 512
    related = finding["FindingProviderFields"]["RelatedFindings"]
    assert [r["Id"].rsplit("/", 1)[1] for r in related] == [f"id-{at}" for at in range(10)]
    hook = webhook.shape(one, context, 1)
    assert hook["related"] == {
        "storyId": "story-1",
        "incidents": [f"id-{at}" for at in range(10)],
        "more": 7,
        "isHistory": False,
    }
    assert hook["playbooks"][0]["name"] == "managed-atp"
    message = json.dumps(slack.shape(one, context, 1))
    mail = email.shape(one, context, 1)
    for text in (message, mail["body"], mail["html"]):
        assert "Log-in under attack" in text
        assert "id-9 and 7 more" in text
    alone = replace(one, story=None, advice=())
    assert "Remediation" not in security_hub.shape(alone, context, 1)
    assert webhook.shape(alone, context, 1)["related"] is None


def test_the_longest_advice_about_the_widest_story_fits_every_channel() -> None:
    quotes = {f"dimension{at}": '"' * 300 + str(at) for at in range(6)}
    sample = dict.fromkeys(("client_ip", "country", "action", "method", "host", "uri"), '"' * 300)
    wide = incident(
        [anomaly(at, quotes | {"uri": f"/{at}"}) for at in range(12)], samples=(sample,) * 5
    )
    long = Advice(
        "long", "T" * 120, "w" * 600, ("c" * 600,) * 10, ("d" * 600,) * 10, ("https://l",)
    )
    link = StoryLink("s" * 36, tuple(("d" * 63, f"{at:036}") for at in range(10)), 10**6, True)
    one = replace(wide, advice=(long,) * 3, story=link)
    for name, shape in SHAPES.items():
        size = len(json.dumps(shape(one, Context(), 1), ensure_ascii=False).encode())
        assert size <= 240_000, name
    for known, blocks in ((one, 6), (replace(one, samples=()), 7)):
        message = slack.shape(known, Context(), 1)
        assert len(json.dumps(message, ensure_ascii=False)) <= 13_000
        assert len(message["blocks"]) == blocks
    finding = security_hub.shape(one, Context(), 1)
    assert len(finding["Remediation"]["Recommendation"]["Text"]) == 512
    event = ocsf.shape(one, Context(), 1)
    assert len(event["finding_info"]["related_events"]) == 10
    assert event["remediation"]["references"] == ["https://l"]
    details = pagerduty.shape(one, Context(), 1)["payload"]["custom_details"]
    assert details["related"]["more"] == 10**6
    assert details["what_to_do"].startswith("T")
