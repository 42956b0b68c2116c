"""The web ACL that an ARN names, and where its counters are."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):wafv2:(?P<region>[a-z]{2}[a-z-]*-\d):(?P<account>\d{12})"
    r":(?P<scope>regional|global)/webacl/(?P<name>[\w-]{1,128})/(?P<id>[\w-]{1,36})",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class WebAcl:
    """A web ACL of AWS WAF (v2). Counters of CloudFront's are in us-east-1, as its ARN says."""

    account: str
    region: str
    arn: str
    name: str
    id: str
    is_global: bool

    @property
    def scope(self) -> str:
        """As the wafv2 API calls it."""
        return "CLOUDFRONT" if self.is_global else "REGIONAL"


def webacl(arn: str) -> WebAcl | None:
    """The web ACL of an ARN as logs hold it; None for anything else, such as a Classic GUID."""
    match = _ARN.fullmatch(arn)
    if match is None:
        return None
    return WebAcl(
        account=match["account"],
        region=match["region"],
        arn=arn,
        name=match["name"],
        id=match["id"],
        is_global=match["scope"] == "global",
    )
