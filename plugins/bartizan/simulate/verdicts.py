"""What AWS WAF decided about a request, rendered once as the JSON around the request itself."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.simulate.pools import compact
from bartizan.simulate.rules import BOT_CONTROL, ManagedGroup, ManagedRule
from bartizan.simulate.sites import Site

RATE_RULE = "rate-limit-per-ip"
SOLVED_AT = "@solved@"  # replaced by a time a little before the request, in seconds

Json = dict[str, object]


@dataclass(frozen=True)
class Verdict:
    """JSON fragments of a decision.

    `head` ends where the rate-limited address goes when `rated`, `middle` where the client address
    goes; `labels` and `responses` follow `httpRequest`.
    """

    head: str
    middle: str
    labels: str
    responses: str
    rated: bool = True
    solved: bool = False


def allowed(site: Site, source: str | None = None) -> Verdict:
    """No rule terminated: the web ACL's default action allows."""
    return _verdict(site, "Default_Action", "REGULAR", "ALLOW", site.groups, source=source)


def allowed_health_check(site: Site) -> Verdict:
    """An ALLOW rule before every other: nothing else is evaluated, not even the rate rule."""
    return _verdict(site, "allow-health-checks", "REGULAR", "ALLOW", (), rated=False)


def counted(site: Site, rule: str) -> Verdict:
    """Allowed, but a rule of the web ACL in COUNT matched."""
    match: Json = {"ruleId": rule, "action": "COUNT", "ruleMatchDetails": []}
    label = f"awswaf:{site.account}:webacl:{site.webacl}:{rule}"
    return _verdict(
        site, "Default_Action", "REGULAR", "ALLOW", site.groups, matching=(match,), labels=(label,)
    )


def counted_bot(site: Site, rule: ManagedRule) -> Verdict:
    """Allowed, but a Bot Control rule overridden to COUNT matched."""
    match: Json = {
        "ruleId": rule.name,
        "action": "COUNT",
        "overriddenAction": "BLOCK",
        "ruleMatchDetails": [],
    }
    return _verdict(
        site,
        "Default_Action",
        "REGULAR",
        "ALLOW",
        site.groups,
        labels=(_label(BOT_CONTROL, rule), "awswaf:managed:aws:bot-control:bot:verified"),
        group_matches={BOT_CONTROL.group_id: match},
    )


def challenged(site: Site) -> Verdict:
    """Stopped by a silent browser challenge: the token is missing."""
    response = {"responseCode": 202, "solveTimestamp": 0, "failureReason": "TOKEN_MISSING"}
    return _verdict(
        site,
        "challenge-checkout",
        "REGULAR",
        "CHALLENGE",
        (),
        code=202,
        labels=("awswaf:managed:token:absent",),
        responses=f',"challengeResponse":{compact(response)}',
    )


def captcha_shown(site: Site) -> Verdict:
    """Stopped by a CAPTCHA: it was never solved here."""
    response = {"responseCode": 405, "solveTimestamp": 0, "failureReason": "TOKEN_MISSING"}
    return _verdict(
        site,
        "captcha-login",
        "REGULAR",
        "CAPTCHA",
        (),
        code=405,
        labels=("awswaf:managed:captcha:absent",),
        responses=f',"captchaResponse":{compact(response)}',
    )


def captcha_solved(site: Site) -> Verdict:
    """Allowed after a CAPTCHA that the client solved."""
    match: Json = {
        "ruleId": "captcha-login",
        "action": "CAPTCHA",
        "ruleMatchDetails": [],
        "captchaResponse": {"responseCode": 0, "solveTimestamp": SOLVED_AT},
    }
    return _verdict(
        site,
        "Default_Action",
        "REGULAR",
        "ALLOW",
        site.groups,
        matching=(match,),
        labels=("awswaf:managed:captcha:accepted",),
        solved=True,
    )


def blocked(site: Site, group: ManagedGroup, rule: ManagedRule) -> Verdict:
    """Blocked by a rule of a managed group; later groups are not evaluated."""
    evaluated = site.groups[: site.groups.index(group) + 1]
    return _verdict(
        site,
        group.webacl_rule,
        "MANAGED_RULE_GROUP",
        "BLOCK",
        evaluated,
        inner=rule,
        labels=(_label(group, rule),),
    )


def blocked_custom(site: Site, rule: str, code: int | None = None) -> Verdict:
    """Blocked by a rule of the web ACL before any group; `code` is a custom response."""
    return _verdict(site, rule, "REGULAR", "BLOCK", (), code=code)


def blocked_by_default(site: Site) -> Verdict:
    """No rule terminated and the web ACL's default action blocks."""
    return _verdict(site, "Default_Action", "REGULAR", "BLOCK", site.groups)


def rate_limited(site: Site) -> Verdict:
    return _verdict(site, RATE_RULE, "RATE_BASED", "BLOCK", ())


def _label(group: ManagedGroup, rule: ManagedRule) -> str:
    return f"awswaf:managed:aws:{group.namespace}:{rule.label}"


def _verdict(
    site: Site,
    rule_id: str,
    rule_type: str,
    action: str,
    groups: tuple[ManagedGroup, ...],
    *,
    inner: ManagedRule | None = None,
    matching: tuple[Json, ...] = (),
    group_matches: dict[str, Json] | None = None,
    labels: tuple[str, ...] = (),
    code: int | None = None,
    responses: str = "",
    rated: bool = True,
    solved: bool = False,
    source: str | None = None,
) -> Verdict:
    start = {
        "formatVersion": 1,
        "webaclId": site.arn,
        "terminatingRuleId": rule_id,
        "terminatingRuleType": rule_type,
        "action": action,
        "terminatingRuleMatchDetails": _match_details(inner),
        "httpSourceName": source or site.source,
        "httpSourceId": site.source_id,
        "ruleGroupList": [
            _group_entry(group, inner if group == groups[-1] else None, group_matches or {})
            for group in groups
        ],
    }
    end = compact(
        {
            "nonTerminatingMatchingRules": list(matching),
            "requestHeadersInserted": None,
            "responseCodeSent": code,
            "httpRequest": {"clientIp": ""},
        }
    )
    end = end.replace(f'"{SOLVED_AT}"', SOLVED_AT).removeprefix("{").removesuffix('"}}')
    rate_entry, rate_end = _rate_rule(site) if rated else ("", "")
    return Verdict(
        head=f',{compact(start)[1:-1]},"rateBasedRuleList":[{rate_entry}',
        middle=f"{rate_end}],{end}",
        labels=_labels(site, labels),
        responses=responses,
        rated=rated,
        solved=solved,
    )


def _match_details(rule: ManagedRule | None) -> list[Json]:
    if rule is None or rule.match is None:
        return []
    condition, location, data = rule.match
    detail: Json = {"conditionType": condition}
    if condition == "SQL_INJECTION":
        detail["sensitivityLevel"] = "LOW"
    return [{**detail, "location": location, "matchedData": list(data)}]


def _group_entry(group: ManagedGroup, inner: ManagedRule | None, matches: dict[str, Json]) -> Json:
    terminating = inner and {"ruleId": inner.name, "action": "BLOCK", "ruleMatchDetails": None}
    match = matches.get(group.group_id)
    return {
        "ruleGroupId": group.group_id,
        "terminatingRule": terminating,
        "nonTerminatingMatchingRules": [match] if match else [],
        "excludedRules": None,
        "customerConfig": None,
    }


def _rate_rule(site: Site) -> tuple[str, str]:
    """The rate rule's entry up to and after the limited address. Evaluated is not triggered."""
    managed = f"arn:aws:wafv2:{site.region}:{site.account}_MANAGED:regional/ipset/{RATE_RULE}"
    entry = {
        "rateBasedRuleId": managed,
        "rateBasedRuleName": RATE_RULE,
        "limitKey": "IP",
        "maxRateAllowed": site.rate_limit,
        "evaluationWindowSec": 300,
        "limitValue": "",
    }
    return compact(entry)[: -len('"}')], '"}'


def _labels(site: Site, names: tuple[str, ...]) -> str:
    """With geography labels the client ends the list; else the whole list, absent when empty."""
    entries = ",".join(compact({"name": name}) for name in names)
    if site.geo_labels:
        return f',"labels":[{entries}{"," if entries else ""}'
    return f',"labels":[{entries}]' if entries else ""
