"""Events to other accounts: what is in them, what never is, and how they are put on a bus."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from sharing import HOUR, NOON, SENDER, envelope, indicator

from bartizan.errors import UsageError
from bartizan.model.indicator import FAMILY_NAMES, Tlp, families
from bartizan.model.intel import Candidate, Entry, Evidence
from bartizan.respond.share import event
from bartizan.respond.share.event import (
    MOST_ENTRIES,
    MOST_WITHDRAWN,
    Detail,
    Envelope,
    Withdrawal,
    details,
    event_count,
    event_id,
    withdrawals,
)
from bartizan.respond.share.send import MOST_BYTES as MOST_BYTES_OF_A_CALL
from bartizan.respond.share.send import due, indicators, put, taken_back

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(Path(event.__file__).with_name("event.schema.json").read_text())
PUBLISHED = Draft202012Validator(SCHEMA)
BUS = "arn:aws:events:eu-central-1:444455556666:event-bus/bartizan-intel"


def test_the_published_schema_is_that_of_the_code_and_takes_the_example() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert event.json_schema(Detail) == SCHEMA
    example = json.loads((ROOT / "examples" / "intel_event.json").read_text())
    PUBLISHED.validate(example["detail"])
    read = Envelope.model_validate_json(json.dumps(example)).detail
    assert read.eventId == event_id(read)
    assert len(read.entries) == 2


def test_what_is_taken_back_has_a_schema_and_a_type_of_its_own() -> None:
    schema = json.loads(Path(event.__file__).with_name("withdrawn.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert event.json_schema(Withdrawal) == schema
    networks = [ip_network(f"203.0.{n // 256}.{n % 256}/32") for n in range(MOST_WITHDRAWN + 1)]
    made = list(withdrawals(networks, "111122223333", NOON, Tlp.AMBER))
    assert [len(one.networks) for one in made] == [MOST_WITHDRAWN, 1]
    for one in made:
        Draft202012Validator(schema).validate(one.model_dump(mode="json"))
        assert one.eventId == event_id(one)
        assert len(one.model_dump_json()) < MOST_BYTES_OF_A_CALL
    assert not PUBLISHED.is_valid(made[0].model_dump(mode="json"))
    assert event_count(0, len(networks)) == len(made)


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets what is at a path of keys and numbers."""

    def change(detail: dict[str, Any]) -> None:
        *way, last = path.split(".")
        at: Any = detail
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value

    return change


WRONG = {
    "another version": changed("schemaVersion", 2),
    "a key of its own": changed("note", "<script>"),
    "a key of its own in an entry": changed("entries.0.uri", "/admin?token=x"),
    "no entries": changed("entries", []),
    "too many entries": lambda detail: detail["entries"].extend(detail["entries"] * MOST_ENTRIES),
    "no network": changed("entries.0.network", "example.org"),
    "a number for text": changed("entries.0.network", 3405803783),
    "text for a number": changed("entries.0.blocked", "900"),
    "a negative count": changed("entries.0.blocked", -1),
    "a broken count": changed("entries.0.requests", 1.5),
    "a time with an offset": changed("entries.0.expiresAt", "2026-11-20T16:00:00+02:00"),
    "an unknown family": changed("entries.0.families", ["=cmd()"]),
    "red": changed("tlp", "red"),
    "no account": changed("account", "alice"),
}
ONLY_CODE_SEES = {
    "host bits": changed("entries.0.network", "203.0.113.7/24"),
    "IPv4 inside IPv6": changed("entries.0.network", "::ffff:203.0.113.7/128"),
    "a month 13": changed("entries.0.expiresAt", "2026-13-20T16:00:00Z"),
    "more blocked than made": changed("entries.0.blocked", 1001),
    "an end before the beginning": changed("entries.0.expiresAt", "2026-11-20T10:00:00Z"),
}


@pytest.mark.parametrize("what", [*WRONG, *ONLY_CODE_SEES])
def test_what_is_not_an_event_is_refused(what: str) -> None:
    detail = envelope([indicator("203.0.113.7/32")])["detail"]
    PUBLISHED.validate(detail)
    Detail.model_validate_json(json.dumps(detail))
    wrong = deepcopy(detail)
    ({**WRONG, **ONLY_CODE_SEES}[what])(wrong)
    with pytest.raises(ValidationError):
        Detail.model_validate_json(json.dumps(wrong))
    assert PUBLISHED.is_valid(wrong) == (what in ONLY_CODE_SEES)


def test_the_same_is_the_same_event_and_anything_else_another() -> None:
    told = [indicator("203.0.113.7/32"), indicator("2001:db8::/64")]
    (one,) = details(told, SENDER, NOON, Tlp.AMBER)
    others = [
        *details(told, "777788889999", NOON, Tlp.AMBER),
        *details(told, SENDER, NOON + HOUR, Tlp.AMBER),
        *details(told, SENDER, NOON, Tlp.GREEN),
        *details(told[:1], SENDER, NOON, Tlp.AMBER),
        *details([told[0], replace(told[1], blocked=899)], SENDER, NOON, Tlp.AMBER),
    ]
    assert list(details(told, SENDER, NOON, Tlp.AMBER)) == [one]
    assert len({one.eventId, *(other.eventId for other in others)}) == 6


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
TEXTS = re.compile(rf"{TIME}|[0-9a-f:.]+/\d+|\d{{12}}|[0-9a-f-]{{36}}|amber")


@given(st.lists(st.text(), max_size=4), st.text(), st.text())
def test_nothing_that_a_client_or_an_owner_wrote_leaves(
    rules: list[str], webacl: str, reason: str
) -> None:
    evidence = Evidence(
        requests=10,
        blocked=9,
        rules=tuple(rules),
        uris=2,
        hours=1,
        first_seen=NOON - HOUR,
        last_seen=NOON,
        webacls=(webacl,),
        reasons=(reason,),
    )
    network = ip_network("203.0.113.7/32")
    entry = Entry(network, NOON, NOON + HOUR, 1, 40.0)
    told = indicators({network: entry}, {network: Candidate(network, evidence, 40.0)})
    (detail,) = details(told, SENDER, NOON, Tlp.AMBER)

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for one in value.values() for text in texts(one)]
        if isinstance(value, list):
            return [text for one in value for text in texts(one)]
        return [value] if isinstance(value, str) else []

    content = detail.model_dump(mode="json")
    assert set(content) == {"schemaVersion", "eventId", "account", "at", "tlp", "entries"}
    assert set(content["entries"][0]) == {
        *("network", "addedAt", "expiresAt", "firstSeen", "lastSeen"),
        *("requests", "blocked", "paths", "hours", "families"),
    }
    left = [text for text in texts(content) if text not in FAMILY_NAMES]
    assert [text for text in left if not TEXTS.fullmatch(text)] == []


def test_rules_leave_as_families_and_those_of_owners_without_their_names() -> None:
    rules = ["SQLi_BODY", "shop-admin-panel", "HostingProviderIPList", "SQLi_COOKIE"]
    assert families(rules) == ("anonymous_ip", "other", "sqli")
    assert families([]) == ()


def test_nobody_hears_from_us_what_others_told_us_or_what_he_was_told() -> None:
    ours, heard = ip_network("203.0.113.7/32"), ip_network("203.0.113.8/32")
    until = NOON + 4 * HOUR
    listed = {one: Entry(one, NOON, until, 1, 50.0) for one in (heard, ours)}
    evidence = Evidence(9, 9, ("sqli",), 2, 1, NOON, NOON, (), ())
    told = indicators(listed, {ours: Candidate(ours, evidence, 50.0)})
    assert [one.network for one in told] == [ours]

    assert due(told, {}, NOON) == told
    assert due(told, {ours: until}, NOON) == []
    assert due(told, {ours: until - HOUR}, NOON) == told
    assert due(told, {}, until) == []
    assert taken_back({ours: until}, {ours}, NOON) == []
    assert taken_back({ours: until}, {}, NOON) == [ours]
    assert taken_back({ours: until}, {}, until) == []  # it ended there by itself


class Bus:
    """EventBridge's answers to the calls of a real client, one after the other: the codes that the
    entries of a call fail with, in order. `calls` are what was sent."""

    def __init__(self, *answers: list[str]) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.pauses: list[float] = []
        self._answers = list(answers)
        self.client = boto3.client(
            "events",
            region_name="eu-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self.client.meta.events.register("before-send.events.PutEvents", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        entries = json.loads(request.body)["Entries"]
        self.calls.append(entries)
        codes = self._answers.pop(0) if self._answers else []
        codes += [""] * (len(entries) - len(codes))
        told = [
            {"ErrorCode": code, "ErrorMessage": "no"} if code else {"EventId": f"id-{number}"}
            for number, code in enumerate(codes)
        ]
        failed = sum(map(bool, codes))
        content = json.dumps({"FailedEntryCount": failed, "Entries": told}).encode()
        return AWSResponse(request.url, 200, {}, _Body(content))


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


def many(count: int) -> list[Detail]:
    told = [
        indicator(f"2001:db8:aaaa:{n:x}::/64", families=FAMILY_NAMES, requests=10**12)
        for n in range(count)
    ]
    return list(details(told, SENDER, NOON, Tlp.AMBER))


def test_events_go_out_within_the_limits_of_a_call() -> None:
    bus, sent = Bus(), many(2_500)
    assert [len(one.entries) for one in sent] == [200] * 12 + [100]
    outcomes = list(put(bus.client, BUS, sent, NOON, bus.pauses.append))
    assert [one.detail for one in outcomes] == sent
    assert all(one.receipt and not one.why for one in outcomes)
    put_entries = [entry for call in bus.calls for entry in call]
    assert [json.loads(one["Detail"]) for one in put_entries] == [
        one.model_dump(mode="json") for one in sent
    ]
    assert {one["EventBusName"] for one in put_entries} == {BUS}
    assert {one["Source"] for one in put_entries} == {"custom.waflogs"}
    for call in bus.calls:
        assert len(call) <= 10
        assert sum(len(one["Detail"]) + 14 + 14 + 29 for one in call) <= 250_000

    small = Bus()
    assert len(list(put(small.client, BUS, many(1) * 25, NOON))) == 25
    assert [len(call) for call in small.calls] == [10, 10, 5]


def test_what_failed_within_an_answer_of_200_is_sent_again_or_named() -> None:
    one, two, three = (
        next(details([indicator(f"203.0.113.{n}/32")], SENDER, NOON, Tlp.AMBER)) for n in (1, 2, 3)
    )
    bus = Bus(["", "ThrottlingException", "NotAuthorizedForSourceException"], [""])
    outcomes = {
        outcome.detail.eventId: outcome
        for outcome in put(bus.client, BUS, [one, two, three], NOON, bus.pauses.append)
    }
    assert [[json.loads(e["Detail"])["eventId"] for e in call] for call in bus.calls] == [
        [one.eventId, two.eventId, three.eventId],
        [two.eventId],
    ]
    assert (
        outcomes[one.eventId].receipt == outcomes[two.eventId].receipt.replace("0", "0") == "id-0"
    )
    assert outcomes[three.eventId].why == "NotAuthorizedForSourceException: no"

    never = Bus(*[["InternalFailure"]] * 9)
    (gave_up,) = put(never.client, BUS, [one], NOON, never.pauses.append)
    assert gave_up.why == "InternalFailure: no"
    assert (len(never.calls), never.pauses) == (4, [1.0, 2.0, 4.0])


def test_a_call_that_fails_as_a_whole_says_so() -> None:
    bus, refusal = Bus(), b'{"__type": "AccessDeniedException", "message": "not you"}'
    bus.client.meta.events.register_first(
        "before-send.events.PutEvents",
        lambda request, **_: AWSResponse(request.url, 400, {}, _Body(refusal)),
    )
    with pytest.raises(UsageError, match=r"bartizan-intel: AccessDeniedException: not you"):
        list(put(bus.client, BUS, many(1), NOON))


def test_times_are_whole_seconds_whatever_is_given() -> None:
    late = indicator("203.0.113.7/32", expires_at=NOON + timedelta(seconds=90, microseconds=7))
    (detail,) = details([late], SENDER, NOON, Tlp.AMBER)
    assert detail.entries[0].expiresAt == "2026-11-20T12:01:30Z"
