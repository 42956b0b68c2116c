"""One file per kind of channel: its options in alerts.yaml, its shape, how it is sent."""

from __future__ import annotations

from bartizan.dispatch.channels.base import ChannelOptions, Shape
from bartizan.dispatch.channels.email import EmailOptions
from bartizan.dispatch.channels.eventbridge import EventBridgeOptions
from bartizan.dispatch.channels.export import ExportOptions
from bartizan.dispatch.channels.folder import SHAPES, FolderOptions
from bartizan.dispatch.channels.lambda_ import LambdaOptions
from bartizan.dispatch.channels.pagerduty import PagerDutyOptions
from bartizan.dispatch.channels.security_hub import SecurityHubOptions
from bartizan.dispatch.channels.slack import SlackOptions
from bartizan.dispatch.channels.sns import SnsOptions
from bartizan.dispatch.channels.webhook import WebhookOptions

KINDS: dict[str, type[ChannelOptions]] = {
    "security_hub": SecurityHubOptions,
    "sns": SnsOptions,
    "lambda": LambdaOptions,
    "eventbridge": EventBridgeOptions,
    "slack": SlackOptions,
    "email": EmailOptions,
    "webhook": WebhookOptions,
    "pagerduty": PagerDutyOptions,
    "export": ExportOptions,
    "folder": FolderOptions,
}

__all__ = ["KINDS", "SHAPES", "ChannelOptions", "Shape"]
