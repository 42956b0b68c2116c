"""Who sends: the account, region and console that messages name."""

from __future__ import annotations

from dataclasses import dataclass

_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


@dataclass(frozen=True)
class Context:
    """The installation as channels see it; the default is AWS's documentation account.

    ARNs keep the service name of Lookout for Metrics, because consumers parse them.
    """

    account_id: str = "123456789012"
    region: str = "us-east-1"
    product: str = "Bartizan"
    console_url: str = "http://localhost:8080/bartizan"

    @property
    def partition(self) -> str:
        return _PARTITIONS.get(self.region.rsplit("-", maxsplit=2)[0], "aws")

    def detector_arn(self, detector: str) -> str:
        return self._arn(f"AnomalyDetector:{detector}")

    def alert_arn(self, detector: str) -> str:
        return self._arn(f"Alert:{detector}")

    def incident_url(self, incident_id: str) -> str:
        return f"{self.console_url}/incidents/{incident_id}"

    def _arn(self, resource: str) -> str:
        return f"arn:{self.partition}:lookoutmetrics:{self.region}:{self.account_id}:{resource}"
