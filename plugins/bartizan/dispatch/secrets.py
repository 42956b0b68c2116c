"""Secrets of channels: from the environment, or where the caller knows to look."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from bartizan.errors import ConfigError

Elsewhere = Callable[[str], str | None]


def secret(
    name: str, elsewhere: Elsewhere | None = None, env: Mapping[str, str] = os.environ
) -> str:
    """The value of BARTIZAN_SECRET_<NAME>, or else what `elsewhere` has under the name.

    Raises ConfigError when there is none. Values are never logged nor stored.
    """
    variable = f"BARTIZAN_SECRET_{name.upper()}"
    value = env.get(variable) or (elsewhere(name) if elsewhere else None)
    if not value:
        raise ConfigError(
            variable, "is not set", f"set it, or the password of Airflow connection bartizan_{name}"
        )
    return value
