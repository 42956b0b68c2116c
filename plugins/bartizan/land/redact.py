"""Credentials are replaced before anything is written.

Looked at are the names of headers and cookies, of arguments in query strings, fragments, paths and
URLs, and JSON Web Tokens anywhere among these. What WAF logs of a request's matches and rate limits
is part of the request too.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bartizan.errors import UsageError

REDACTED = "REDACTED"  # as AWS WAF's own redaction writes it

HEADERS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
    "x-amz-security-token",
    "aws-waf-token",
    "x-aws-waf-token",
)
ARGUMENTS = (
    *("token", "jwt", "assertion", "auth", "authorization", "signature", "sig", "credential"),
    *("password", "passwd", "pwd", "passphrase", "secret", "otp"),
    *("apikey", "api_key", "api-key", "accesskey", "access_key", "access-key"),
    *("session", "sessionid", "session_id", "session-id", "sid", "jsessionid", "phpsessid"),
)
WITH_URL = ("referer", "x-original-url", "x-rewrite-url", "x-forwarded-uri")
_NOTHING = r"\b\B"  # matches nowhere
_SHORTEST_KEY = 16
JWT_START = "eyJ"  # of a JSON Web Token: base64 of {"
_JWT = r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"


@dataclass(frozen=True)
class Redaction:
    """Which names are secret, in lower case, and what is written for their values.

    With a `key` that is the value's HMAC-SHA256 (44 characters of base64): equal values can be
    joined within a deployment, and nobody without the key can try values out. Without a key it is
    the word REDACTED. A header, cookie or argument is secret when its name is one of `headers`, or
    when the name, or what follows its last `_`, `-` or `.`, is one of `arguments`.
    """

    headers: tuple[str, ...] = HEADERS
    arguments: tuple[str, ...] = ARGUMENTS
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Redaction:
        """From BARTIZAN_SECRET_HEADERS and BARTIZAN_SECRET_ARGUMENTS (names with commas between,
        instead of the usual ones; empty for none) and BARTIZAN_HASH_KEY.

        Raises UsageError when the key is shorter than 16 characters.
        """
        key = env.get("BARTIZAN_HASH_KEY", "").encode()
        if 0 < len(key) < _SHORTEST_KEY:
            raise UsageError(
                "BARTIZAN_HASH_KEY",
                f"has only {len(key)} characters",
                f"give at least {_SHORTEST_KEY}, such as the output of: openssl rand -hex 32",
            )
        return cls(
            _names(env.get("BARTIZAN_SECRET_HEADERS"), HEADERS),
            _names(env.get("BARTIZAN_SECRET_ARGUMENTS"), ARGUMENTS),
            key,
        )

    def replaced(self, value: str) -> str:
        """What is written for a secret value."""
        if not self.key or value in ("", REDACTED):
            return value and REDACTED
        return base64.b64encode(hmac.digest(self.key, value.encode(), "sha256")).decode()

    @cached_property
    def _name(self) -> str:
        headers = "|".join(map(re.escape, self.headers)) or _NOTHING
        arguments = "|".join(map(re.escape, self.arguments)) or _NOTHING
        return rf"{headers}|(?:[\w.%-]*[_.-])?(?:{arguments})(?:\[\]|%5B%5D)?"

    @cached_property
    def name_pattern(self) -> str:
        """The whole name of a secret header, cookie or argument, for RE2 and Python alike."""
        return rf"^(?i:{self._name})$"

    @cached_property
    def argument_pattern(self) -> str:
        """Start and name of a secret argument as group 1, its value as 2; or a JSON Web Token as 3.

        Written for RE2 and Python alike.
        """
        names = "|".join(map(re.escape, self.arguments)) or _NOTHING
        start = rf'(?i:(?:^|[?&;#/"])(?:[\w.%-]*[_.-])?(?:{names})(?:\[\]|%5B%5D)?=)'
        return rf'({start})([^&;#\s"\\]+)|({_JWT})'

    def is_secret(self, name: str) -> bool:
        """Whether the values of headers, cookies or arguments of this name are secret."""
        return re.search(self.name_pattern, name) is not None

    @cached_property
    def known(self) -> dict[str, bool]:
        """Names that were looked at before, and whether they are secret."""
        return {}

    @cached_property
    def _argument(self) -> re.Pattern[str]:
        return re.compile(self.argument_pattern)

    @cached_property
    def _in_records(self) -> tuple[re.Pattern[str], ...]:
        """A secret value in the text of a record as group 2, what leads to it as 1."""
        names = self._name
        value = r'[^"\\]*(?:\\.[^"\\]*)*'
        in_text = r'(?:[^"\\]|\\\\(?:\\"|\\\\|[^"\\]))*'  # of a record that is text in JSON
        string = rf'((?i:"name"\s*:\s*"(?:{names})"\s*,\s*"value"|"(?:{names})")\s*:\s*")({value})'
        other = rf'((?i:"name"\s*:\s*"(?:{names})"\s*,\s*"value")\s*:\s*)([^"\s}}][^}}]*)'
        quote = r'\\"'
        name = rf"{quote}name{quote}\s*:\s*{quote}(?:{names}){quote}"
        text = rf"((?i:{name}\s*,\s*{quote}value{quote})\s*:\s*{quote})({in_text})"
        cookie = r'("location"\s*:\s*"COOKIE"\s*,\s*"matchedData"\s*:\s*\[\s*")([^\]]*)'
        return tuple(map(re.compile, (string, other, text, cookie)))

    def argument_text(self, text: str) -> str:
        """A query string, fragment or URL without secret values."""
        return self._argument.sub(self._without, text)

    def record_text(self, text: str) -> str:
        """Raw text of a record, whole or cut, without secret values."""
        for pattern in self._in_records:
            text = pattern.sub(lambda found: found[1] + self.replaced(found[2]), text)
        return self.argument_text(text)

    def _without(self, found: re.Match[str]) -> str:
        return self.replaced(found[3]) if found[3] else found[1] + self.replaced(found[2])


NO_KEY = Redaction()


def _names(given: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return usual
    return tuple(name.strip().lower() for name in given.split(",") if name.strip())
