"""The twelve kinds of attack; each turns the flows of a quiet day into those of an attacked one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bartizan.simulate import rules, verdicts
from bartizan.simulate.flows import Flow, audience
from bartizan.simulate.scene import Scene
from bartizan.simulate.sites import MOBILE, PARTNER, PORTAL, SHOP, Site

BLOCKED = "waf_blocked_requests"
BY_COUNTRY = "waf_traffic_by_country"

Flows = list[Flow]


def action_shift(scene: Scene, flows: Flows) -> Flows:
    return scene.diverted(flows, 0.6, verdicts.blocked_by_default(scene.site))


def unknown_source(scene: Scene, flows: Flows) -> Flows:
    return scene.diverted(flows, 0.3, verdicts.allowed(scene.site, source="UNKNOWN"))


def status_shift(scene: Scene, flows: Flows) -> Flows:
    gone = verdicts.blocked_custom(scene.site, "retired-api-version", code=410)
    return scene.diverted(flows, 0.25, gone, "retired")


def unknown_countries(scene: Scene, flows: Flows) -> Flows:
    who = scene.attackers({"TD": 0.5, "VU": 0.2, "BT": 0.15, "GY": 0.1, "-": 0.05}, 8)
    verdict = verdicts.allowed(scene.site)
    return [*flows, scene.added("strangers", 0.5 * scene.usual(flows), verdict, who, "browse")]


def delete_methods(scene: Scene, flows: Flows) -> Flows:
    return scene.diverted(flows, 0.4, verdicts.allowed(scene.site), "delete")


def xss_burst(scene: Scene, flows: Flows) -> Flows:
    verdict = scene.blocked_by(rules.COMMON, "CrossSiteScripting_QUERYARGUMENTS")
    one_client = scene.attackers({"RO": 1.0}, 1)
    burst = scene.added("burst", 150 * scene.inside(), verdict, one_client, "xss", exact=True)
    return [*flows, burst]


def credential_stuffing(scene: Scene, flows: Flows) -> Flows:
    tries = scene.usual(flows) * scene.draws().uniform(0.8, 1.1)
    who = scene.attackers({"VN": 0.5, "BR": 0.3, "ID": 0.2}, 20)
    group = rules.ACCOUNT_TAKEOVER
    volumetric = scene.blocked_by(group, "VolumetricIpHigh")
    compromised = scene.blocked_by(group, "AttributeCompromisedCredentials")
    passed = verdicts.allowed(scene.site)
    return [
        *flows,
        scene.added("volumetric", tries * 0.55, volumetric, who, "login"),
        scene.added("compromised", tries * 0.3, compromised, who, "login"),
        scene.added("passed", tries * 0.15, passed, who, "login"),
    ]


def l7_flood(scene: Scene, flows: Flows) -> Flows:
    """The rate rule needs a while to count: most of the first 5 minutes passes."""
    flood = scene.usual(flows) * scene.draws().uniform(11, 14)
    who = scene.attackers({"VN": 0.5, "BR": 0.3, "ID": 0.2}, 15)
    passing = np.full_like(flood, 0.12)
    passing[scene.start] = 0.7
    limited = verdicts.rate_limited(scene.site)
    return [
        *flows,
        scene.added("limited", flood * (1 - passing), limited, who, "flood"),
        scene.added("passed", flood * passing, verdicts.allowed(scene.site), who, "flood"),
    ]


def slow_scanner(scene: Scene, flows: Flows) -> Flows:
    rng = scene.draws()
    rates = rng.integers(6, 13, len(scene.inside())) * scene.inside()
    by_rule = rng.multinomial(rates.astype(int), [0.5, 0.3, 0.2]).T.astype(float)
    who = scene.attackers({"BR": 1.0}, 1)
    found = (
        (rules.BAD_INPUTS, "ExploitablePaths_URIPATH"),
        (rules.COMMON, "GenericLFI_URIPATH"),
        (rules.COMMON, "RestrictedExtensions_URIPATH"),
    )
    return flows + [
        scene.added(
            rule, rates, scene.blocked_by(group, rule), who, group.rule(rule).probe, exact=True
        )
        for (group, rule), rates in zip(found, by_rule, strict=True)
    ]


def unexpected_posts(scene: Scene, flows: Flows) -> Flows:
    who = audience(scene.site, scene.seed)
    posts = 0.3 * scene.usual(flows)
    return [*flows, scene.added("posts", posts, verdicts.allowed(scene.site), who, "write")]


def rule_misfire(scene: Scene, flows: Flows) -> Flows:
    verdict = scene.blocked_by(rules.COMMON, "SizeRestrictions_BODY")
    return scene.diverted(flows, 0.2, verdict, "forms")


def outage(scene: Scene, flows: Flows) -> Flows:
    left = 1 - min(0.97 * scene.strength, 1.0) * scene.inside()
    return [flow.thinned(left) for flow in flows]


@dataclass(frozen=True)
class Attack:
    """A kind of attack and its place in the day.

    It begins about `hour` (UTC) and lasts between `minutes`, both multiples of 5 minutes or, when
    `whole_hours`, of an hour. `dimensions` are what it drives in the connectors of `visible_in`
    that have them; the first connector shows it best.
    """

    site: Site
    hour: float
    minutes: tuple[int, int]
    apply: Callable[[Scene, Flows], Flows]
    description: str
    dimensions: tuple[tuple[str, str], ...] = ()
    visible_in: tuple[str, ...] = ()
    whole_hours: bool = False


ATTACKS: dict[str, Attack] = {
    "action_shift": Attack(
        SHOP,
        20.4,
        (25, 40),
        action_shift,
        "A changed default action blocks most ordinary requests",
        (("rule", "Default_Action"),),
        (BLOCKED,),
    ),
    "unknown_source": Attack(
        PORTAL,
        1.4,
        (45, 75),
        unknown_source,
        "Requests arrive from a source AWS has not named so far",
    ),
    "status_shift": Attack(
        PARTNER,
        16.3,
        (35, 50),
        status_shift,
        "A quarter of all requests gets the custom response 410 of a blocking rule",
        (("rule", "retired-api-version"),),
        (BLOCKED,),
    ),
    "unknown_countries": Attack(
        MOBILE,
        5.2,
        (120, 150),
        unknown_countries,
        "Requests come from countries never seen before, most from Chad (TD)",
        (("country", "TD"),),
        (BY_COUNTRY,),
    ),
    "delete_methods": Attack(
        PARTNER,
        9.6,
        (40, 60),
        delete_methods,
        "Ordinary clients send DELETE instead of their usual requests",
    ),
    "xss_burst": Attack(
        SHOP,
        3.1,
        (5, 5),
        xss_burst,
        "One client sends 150 cross-site scripting probes within 5 minutes",
        (("rule", "CrossSiteScripting_QUERYARGUMENTS"), ("country", "RO")),
        (BLOCKED, BY_COUNTRY),
    ),
    "credential_stuffing": Attack(
        PORTAL,
        8.7,
        (40, 55),
        credential_stuffing,
        "A botnet tries stolen credentials at the login page",
        (("rule", "VolumetricIpHigh"), ("country", "VN")),
        (BLOCKED, BY_COUNTRY),
    ),
    "l7_flood": Attack(
        SHOP,
        14.3,
        (15, 20),
        l7_flood,
        "A botnet sends more than ten times the usual requests until the rate rule stops it",
        (("rule", "rate-limit-per-ip"), ("country", "VN")),
        (BLOCKED, BY_COUNTRY),
    ),
    "slow_scanner": Attack(
        PARTNER,
        2.0,
        (120, 180),
        slow_scanner,
        "One client probes slowly for hours, 6 to 12 blocked requests in 5 minutes",
        (("rule", "ExploitablePaths_URIPATH"), ("country", "BR")),
        (BLOCKED, BY_COUNTRY),
    ),
    "unexpected_posts": Attack(
        SHOP,
        7.2,
        (50, 70),
        unexpected_posts,
        "POST requests to pages that are otherwise only read, all allowed",
    ),
    "rule_misfire": Attack(
        PORTAL,
        13.2,
        (75, 110),
        rule_misfire,
        "After a deployment forms outgrow a size rule, which blocks a fifth of good requests",
        (("rule", "SizeRestrictions_BODY"),),
        (BLOCKED,),
    ),
    "outage": Attack(
        MOBILE,
        12.0,
        (120, 180),
        outage,
        "Almost no request arrives any more",
        (),
        (BY_COUNTRY,),
        whole_hours=True,
    ),
}
DEMO_ATTACKS = tuple(kind for kind, attack in ATTACKS.items() if attack.visible_in)
