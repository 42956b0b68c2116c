"""Where the Redshift engine runs and as whom, and whose fault an error is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from engine_redshift import CONNECTION, House, open_house

from bartizan.engines.redshift_failure import failure
from bartizan.errors import BartizanError, ConfigError, TransientError, UsageError
from bartizan.model.window import DAY, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + DAY)
TEXT = "select k from agg.t where ts >= {{ start }} and ts < {{ end }}"
TABLE = pa.table({"ts": pa.array([], pa.timestamp("us")), "k": pa.array([], pa.string())})


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house({"agg.t": TABLE}) as opened:
        yield opened


LOOKOUT = {"username": "u", "password": "hidden", "engine": "redshift", "host": "h", "port": 5439}


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({}, {"ClusterIdentifier": "shop-cluster", "Database": "shop"}),
        ({"user": "reader"}, {"ClusterIdentifier": "shop-cluster", "DbUser": "reader"}),
        ({"target": "shop-workgroup", "serverless": True}, {"WorkgroupName": "shop-workgroup"}),
        (
            {"target": None, "database": None, "secret": "lookout"},
            {"ClusterIdentifier": "shop-cluster", "Database": "shop", "SecretArn": "lookout"},
        ),
        # A secret that is not needed to know where is for the Data API alone to read.
        ({"secret": "unread"}, {"ClusterIdentifier": "shop-cluster", "SecretArn": "unread"}),
    ],
)
def test_it_says_where_and_as_whom(
    house: House, connection: dict[str, str], expected: dict[str, str]
) -> None:
    keep_secret(
        "lookout", json.dumps({**LOOKOUT, "dbClusterIdentifier": "shop-cluster", "db": "shop"})
    )
    engine = house.engine(replace(CONNECTION, **connection))
    statement = engine.start("select 1 as n")
    described = house.ended({"Id": statement})
    assert engine.fetch(statement)["n"].to_pylist() == [1]
    assert {name: described[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (json.dumps({**LOOKOUT, "dbClusterIdentifier": "shop-cluster"}), "lacks the key 'db'"),
        (json.dumps({**LOOKOUT, "db": "shop"}), "lacks the key 'dbClusterIdentifier'"),
        ('{"password": "hidden', "is no JSON object"),
        ('"hidden"', "is no JSON object"),
    ],
)
def test_a_secret_that_does_not_fit_is_named_not_shown(
    house: House, text: str, problem: str
) -> None:
    keep_secret("lookout", text)
    with pytest.raises(UsageError, match=problem) as raised:
        house.engine(replace(CONNECTION, target=None, database=None, secret="lookout"))
    assert "hidden" not in str(raised.value)
    assert raised.value.thing == "lookout"


def keep_secret(name: str, text: str) -> None:
    secrets = boto3.client("secretsmanager")
    try:
        secrets.create_secret(Name=name, SecretString=text)
    except ClientError:  # it is there already
        secrets.put_secret_value(SecretId=name, SecretString=text)


@pytest.mark.parametrize(
    "connection",
    [
        {"target": "no-such-cluster"},
        {"unload": "s3://no-such-bucket-here/unload/"},
        {"secret": "no-such-secret", "database": None},
    ],
)
def test_a_wrong_set_up_is_named(house: House, connection: dict[str, str]) -> None:
    with pytest.raises(UsageError) as raised:
        house.engine(replace(CONNECTION, **connection)).query(TEXT, WINDOW)
    assert raised.value.thing.startswith(next(iter(connection.values())))


def test_a_text_the_api_finds_too_long(house: House) -> None:
    text = f"{TEXT} and k in ({', '.join(['%r' % ('x' * 90)] * 1200)})"
    with pytest.raises(ConfigError, match="larger than 100kB"):
        house.engine().query(text, WINDOW)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('ERROR: relation "agg.t" does not exist', ConfigError),
        ("ERROR: syntax error at or near \"from\"\n  Position: 8", ConfigError),
        ("Query #2 failed with ERROR: Invalid digit, Value 'x', Pos 0, Type: Long", ConfigError),
        ('ERROR: invalid input syntax for integer: "permission denied, timeout"', ConfigError),
        ('ERROR: database "nope" does not exist', UsageError),
        ("ERROR: permission denied for relation requests", UsageError),
        ("ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid X", UsageError),
        ("ERROR: User arn:aws:redshift:eu-central-1:111122223333:dbuser:shop/u is not authorized"
         " to assume IAM Role arn:aws:iam::111122223333:role/unload", UsageError),
        ("ERROR: S3ServiceException:Please reduce your request rate,Status 503,Error SlowDown",
         TransientError),
        ("ERROR: Query (4711) cancelled on user's request", TransientError),
        ("ERROR: 1023 Serializable isolation violation on table in Redshift", TransientError),
        ("ERROR: Disk Full", TransientError),
        ("Query cancelled on user's request", TransientError),
    ],
)  # fmt: skip
def test_whose_fault_it_is(message: str, kind: type[BartizanError]) -> None:
    error = failure(message, "shop/query.sql", CONNECTION)
    assert type(error) is kind
    assert "ERROR:" not in str(error) and "Position" not in str(error)
