"""Credentials never land: not in a column, not in `extra`, not in the quarantine."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waf_logs import lines, record

from bartizan.errors import UsageError
from bartizan.lake import Lake
from bartizan.land import redact_rows
from bartizan.land.chunk import ObjectText, Records, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.redact import ARGUMENTS, HEADERS, NO_KEY, Redaction
from bartizan.land.stage import stage
from bartizan.model.landing import Batch, LogObject
from bartizan.store.database import Store
from bartizan.store.landing import add_batches

SECRET = "S3cr3t-Value.x_y"
KEY = b"0123456789abcdef"
HASHED = base64.b64encode(hmac.new(KEY, SECRET.encode(), hashlib.sha256).digest()).decode()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

# Where a secret can be in a record, and what must be left there.
PLACES: list[tuple[str, Any]] = [
    ("a cookie", {"headers": [{"name": "Cookie", "value": SECRET}]}),
    ("an authorization", {"headers": [{"name": "AUTHORIZATION", "value": SECRET}]}),
    ("a header that ends in token", {"headers": [{"name": "X-Access-Token", "value": SECRET}]}),
    ("an API key", {"headers": [{"name": "x-api-key", "value": SECRET}]}),
    ("a referrer", {"headers": [{"name": "referer", "value": f"https://a.example/?sid={SECRET}"}]}),
    ("an argument", {"args": f"a=1&access_token={SECRET}&b=2"}),
    ("the first argument", {"args": f"password={SECRET}"}),
    ("an argument in a list", {"args": f"x=1&user.pwd[]={SECRET}"}),
    ("a fragment", {"fragment": f"id_token={SECRET}&state=1"}),
    ("a matrix parameter", {"uri": f"/shop/cart;jsessionid={SECRET}"}),
    ("a path segment", {"uri": f"/reset/token={SECRET}"}),
    ("headers as a map", {"headers": {"cookie": SECRET, "host": "a.example"}}),
    ("an ill-typed header", {"headers": [{"name": "Cookie", "value": [SECRET]}]}),
    ("headers as text", {"headers": json.dumps([{"name": "cookie", "value": SECRET}])}),
    ("an unknown member", {"cookie": SECRET}),
    ("an unknown URL", {"unknown": f"https://a.example/?api_key={SECRET}"}),
]


def with_request(number: int, change: dict[str, Any]) -> dict[str, Any]:
    one = record(number)
    return one | {"httpRequest": one["httpRequest"] | change}


def matched(location: str, field: str | None, number: int) -> dict[str, Any]:
    details = {
        "conditionType": "SQL_INJECTION",
        "location": location,
        "matchedData": [SECRET, "or"],
    }
    if field is not None:
        details["matchedFieldName"] = field
    return record(number, terminatingRuleMatchDetails=[details])


def read(text: bytes, redaction: Redaction = NO_KEY) -> Records:
    return read_chunk([ObjectText("a", text)], Columns(), "batch", redaction)


def landed(*records: Any) -> pa.Table:
    return pa.concat_tables(read(lines(records)).parts)


@pytest.mark.parametrize("redaction", [Redaction(), Redaction(key=KEY)], ids=["REDACTED", "hashed"])
@pytest.mark.parametrize(("place", "change"), PLACES, ids=[place for place, _ in PLACES])
@pytest.mark.parametrize("cut", [False, True], ids=["landed", "quarantined"])
def test_a_secret_in(place: str, change: Any, redaction: Redaction, cut: bool) -> None:
    text = lines([with_request(1, change)])
    assert SECRET.encode() in text
    if cut:
        text = text[:-20] + b"\n"
    found = read(text, redaction)
    rows = [row for part in found.parts for row in part.to_pylist()]
    assert (len(rows), len(found.quarantined)) == ((0, 1) if cut else (1, 0))
    shown = json.dumps([rows, [str(one) for one in found.quarantined]], default=str)
    assert SECRET not in shown, place
    if place not in ("an ill-typed header", "an unknown member", "headers as text"):
        assert (HASHED if redaction.key else "REDACTED") in shown


def test_what_matched_in_a_cookie_or_a_secret_argument() -> None:
    records = [
        matched("COOKIE", None, 1),
        matched("COOKIE", "session", 2),
        matched("SINGLE_QUERY_ARG", "token", 3),
        matched("HEADER", "Authorization", 4),
        matched("SINGLE_QUERY_ARG", "Access_Token", 5),
        matched("COOKIE", "my-session", 6),
        matched("SINGLE_QUERY_ARG", "q", 7),
        matched("COOKIE", "basket", 8),
        matched("BODY", None, 9),
    ]
    rows = landed(*records)
    data = [row[0]["matched_data"] for row in rows["terminating_rule_match_details"].to_pylist()]
    assert data == [["REDACTED"] * 2] * 6 + [[SECRET, "or"]] * 3


def test_rate_keys_and_inserted_headers() -> None:
    rule = {
        "rateBasedRuleName": "r",
        "limitKey": "CUSTOMKEYS",
        "customValues": [
            {"key": "HEADER", "name": "X-Api-Key", "value": SECRET},
            {"key": "QUERY_ARGUMENT", "name": "id_token", "value": SECRET},
            {"key": "COOKIE", "name": "PHPSESSID", "value": SECRET},
            {"key": "IP", "value": "192.0.2.1"},
        ],
    }
    inserted = [{"name": "authorization", "value": SECRET}, {"name": "x-a", "value": "1"}]
    one = record(1, rateBasedRuleList=[rule], requestHeadersInserted=inserted)
    [row] = landed(one).to_pylist()
    values = [value["value"] for value in row["rate_based_rules"][0]["custom_values"]]
    assert values == ["REDACTED"] * 3 + ["192.0.2.1"]
    assert [one["value"] for one in row["request_headers_inserted"]] == ["REDACTED", "1"]


def test_names_are_looked_at_anew_when_there_were_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact_rows, "_MOST_KNOWN", 3)
    redaction = Redaction()
    for number in range(12):
        names = ["Host", "cookie", f"x-{number}", f"{number}-token"]
        headers = [{"name": name, "value": SECRET} for name in names]
        found = read(lines([with_request(number, {"headers": headers})]), redaction)
        [row] = found.parts[0].to_pylist()
        assert [one["value"] for one in row["headers"]] == [SECRET, "REDACTED", SECRET, "REDACTED"]
        assert len(redaction.known) <= 3 + 5  # the host of record() comes on top


def test_what_is_no_secret_stays() -> None:
    harmless = {
        "uri": "/token/session/tokens=1",
        "args": "q=secret&tokens=3&author=x&sort=asc",
        "headers": [{"name": "x-note", "value": "cookie"}, {"name": "cookie", "value": ""}],
    }
    [row] = landed(with_request(1, harmless)).to_pylist()
    assert {name: row[name] for name in harmless} == harmless


def test_web_tokens_anywhere_and_in_linear_time() -> None:
    headers = [{"name": "x-own", "value": f"Bearer {JWT}"}, {"name": "x", "value": "eyJ no token"}]
    headers.append({"name": None, "value": JWT})
    [row] = landed(with_request(1, {"headers": headers})).to_pylist()
    values = [one["value"] for one in row["headers"]]
    assert values == ["Bearer REDACTED", "eyJ no token", "REDACTED"]
    assert Redaction().argument_text("eyJ" * 200_000) == "eyJ" * 200_000


@settings(max_examples=60)
@given(
    st.sampled_from(ARGUMENTS),
    st.sampled_from(["", "my_", "X-", "a.b."]),
    st.text("ab1%+", min_size=1),
)
def test_columns_and_text_are_redacted_alike(name: str, prefix: str, value: str) -> None:
    """RE2 in columns and Python in text read one pattern."""
    query = f"q=1&{prefix}{name.upper()}={value}&r=2"
    [row] = landed(with_request(1, {"args": query})).to_pylist()
    assert row["args"] == Redaction().argument_text(query)
    assert row["args"] == f"q=1&{prefix}{name.upper()}=REDACTED&r=2"


def test_settings() -> None:
    assert Redaction.from_env({}) == Redaction(HEADERS, ARGUMENTS, b"")
    own = Redaction.from_env(
        {"BARTIZAN_SECRET_HEADERS": "X-Mine, cookie", "BARTIZAN_SECRET_ARGUMENTS": ""}
    )
    assert own == Redaction(("x-mine", "cookie"), ())
    assert own.argument_text("?token=1") == "?token=1"
    with pytest.raises(UsageError, match=r"BARTIZAN_HASH_KEY.*only 5 characters"):
        Redaction.from_env({"BARTIZAN_HASH_KEY": "short"})
    assert "abcdef" not in repr(Redaction(key=KEY))


def test_no_byte_of_a_secret_in_the_lake(tmp_path: Path) -> None:
    source = tmp_path / "a.log.gz"
    texts = lines(with_request(n, change) for n, (_, change) in enumerate(PLACES))
    source.write_bytes(gzip.compress(texts + texts[:300]))
    lake, store = Lake.open(tmp_path / "lake"), Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    batch = Batch.of([LogObject(str(source), "1", source.stat().st_size)])
    add_batches(store, [batch])
    counts = stage(store, lake, batch.id).counts
    assert (counts.requests, counts.quarantined) == (len(PLACES), 1)
    files = list(tmp_path.rglob("*.parquet"))
    assert len(files) >= 3
    for file in files:
        rows = pa.parquet.read_table(file, partitioning=None).to_pylist()
        assert rows and SECRET not in json.dumps(rows, default=str), file
