"""What the options of channels over HTTP share."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bartizan.described import wrong
from bartizan.dispatch.channels.base import ChannelOptions, SecretName


def web_address(value: str) -> str:
    """The value. Raises ValueError unless it is an http(s) URL without a user or password."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.port == 0:
        raise wrong(f"{value!r} is no web address", "write https://host/path")
    if parts.username or parts.password or parts.fragment:
        raise wrong("holds a user, a password or a #", "give secrets as `secret`")
    return value


Url = Annotated[str, AfterValidator(web_address)]


class WebOptions(ChannelOptions):
    """`allow`: hosts and networks that may be private or without TLS."""

    secret: SecretName
    allow: list[str] = Field(default_factory=list)
