"""Which rules and labels belong to which AWS managed rule group, as globs.

Names are those of AWS's list of managed rule groups. A rule stands in metrics by its own name, and
as what decided a request by that of its group, which the console begins with `AWS-`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from bartizan.model.leading import Pair

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "common": (
        *("NoUserAgent_*", "UserAgent_BadBots_*", "SizeRestrictions_*", "EC2MetaDataSSRF_*"),
        *("GenericLFI_*", "GenericRFI_*", "RestrictedExtensions_*", "CrossSiteScripting_*"),
    ),
    "known_bad_inputs": (
        *("JavaDeserializationRCE_*", "Host_localhost_*", "PROPFIND_METHOD"),
        *("ExploitablePaths_*", "Log4JRCE_*", "ReactJSRCE_*"),
    ),
    "sqli": ("SQLi_*", "SQLiExtendedPatterns_*"),
    "linux": ("LFI_*",),
    "php": ("PHPHighRiskMethodsVariables_*",),
    "wordpress": ("WordPressExploitableCommands_*", "WordPressExploitablePaths_*"),
    "amazon_ip_reputation": (
        *("AWSManagedIPReputationList", "AWSManagedReconnaissanceList", "AWSManagedIPDDoSList"),
    ),
    "anonymous_ip": ("AnonymousIPList", "HostingProviderIPList"),
    "bot_control": (
        "Category*",
        "SignalAutomatedBrowser",
        "SignalKnownBot*",
        "SignalNon*",
        "TGT_*",
    ),
    "atp": (
        *("AttributeCompromisedCredentials", "AttributeLongSession", "AttributePasswordTraversal"),
        *("AttributeUsernameTraversal", "SignalMissingCredential", "VolumetricIpHigh"),
        *("VolumetricIpFailedLogin*", "VolumetricSession", "VolumetricSessionFailedLogin*"),
    ),
    "acfp": (
        *("RiskScoreHigh", "SignalCredentialCompromised", "SignalClientHumanInteractivity*"),
        *("AutomatedBrowser", "BrowserInconsistency", "VolumetricAddress*", "VolumetricPhone*"),
        *("VolumetricIPSuccessfulResponse", "VolumetricSessionHigh", "VolumetricSessionSucc*"),
        *("VolumetricSessionTokenReuse*", "AttributeUsernameTraversalHigh"),
    ),
}
_NAMESPACES = {
    "common": "core-rule-set",
    "known_bad_inputs": "known-bad-inputs",
    "sqli": "sql-database",
    "linux": "linux-os",
    "php": "php-app",
    "wordpress": "wordpress-app",
    "amazon_ip_reputation": "amazon-ip-list",
    "anonymous_ip": "anonymous-ip-list",
    "bot_control": "bot-control",
    "atp": "atp",
    "acfp": "acfp",
}
_GROUPS = {
    "common": "AWSManagedRulesCommonRuleSet",
    "known_bad_inputs": "AWSManagedRulesKnownBadInputsRuleSet",
    "sqli": "AWSManagedRulesSQLiRuleSet",
    "linux": "AWSManagedRulesLinuxRuleSet",
    "php": "AWSManagedRulesPHPRuleSet",
    "wordpress": "AWSManagedRulesWordPressRuleSet",
    "amazon_ip_reputation": "AWSManagedRulesAmazonIpReputationList",
    "anonymous_ip": "AWSManagedRulesAnonymousIpList",
    "bot_control": "AWSManagedRulesBotControlRuleSet",
    "atp": "AWSManagedRulesATPRuleSet",
    "acfp": "AWSManagedRulesACFPRuleSet",
}
_RULES = ("rule", "terminating_rule")


def in_family(family: str, pair: Pair) -> bool:
    """Whether a dimension and its value name a rule, or a label, of the family."""
    dimension, value = pair
    if dimension in _RULES:
        return _GROUPS[family] in value or any(fnmatchcase(value, g) for g in FAMILIES[family])
    return dimension == "label" and value.startswith(f"awswaf:managed:aws:{_NAMESPACES[family]}:")
