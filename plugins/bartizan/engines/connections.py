"""Where the engines beside DuckDB are: one URL each, from the environment.

BARTIZAN_ATHENA      athena://WORKGROUP?region=eu-central-1&output=s3://bucket/prefix/
                       &catalog=AwsDataCatalog&reuse_minutes=0&timeout=PT15M
BARTIZAN_REDSHIFT    redshift://?secret=SECRET-ID&region=…&unload=s3://bucket/prefix/&role=ROLE-ARN
                       cluster and database come from the secret, whose keys are those of Lookout's
                       connector (username, password, dbClusterIdentifier, db, host, port); or
                     redshift://WORKGROUP/DATABASE?serverless=true&…
                     redshift://CLUSTER/DATABASE?user=NAME&…   (temporary credentials)
BARTIZAN_POSTGRESQL  postgresql://user@host:5432/database   (libpq: password by PGPASSWORD, .pgpass)
BARTIZAN_CLOUDWATCH  cloudwatch://?region=eu-central-1      (may be left out: boto3's own region)

A connector may name a further one: `connection: shop` reads BARTIZAN_POSTGRESQL_SHOP.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit

from bartizan.engines.base import EngineName
from bartizan.errors import UsageError
from bartizan.model.window import parse_duration

_TIMEOUT = "PT15M"


@dataclass(frozen=True)
class Athena:
    """`output` is the s3:// prefix of results; results up to `reuse_minutes` old are reused."""

    workgroup: str
    output: str
    region: str | None = None
    catalog: str = "AwsDataCatalog"
    reuse_minutes: int = 0
    timeout: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Redshift:
    """`target` is a cluster, or a workgroup when `serverless`; None: the secret names it.

    `unload` is the s3:// prefix that results are unloaded to, by the IAM role `role`.
    """

    unload: str
    role: str
    target: str | None = None
    database: str | None = None
    serverless: bool = False
    secret: str | None = None
    user: str | None = None
    region: str | None = None
    timeout: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class PostgreSQL:
    """`url` is a libpq connection URI; a statement that takes longer than `timeout` is ended."""

    url: str = field(repr=False)  # may hold a password
    timeout: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class CloudWatch:
    """`region` is where metrics are read that name no regions; None: where boto3 is at home."""

    region: str | None = None


Connection = Athena | Redshift | PostgreSQL | CloudWatch

_KEYS = {
    EngineName.ATHENA: {"region", "output", "catalog", "reuse_minutes", "timeout"},
    EngineName.REDSHIFT: {"region", "unload", "role", "serverless", "secret", "user", "timeout"},
    EngineName.CLOUDWATCH: {"region"},
}


_EXAMPLES = {
    EngineName.ATHENA: "athena://WORKGROUP?output=s3://bucket/prefix/",
    EngineName.REDSHIFT: "redshift://?secret=SECRET-ID&unload=s3://bucket/prefix/&role=ROLE-ARN",
    EngineName.POSTGRESQL: "postgresql://user@host:5432/database",
    EngineName.CLOUDWATCH: "cloudwatch://?region=eu-west-1",
}


def variable(engine: EngineName, connection: str | None = None) -> str:
    """The environment variable that holds the URL of an engine's connection."""
    name = f"BARTIZAN_{engine.upper()}"
    return name if connection is None else f"{name}_{connection.upper().replace('-', '_')}"


def connection_from(
    engine: EngineName, connection: str | None = None, env: Mapping[str, str] = os.environ
) -> Connection:
    """The connection an environment variable describes. Raises UsageError naming the variable."""
    name = variable(engine, connection)
    if not (url := env.get(name, "").strip()):
        if engine is EngineName.CLOUDWATCH and connection is None:
            return CloudWatch()
        raise UsageError(name, "is not set", f"write {_EXAMPLES[engine]}; docs/engines.md")
    parts = urlsplit(url)
    schemes = {"postgresql", "postgres"} if engine is EngineName.POSTGRESQL else {str(engine)}
    if parts.scheme not in schemes:
        raise UsageError(name, f"begins with {parts.scheme!r}://", f"write {engine}://…")
    if engine is EngineName.POSTGRESQL:
        return PostgreSQL(url)
    return _aws(name, engine, parts)


def _aws(name: str, engine: EngineName, parts: SplitResult) -> Athena | Redshift | CloudWatch:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - _KEYS[engine]):
        raise UsageError(
            name, f"unknown option {unknown[0]!r}", f"known: {', '.join(sorted(_KEYS[engine]))}"
        )
    if engine is EngineName.CLOUDWATCH:
        return CloudWatch(options.get("region"))
    timeout = _duration(name, options.get("timeout", _TIMEOUT))
    if engine is EngineName.ATHENA:
        return Athena(
            workgroup=parts.netloc or "primary",
            output=_prefix(name, options, "output"),
            region=options.get("region"),
            catalog=options.get("catalog", "AwsDataCatalog"),
            reuse_minutes=_number(name, options.get("reuse_minutes", "0")),
            timeout=timeout,
        )
    database = parts.path.strip("/") or None
    secret = options.get("secret")
    if secret is None and not (parts.netloc and database):
        raise UsageError(name, "names no cluster and database", "write them, or secret=SECRET-ID")
    if not options.get("role"):
        raise UsageError(name, "option 'role' is missing", "give the IAM role that UNLOAD uses")
    return Redshift(
        unload=_prefix(name, options, "unload"),
        role=options["role"],
        target=parts.netloc or None,
        database=database,
        serverless=_yes(name, options.get("serverless", "false")),
        secret=secret,
        user=options.get("user"),
        region=options.get("region"),
        timeout=timeout,
    )


def _prefix(name: str, options: Mapping[str, str], key: str) -> str:
    value = options.get(key, "")
    if not value.startswith("s3://"):
        raise UsageError(name, f"{key}={value!r} is no s3:// prefix", f"write {key}=s3://…/")
    return value if value.endswith("/") else f"{value}/"


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise UsageError(name, f"reuse_minutes={text!r} is no number", "write minutes, 0 for never")
    return int(text)


def _yes(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(name, f"serverless={text!r} is unknown", "write true or false")
    return text == "true"


def _duration(name: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except UsageError as error:
        raise UsageError(name, f"timeout={text!r} is no duration", "write PT15M") from error
