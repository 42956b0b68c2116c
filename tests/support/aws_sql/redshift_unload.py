"""UNLOAD to S3 and COPY from it: their options read, their files written and loaded."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlglot
from botocore.exceptions import ClientError
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from aws_sql.redshift_dialect import Refused
from aws_sql.redshift_results import values
from aws_sql.warehouse import Objects, quoted

_SLICES = 2  # a power of two
_OPTIONS = {"PARQUET", "CSV", "HEADER", "GZIP", "ALLOWOVERWRITE"} | {
    "PARALLEL ON",
    "PARALLEL OFF",
    "IGNOREHEADER 1",
}


@dataclass(frozen=True)
class Transfer:
    """What an UNLOAD or a COPY says; `subject` is the query, or the table with its columns."""

    subject: str
    uri: str
    options: frozenset[str]  # in upper case, such as "PARQUET", "PARALLEL OFF", "IGNOREHEADER 1"


def unload_of(sql: str) -> Transfer:
    """`UNLOAD ('select …') TO 's3://…' IAM_ROLE '…' option …`. Raises Refused."""
    tokens = _tokens(sql)
    kinds = [token.token_type for token in tokens[:3]]
    if kinds != [TokenType.L_PAREN, TokenType.STRING, TokenType.R_PAREN]:
        raise Refused('syntax error at or near "unload"')
    return _transfer(tokens[1].text, "TO", tokens[3:])


def copy_of(sql: str) -> Transfer:
    """`COPY table [(column, …)] FROM 's3://…' IAM_ROLE '…' option …`. Raises Refused."""
    tokens = _tokens(sql)
    words = [token.text.upper() for token in tokens]
    start = words.index("FROM") if "FROM" in words else len(words)
    return _transfer(
        "".join(_as_written(token) for token in tokens[:start]), "FROM", tokens[start:]
    )


def _as_written(token: Token) -> str:
    return quoted(token.text) if token.token_type is TokenType.IDENTIFIER else token.text


def _tokens(sql: str) -> list[Token]:
    """Tokens behind the first word, which sqlglot would take for the whole statement."""
    _, _, rest = sql.strip().rstrip(";").replace("(", " (", 1).partition(" ")
    return sqlglot.tokenize(rest, read="redshift")


def _transfer(subject: str, preposition: str, tokens: list[Token]) -> Transfer:
    texts = [token.text for token in tokens]
    words = [text.upper() for text in texts]
    if words[:1] != [preposition] or words[2:3] != ["IAM_ROLE"] or len(words) < 4:
        raise Refused(f'syntax error at or near "{texts[0] if texts else preposition}"')
    if not texts[1].startswith("s3://"):
        raise Refused("The S3 path must begin with s3://")
    return Transfer(subject, texts[1], _options(words[4:]))


def _options(words: list[str]) -> frozenset[str]:
    options, rest = set(), [word for word in words if word not in ("FORMAT", "AS")]
    while rest:
        word = rest.pop(0)
        if word in ("PARALLEL", "IGNOREHEADER") and rest:
            word = f"{word} {rest.pop(0)}"
        if word not in _OPTIONS:
            raise Refused(f'syntax error at or near "{word.lower()}"')
        options.add(word)
    return frozenset(options)


def require_no_limit(tree: exp.Expression) -> None:
    """Raises Refused for a query whose outermost SELECT has a LIMIT."""
    if tree.args.get("limit") or tree.args.get("offset"):
        raise Refused("Limit clause is not supported")


def write(transfer: Transfer, rows: pa.Table, objects: Objects) -> None:
    """The files of an UNLOAD: none at all without rows. Raises Refused."""
    with _s3():
        if "ALLOWOVERWRITE" not in transfer.options and objects.list(transfer.uri):
            raise Refused(
                "Specified unload destination on S3 is not empty. Consider using a different "
                "bucket / prefix, manually removing the target files in S3, or using the "
                "ALLOWOVERWRITE option."
            )
        for name, part in _parts(rows, "PARALLEL OFF" in transfer.options):
            _write_part(transfer, name, part, objects)


def _parts(rows: pa.Table, single: bool) -> list[tuple[str, pa.Table]]:
    if single:
        return [("000", rows)] if rows.num_rows else []
    number = pa.array(range(rows.num_rows), pa.int64())
    shares = [
        rows.filter(pc.equal(pc.bit_wise_and(number, _SLICES - 1), n)) for n in range(_SLICES)
    ]
    return [(f"{n:04}_part_00", share) for n, share in enumerate(shares) if share.num_rows]


def _write_part(transfer: Transfer, name: str, rows: pa.Table, objects: Objects) -> None:
    if "PARQUET" in transfer.options:
        uri = f"{transfer.uri}{name}.parquet"
        objects.put_parquet(uri, rows, use_deprecated_int96_timestamps=True)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if "HEADER" in transfer.options:
        writer.writerow(rows.column_names)
    writer.writerows([_as_text(value) for value in row] for row in values(rows))
    body = text.getvalue().encode()
    if "GZIP" in transfer.options:
        objects.put(f"{transfer.uri}{name}.gz", gzip.compress(body, mtime=0))
    else:
        objects.put(f"{transfer.uri}{name}", body)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else str(value)


def read(transfer: Transfer, objects: Objects) -> list[pa.Table]:
    """Tables of the files that a COPY names. Raises Refused."""
    with _s3():
        uris = objects.list(transfer.uri)
        if not uris:
            raise Refused("The specified S3 prefix does not exist")
        if "PARQUET" in transfer.options:
            return [objects.get_parquet(uri) for uri in uris]
        skipped = 1 if "IGNOREHEADER 1" in transfer.options else 0
        return [_csv(objects.get(uri), skipped, "GZIP" in transfer.options) for uri in uris]


def _csv(body: bytes, skipped: int, zipped: bool) -> pa.Table:
    plain = gzip.decompress(body) if zipped else body
    rows = list(csv.reader(io.StringIO(plain.decode())))[skipped:]
    width = len(rows[0]) if rows else 0
    return pa.table(
        {f"c{i}": pa.array([row[i] or None for row in rows], pa.string()) for i in range(width)}
    )


class _s3:
    """S3's own refusals in Redshift's words."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            raise Refused(f"S3ServiceException:{message},Status {status},Error {code}") from error
