"""A folder that gets what a channel of another kind would send: works without any account."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator
from upath import UPath

from bartizan.described import wrong
from bartizan.dispatch.channels.base import (
    Channel,
    ChannelOptions,
    Outcome,
    Outgoing,
    Payload,
    Shape,
    Site,
)
from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.shapes import (
    confirmation,
    digest,
    email,
    eventbridge,
    lookout_event,
    ocsf,
    pagerduty,
    security_hub,
    slack,
    sns,
    webhook,
)
from bartizan.model.anomaly import Incident
from bartizan.model.confirmation import Confirmation

SHAPES: dict[str, Shape] = {
    "security_hub": security_hub.shape,
    "sns": sns.shape,
    "lambda": lookout_event.shape,
    "eventbridge": eventbridge.shape,
    "slack": slack.shape,
    "email": email.shape,
    "webhook": webhook.shape,
    "pagerduty": pagerduty.shape,
    "ocsf": ocsf.shape,
}

PEOPLE = ("slack", "email", "pagerduty")  # read these; machines too listen to topics of SNS

ConfirmationShape = Callable[[Confirmation, Context], Payload]
CONFIRMATIONS: dict[str, ConfirmationShape] = {
    "slack": confirmation.slack,
    "email": confirmation.email,
    "sns": confirmation.sns,
}

DigestShape = Callable[[Digest, Context], Payload]
DIGESTS: dict[str, DigestShape] = {
    "slack": digest.slack,
    "email": digest.email,
    "webhook": digest.webhook,
}


def _known(value: str) -> str:
    if value not in SHAPES:
        raise wrong(f"{value!r} is unknown", f"write one of {', '.join(SHAPES)}")
    return value


class FolderOptions(ChannelOptions):
    """`of`: whose payloads it gets. `path`: None is the outbox folder."""

    kind: Literal["folder"]
    of: Annotated[str, AfterValidator(_known)]
    path: str | None = None

    def open(self, site: Site) -> Channel:
        folder = site.outbox if self.path is None else UPath(self.path)
        return FolderChannel(
            folder, SHAPES[self.of], DIGESTS.get(self.of), CONFIRMATIONS.get(self.of)
        )


class FolderChannel(Channel):
    """Writes `<folder>/<channel>/<incident id>/<change>.json`; again, the same bytes."""

    def __init__(
        self,
        folder: UPath,
        shape: Shape,
        digest_shape: DigestShape | None = None,
        confirmation_shape: ConfirmationShape | None = None,
    ) -> None:
        self._folder, self._shape = folder, shape
        self._digest_shape, self._confirmation_shape = digest_shape, confirmation_shape

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return self._shape(incident, context, change)

    def digest(self, found: Digest, context: Context) -> Payload:
        if self._digest_shape is None:
            return super().digest(found, context)
        return self._digest_shape(found, context)

    def confirmation(self, found: Confirmation, context: Context) -> Payload:
        if self._confirmation_shape is None:
            return super().confirmation(found, context)
        return self._confirmation_shape(found, context)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return [self._write(one) for one in batch]

    def _write(self, one: Outgoing) -> Outcome:
        text = json.dumps(one.payload, indent=2, ensure_ascii=False, allow_nan=False)
        content = text.encode() + b"\n"
        try:
            write_whole(self._folder / one.message.payload_id, content)
        except OSError as error:
            return Outcome.transient(f"cannot be written: {error.strerror or type(error).__name__}")
        return Outcome.delivered(f"sha256:{hashlib.sha256(content).hexdigest()}")


def write_whole(path: UPath, content: bytes) -> None:
    """Write a file that has its final name only when it is complete. Raises OSError."""
    if path.protocol not in ("", "file"):
        path.write_bytes(content)  # object stores show an object when it is whole
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(content)
    temporary.rename(path)
