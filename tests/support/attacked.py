"""A lake under attack, IP sets in two accounts of a stand-in of AWS, and whom not to block."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lakes import SmallLake, landed
from respond_house import ACCOUNT, ROLE, wafv2

OTHER = "444455556666"
ATTACKER, SHARED, PARTNER = "203.0.113.7", "203.0.113.8", "203.0.113.9"
FOREIGN = "192.0.2.0/24"  # an entry of others in each set

INTEL = """
never_block:
  own_egress: {{ranges: []}}
  cdn_and_proxies: {{ranges: []}}
  partners: {{ranges: [203.0.113.9/32]}}
  documentation_ranges: false
limits: {{max_blast_radius: 0}}
targets:
  - {{name: shop, ip_set_name: {name}, scope: REGIONAL, region: eu-central-1, version: 4,
     account_id: "111122223333", role_arn: "{role}", mode: {mode}}}
  - {{name: edge, ip_set_name: {name}, scope: CLOUDFRONT, region: us-east-1, version: 4,
     account_id: "444455556666", role_arn: "{other}", mode: {mode}}}
"""


def requests_before(end: datetime) -> list[dict[str, Any]]:
    """Of an attacker, a client whose address real users share, and a partner's probe: one of each a
    minute, nearly twelve hours long."""
    return [
        {
            "event_time": end - timedelta(minutes=n),
            "client_ip": client,
            "action": "ALLOW" if client == SHARED and n % 2 else "BLOCK",
            "terminating_rule_id": ("sqli", "xss")[n % 2],
            "uri": f"/path/{n % 40}",
        }
        for client in (ATTACKER, SHARED, PARTNER)
        for n in range(1, 700)
    ]


def attacked_lake(folder: Path, end: datetime) -> None:
    rows = requests_before(end)
    hits = [
        {
            "event_time": row["event_time"],
            "client_ip": row["client_ip"],
            "rule": row["terminating_rule_id"],
            "rule_action": row["action"],
            "request_action": row["action"],
            "terminating": True,
        }
        for row in rows
    ]
    SmallLake.open(folder).land(
        "a", requests=landed("requests", rows), rule_hits=landed("rule_hits", hits)
    )


class Sets:
    """The IP set of the same name in both accounts, and the file that makes them targets."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.name, self._ends = name, []
        for account, scope in ((ACCOUNT, "REGIONAL"), (OTHER, "CLOUDFRONT")):
            client = wafv2(scope, endpoint, ROLE.replace(ACCOUNT, account))
            made = client.create_ip_set(
                Name=name, Scope=scope, IPAddressVersion="IPV4", Addresses=[FOREIGN]
            )
            named = {"Name": name, "Scope": scope, "Id": made["Summary"]["Id"]}
            self._ends.append((client, named))

    def addresses(self) -> list[list[str]]:
        return [client.get_ip_set(**named)["IPSet"]["Addresses"] for client, named in self._ends]

    def foreign(self, account: int, address: str) -> None:
        """Somebody else adds an address in the first or second account."""
        client, named = self._ends[account]
        found = client.get_ip_set(**named)
        addresses = [*found["IPSet"]["Addresses"], address]
        client.update_ip_set(**named, Addresses=addresses, LockToken=found["LockToken"])

    def configured(self, path: Path, mode: str) -> None:
        other = ROLE.replace(ACCOUNT, OTHER)
        path.write_text(INTEL.format(name=self.name, role=ROLE, other=other, mode=mode))
