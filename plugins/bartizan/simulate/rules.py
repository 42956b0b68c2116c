"""The AWS managed rule groups of the simulated web ACLs, with the labels their rules add."""

from __future__ import annotations

from dataclasses import dataclass

XSS = ("XSS", "QUERY_STRING", ("<", "script"))
XSS_BODY = ("XSS", "BODY", ("<", "script"))
SQLI = ("SQL_INJECTION", "QUERY_STRING", ("10", "OR", "1"))
SQLI_BODY = ("SQL_INJECTION", "BODY", ("10", "OR", "1"))


@dataclass(frozen=True)
class ManagedRule:
    """A rule of a managed group.

    `label` is the label without the group's namespace; `probe` names the requests it matches
    (see probes.py); `match` is (condition type, location, matched data), which AWS logs for SQLi
    and XSS only.
    """

    name: str
    label: str
    probe: str
    match: tuple[str, str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class ManagedGroup:
    """A group as a web ACL holds it: under the console's default rule name `AWS-<group>`."""

    name: str
    namespace: str
    rules: tuple[ManagedRule, ...]

    @property
    def webacl_rule(self) -> str:
        return f"AWS-{self.name}"

    @property
    def group_id(self) -> str:
        return f"AWS#{self.name}"

    def rule(self, name: str) -> ManagedRule:
        return next(rule for rule in self.rules if rule.name == name)


REPUTATION = ManagedGroup(
    "AWSManagedRulesAmazonIpReputationList",
    "amazon-ip-list",
    (
        ManagedRule("AWSManagedIPReputationList", "AWSManagedIPReputationList", "browse"),
        ManagedRule("AWSManagedReconnaissanceList", "AWSManagedReconnaissanceList", "paths"),
        ManagedRule("AWSManagedIPDDoSList", "AWSManagedIPDDoSList", "browse"),
    ),
)
ANONYMOUS = ManagedGroup(
    "AWSManagedRulesAnonymousIpList",
    "anonymous-ip-list",
    (
        ManagedRule("AnonymousIPList", "AnonymousIPList", "browse"),
        ManagedRule("HostingProviderIPList", "HostingProviderIPList", "browse"),
    ),
)
COMMON = ManagedGroup(
    "AWSManagedRulesCommonRuleSet",
    "core-rule-set",
    (
        ManagedRule("NoUserAgent_HEADER", "NoUserAgent_Header", "browse"),
        ManagedRule("UserAgent_BadBots_HEADER", "BadBots_Header", "browse"),
        ManagedRule("SizeRestrictions_QUERYSTRING", "SizeRestrictions_QueryString", "long_query"),
        ManagedRule("SizeRestrictions_BODY", "SizeRestrictions_Body", "large_body"),
        ManagedRule("EC2MetaDataSSRF_QUERYARGUMENTS", "EC2MetaDataSSRF_QueryArguments", "metadata"),
        ManagedRule("GenericLFI_QUERYARGUMENTS", "GenericLFI_QueryArguments", "lfi_query"),
        ManagedRule("GenericLFI_URIPATH", "GenericLFI_URIPath", "lfi_path"),
        ManagedRule("RestrictedExtensions_URIPATH", "RestrictedExtensions_URIPath", "extensions"),
        ManagedRule("GenericRFI_QUERYARGUMENTS", "GenericRFI_QueryArguments", "rfi"),
        ManagedRule(
            "CrossSiteScripting_QUERYARGUMENTS", "CrossSiteScripting_QueryArguments", "xss", XSS
        ),
        ManagedRule("CrossSiteScripting_BODY", "CrossSiteScripting_Body", "post", XSS_BODY),
    ),
)
BAD_INPUTS = ManagedGroup(
    "AWSManagedRulesKnownBadInputsRuleSet",
    "known-bad-inputs",
    (
        ManagedRule("Log4JRCE_HEADER", "Log4JRCE_Header", "log4j_header"),
        ManagedRule("Log4JRCE_QUERYSTRING", "Log4JRCE_QueryString", "log4j_query"),
        ManagedRule("JavaDeserializationRCE_BODY", "JavaDeserializationRCE_Body", "post"),
        ManagedRule("PROPFIND_METHOD", "Propfind_Method", "propfind"),
        ManagedRule("Host_localhost_HEADER", "Host_Localhost_Header", "browse"),
        ManagedRule("ExploitablePaths_URIPATH", "ExploitablePaths_URIPath", "paths"),
    ),
)
SQL_DATABASE = ManagedGroup(
    "AWSManagedRulesSQLiRuleSet",
    "sql-database",
    (
        ManagedRule("SQLi_QUERYARGUMENTS", "SQLi_QueryArguments", "sqli", SQLI),
        ManagedRule(
            "SQLiExtendedPatterns_QUERYARGUMENTS",
            "SQLiExtendedPatterns_QueryArguments",
            "sqli",
            SQLI,
        ),
        ManagedRule("SQLi_BODY", "SQLi_Body", "post", SQLI_BODY),
    ),
)
ADMIN = ManagedGroup(
    "AWSManagedRulesAdminProtectionRuleSet",
    "admin-protection",
    (ManagedRule("AdminProtection_URIPATH", "AdminProtection_URIPath", "admin"),),
)
BOT_CONTROL = ManagedGroup(
    "AWSManagedRulesBotControlRuleSet",
    "bot-control",
    (
        ManagedRule("CategoryHttpLibrary", "bot:category:http_library", "browse"),
        ManagedRule("CategoryScrapingFramework", "bot:category:scraping_framework", "browse"),
        ManagedRule("CategorySearchEngine", "bot:category:search_engine", "browse"),
        ManagedRule("SignalNonBrowserUserAgent", "signal:non_browser_user_agent", "browse"),
        ManagedRule("SignalAutomatedBrowser", "signal:automated_browser", "browse"),
    ),
)
ACCOUNT_TAKEOVER = ManagedGroup(
    "AWSManagedRulesATPRuleSet",
    "atp",
    (
        ManagedRule("VolumetricIpHigh", "aggregate:volumetric:ip:high", "login"),
        ManagedRule("AttributeCompromisedCredentials", "signal:credential_compromised", "login"),
        ManagedRule("SignalMissingCredential", "signal:missing_credential", "login"),
    ),
)
