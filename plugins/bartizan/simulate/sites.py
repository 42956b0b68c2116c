"""The four simulated web ACLs: what they protect, when they are busy, which rules block there."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.model.ids import stable_uuid
from bartizan.simulate import rules
from bartizan.simulate.rules import ManagedGroup
from bartizan.simulate.seasons import Season


@dataclass(frozen=True, eq=False)
class Site:
    """One web ACL and the traffic before it.

    `share` of all records; `markets` countries by falling volume, after them come the others of
    clients.COUNTRIES; `blocks` background BLOCKs a day by (group, rule) and `custom_blocks` by
    rule of the web ACL, both at 70,000 records a day over all web ACLs.
    """

    webacl: str
    account: str
    region: str
    source: str
    source_id: str
    host: str
    share: float
    season: Season
    audience: str
    markets: tuple[str, ...]
    rate_limit: int
    groups: tuple[ManagedGroup, ...]
    blocks: dict[tuple[ManagedGroup, str], float]
    custom_blocks: dict[str, float]
    geo_labels: bool = False
    fingerprints: bool = False

    @property
    def folder(self) -> str:
        """The region as paths of delivered objects name it."""
        return "cloudfront" if self.source == "CF" else self.region

    @property
    def arn(self) -> str:
        scope = "global" if self.source == "CF" else "regional"
        guid = stable_uuid("webacl", self.account, self.webacl)
        return f"arn:aws:wafv2:{self.region}:{self.account}:{scope}/webacl/{self.webacl}/{guid}"


SHOP = Site(
    webacl="shop-front",
    account="111122223333",
    region="us-east-1",
    source="CF",
    source_id="E1EXAMPLESHOP1",
    host="www.shop.example",
    share=0.46,
    season=Season(peaks=((19.5, 2.6, 1.6), (12.0, 3.0, 0.7)), floor=0.35, weekend=1.3),
    audience="people",
    markets=("DE", "FR", "NL", "GB", "AT", "BE", "CH", "PL", "US", "IT", "ES", "SE"),
    rate_limit=1000,
    groups=(
        rules.REPUTATION,
        rules.COMMON,
        rules.BAD_INPUTS,
        rules.SQL_DATABASE,
        rules.BOT_CONTROL,
    ),
    blocks={
        (rules.REPUTATION, "AWSManagedIPReputationList"): 330,
        (rules.REPUTATION, "AWSManagedReconnaissanceList"): 70,
        (rules.REPUTATION, "AWSManagedIPDDoSList"): 30,
        (rules.COMMON, "NoUserAgent_HEADER"): 140,
        (rules.COMMON, "UserAgent_BadBots_HEADER"): 90,
        (rules.COMMON, "SizeRestrictions_QUERYSTRING"): 24,
        (rules.COMMON, "EC2MetaDataSSRF_QUERYARGUMENTS"): 4,
        (rules.COMMON, "GenericLFI_QUERYARGUMENTS"): 22,
        (rules.COMMON, "GenericLFI_URIPATH"): 18,
        (rules.COMMON, "RestrictedExtensions_URIPATH"): 45,
        (rules.COMMON, "GenericRFI_QUERYARGUMENTS"): 12,
        (rules.COMMON, "CrossSiteScripting_QUERYARGUMENTS"): 16,
        (rules.BAD_INPUTS, "Log4JRCE_HEADER"): 14,
        (rules.BAD_INPUTS, "ExploitablePaths_URIPATH"): 60,
        (rules.BAD_INPUTS, "PROPFIND_METHOD"): 5,
        (rules.BAD_INPUTS, "Host_localhost_HEADER"): 8,
        (rules.SQL_DATABASE, "SQLi_QUERYARGUMENTS"): 30,
        (rules.SQL_DATABASE, "SQLi_BODY"): 6,
        (rules.BOT_CONTROL, "CategoryHttpLibrary"): 420,
        (rules.BOT_CONTROL, "CategoryScrapingFramework"): 55,
        (rules.BOT_CONTROL, "SignalNonBrowserUserAgent"): 210,
        (rules.BOT_CONTROL, "SignalAutomatedBrowser"): 80,
    },
    custom_blocks={"block-listed-addresses": 120, "rate-limit-per-ip": 24},
    geo_labels=True,
    fingerprints=True,
)
PORTAL = Site(
    webacl="app-portal",
    account="111122223333",
    region="eu-west-1",
    source="ALB",
    source_id="111122223333-app/portal/0123456789abcdef",
    host="portal.example",
    share=0.24,
    season=Season(peaks=((9.5, 2.0, 1.5), (14.5, 2.4, 1.3)), floor=0.3, weekend=0.55),
    audience="people",
    markets=("IE", "GB", "DE", "FR", "US", "ES", "NL", "IN", "PT", "PL"),
    rate_limit=600,
    groups=(
        rules.REPUTATION,
        rules.ANONYMOUS,
        rules.COMMON,
        rules.ADMIN,
        rules.SQL_DATABASE,
        rules.ACCOUNT_TAKEOVER,
    ),
    blocks={
        (rules.REPUTATION, "AWSManagedIPReputationList"): 190,
        (rules.REPUTATION, "AWSManagedReconnaissanceList"): 40,
        (rules.ANONYMOUS, "AnonymousIPList"): 75,
        (rules.ANONYMOUS, "HostingProviderIPList"): 160,
        (rules.COMMON, "NoUserAgent_HEADER"): 60,
        (rules.COMMON, "UserAgent_BadBots_HEADER"): 28,
        (rules.COMMON, "SizeRestrictions_BODY"): 40,
        (rules.COMMON, "GenericLFI_QUERYARGUMENTS"): 10,
        (rules.COMMON, "GenericLFI_URIPATH"): 9,
        (rules.COMMON, "RestrictedExtensions_URIPATH"): 20,
        (rules.COMMON, "CrossSiteScripting_QUERYARGUMENTS"): 8,
        (rules.COMMON, "CrossSiteScripting_BODY"): 5,
        (rules.ADMIN, "AdminProtection_URIPATH"): 65,
        (rules.SQL_DATABASE, "SQLi_QUERYARGUMENTS"): 16,
        (rules.SQL_DATABASE, "SQLi_BODY"): 4,
        (rules.ACCOUNT_TAKEOVER, "VolumetricIpHigh"): 48,
        (rules.ACCOUNT_TAKEOVER, "AttributeCompromisedCredentials"): 36,
        (rules.ACCOUNT_TAKEOVER, "SignalMissingCredential"): 14,
    },
    custom_blocks={"block-listed-addresses": 60, "rate-limit-per-ip": 12},
    geo_labels=True,
    fingerprints=True,
)
PARTNER = Site(
    webacl="partner_api",
    account="444455556666",
    region="us-west-2",
    source="APIGW",
    source_id="444455556666:partnerapi:prod",
    host="api.partner.example",
    share=0.18,
    season=Season(peaks=((15.0, 2.8, 1.6), (20.0, 2.6, 0.9)), floor=0.35, weekend=0.35),
    audience="programs",
    markets=("US", "CA", "GB", "DE", "IN", "MX", "BR", "JP"),
    rate_limit=2000,
    groups=(rules.REPUTATION, rules.COMMON, rules.BAD_INPUTS, rules.SQL_DATABASE),
    blocks={
        (rules.REPUTATION, "AWSManagedIPReputationList"): 110,
        (rules.REPUTATION, "AWSManagedReconnaissanceList"): 35,
        (rules.COMMON, "NoUserAgent_HEADER"): 85,
        (rules.COMMON, "UserAgent_BadBots_HEADER"): 22,
        (rules.COMMON, "SizeRestrictions_QUERYSTRING"): 14,
        (rules.COMMON, "SizeRestrictions_BODY"): 50,
        (rules.COMMON, "EC2MetaDataSSRF_QUERYARGUMENTS"): 3,
        (rules.COMMON, "GenericLFI_URIPATH"): 6,
        (rules.COMMON, "RestrictedExtensions_URIPATH"): 9,
        (rules.BAD_INPUTS, "Log4JRCE_HEADER"): 8,
        (rules.BAD_INPUTS, "Log4JRCE_QUERYSTRING"): 3,
        (rules.BAD_INPUTS, "JavaDeserializationRCE_BODY"): 3,
        (rules.BAD_INPUTS, "ExploitablePaths_URIPATH"): 18,
        (rules.SQL_DATABASE, "SQLi_QUERYARGUMENTS"): 12,
        (rules.SQL_DATABASE, "SQLiExtendedPatterns_QUERYARGUMENTS"): 7,
    },
    custom_blocks={"retired-api-version": 40, "rate-limit-per-ip": 30, "geo-restriction": 25},
)
MOBILE = Site(
    webacl="mobile-graphql",
    account="444455556666",
    region="ap-southeast-2",
    source="APPSYNC",
    source_id="arn:aws:appsync:ap-southeast-2:444455556666:apis/examplegraphqlapi00000001x",
    host="examplegraphqlapi00000001x.appsync-api.ap-southeast-2.amazonaws.com",
    share=0.12,
    season=Season(peaks=((9.0, 3.0, 1.2), (22.0, 2.4, 0.7)), floor=0.5, weekend=1.1),
    audience="apps",
    markets=("AU", "NZ", "SG", "ID", "MY", "PH", "JP", "IN"),
    rate_limit=500,
    groups=(rules.REPUTATION, rules.COMMON, rules.BAD_INPUTS),
    blocks={
        (rules.REPUTATION, "AWSManagedIPReputationList"): 80,
        (rules.REPUTATION, "AWSManagedIPDDoSList"): 12,
        (rules.COMMON, "NoUserAgent_HEADER"): 40,
        (rules.COMMON, "UserAgent_BadBots_HEADER"): 15,
        (rules.COMMON, "SizeRestrictions_BODY"): 30,
        (rules.COMMON, "CrossSiteScripting_BODY"): 4,
        (rules.BAD_INPUTS, "Log4JRCE_HEADER"): 6,
        (rules.BAD_INPUTS, "Host_localhost_HEADER"): 3,
        (rules.BAD_INPUTS, "ExploitablePaths_URIPATH"): 7,
    },
    custom_blocks={"block-listed-addresses": 35, "rate-limit-per-ip": 16},
)
SITES = (SHOP, PORTAL, PARTNER, MOBILE)
