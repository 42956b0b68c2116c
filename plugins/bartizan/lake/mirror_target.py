"""Where a mirror lies: an S3 prefix for the files, Glue databases for the tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bartizan.errors import UsageError

_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[\w.=-]+)*)/?", re.ASCII)
_DATABASE_PREFIX = re.compile(r"[a-z0-9_]{0,200}", re.ASCII)


@dataclass(frozen=True)
class Target:
    """A bucket, a prefix in it (empty, or ending in `/`), and what database names begin with."""

    bucket: str
    prefix: str = ""
    database_prefix: str = ""

    @classmethod
    def parse(cls, uri: str, database_prefix: str = "") -> Target:
        """From `s3://bucket/prefix/`. Raises UsageError for anything else."""
        found = _URI.fullmatch(uri)
        if found is None or ".." in uri:
            raise UsageError(
                f"mirror {uri!r}", "is no place on S3", "write s3://bucket/ or s3://bucket/prefix/"
            )
        if not _DATABASE_PREFIX.fullmatch(database_prefix):
            raise UsageError(
                f"database prefix {database_prefix!r}",
                "is no beginning of a Glue database's name",
                "use small letters, digits and _ only",
            )
        bucket, path = found.groups()
        return cls(bucket, f"{path[1:]}/" if path else "", database_prefix)

    def identifier(self, name: str) -> tuple[str, str]:
        """Glue database and table of a table of the lake, such as `waf.requests`."""
        kind, table = name.split(".")
        return f"{self.database_prefix}{kind}", table

    def folder(self, name: str) -> str:
        """Prefix of the keys of a table's files; ends in `/`."""
        return f"{self.prefix}{name.replace('.', '/')}/"

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def key(self, uri: str) -> str:
        """The key of a URI in this bucket."""
        return uri.removeprefix(self.uri(""))
