"""From the IP set of one account to that of another, by the command, over EventBridge and SQS.

The stand-in of AWS does not carry events from one account to the bus of another: the sender's bus
is in his own account, and what its rule delivered is put into the receiver's queue by the test,
with the account of the sender that AWS writes into an event and the stand-in does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cloudformation import clients, create
from commands import bartizan_command
from lakes import SmallLake, landed
from respond_house import NOON, REGION
from sharing import body, envelope, indicator

from bartizan.store import Store
from bartizan.store.intel_sharing import load_rejected

NUMBERS = count(10)  # of accounts: every test has its own two
ATTACKER, PARTNER_OF_B, USER_OF_B = "203.0.113.7", "203.0.113.10", "203.0.113.11"
INTEL = """
never_block:
  own_egress: {{ranges: []}}
  cdn_and_proxies: {{ranges: []}}
  partners: {{ranges: {partners}}}
  documentation_ranges: false
limits: {{ttl: {ttl}}}
targets:
  - {{name: shop, ip_set_name: bartizan-v4, scope: REGIONAL, region: eu-central-1, version: 4,
     account_id: "{account}", role_arn: "{role}", mode: block}}
"""
SHARING = """
organisation: Example Shop
send: {{buses: ["{bus}"], role_arn: "{sender}"}}
receive: {{queue: "{queue}", accounts: ["{other}"], role_arn: "{receiver}"}}
"""


class House:
    """One account: its stacks, its lake, its files, and the command run there."""

    def __init__(
        self, account: str, other: str, folder: Path, ttl: str, partners: list[str]
    ) -> None:
        self.account, self.folder = account, folder
        self.stacks, self.sqs, self.waf = clients(account, REGION, "cloudformation", "sqs", "wafv2")
        trusted = {"TrustedRole": f"arn:aws:iam::{account}:role/airflow"}
        sets = create(
            self.stacks, "ip-sets.yaml", "sets", Scope="REGIONAL", Mode="block", **trusted
        )
        receiver = create(self.stacks, "receiver.yaml", "in", SenderAccounts=other, **trusted)
        sender = create(
            self.stacks, "sender.yaml", "out", ReceiverBuses=receiver["BusArn"], **trusted
        )
        self.queue = self.sqs.get_queue_url(QueueName="bartizan-intel")["QueueUrl"]
        (folder / "intel.yaml").write_text(
            INTEL.format(ttl=ttl, partners=partners, account=account, role=sets["RoleArn"])
        )
        (folder / "sharing.yaml").write_text(
            SHARING.format(
                bus=receiver["BusArn"],
                sender=sender["RoleArn"],
                queue=receiver["QueueArn"],
                receiver=receiver["RoleArn"],
                other=other,
            )
        )

    def addresses(self) -> list[str]:
        (id_,) = [
            one["Id"]
            for one in self.waf.list_ip_sets(Scope="REGIONAL")["IPSets"]
            if one["Name"] == "bartizan-v4"
        ]
        found = self.waf.get_ip_set(Name="bartizan-v4", Scope="REGIONAL", Id=id_)
        return list(found["IPSet"]["Addresses"])

    def waiting(self) -> int:
        name = "ApproximateNumberOfMessages"
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=[name])
        return int(found["Attributes"][name])

    def deliver(self, there: House, without: tuple[str, ...] = ()) -> int:
        """Puts what our bus delivered into the queue of another house; returns how much."""
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)["Messages"]
        for message in found:
            assert not [secret for secret in without if secret in message["Body"]]
            delivered = json.dumps(json.loads(message["Body"]) | {"account": self.account})
            there.sqs.send_message(QueueUrl=there.queue, MessageBody=delivered)
            handle = message["ReceiptHandle"]
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handle)
        return len(found)

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.folder / 'lake' / 'store.db'}")


Command = Callable[..., dict[str, Any]]


@pytest.fixture
def command(
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    for name in ("STORE", "LAKE", "SQL", "RESPOND"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)

    intel = bartizan_command(monkeypatch, capsys, "intel")

    def run(house: House, *words: str, hour: int = 0) -> dict[str, Any]:
        monkeypatch.setenv("BARTIZAN_HOME", str(house.folder))
        monkeypatch.setenv("BARTIZAN_INTEL", str(house.folder / "intel.yaml"))
        monkeypatch.setenv("BARTIZAN_SHARING", str(house.folder / "sharing.yaml"))
        at = (NOON + timedelta(hours=hour)).isoformat()
        code, out, err = intel(*words, "--at", at, "--json")
        assert code == 0, err
        result: dict[str, Any] = json.loads(out)
        return result

    return run


def requests(client: str, action: str, many: int) -> list[dict[str, Any]]:
    return [
        {
            "event_time": NOON - timedelta(minutes=n % 700 + 1),
            "client_ip": client,
            "action": action,
            "terminating_rule_id": "shop-secret-rule" if action == "BLOCK" else "Default_Action",
            "uri": f"/reset?token=secret{n % 40}",
        }
        for n in range(many)
    ]


def lake(folder: Path, rows: list[dict[str, Any]]) -> None:
    hits = [
        {
            "event_time": row["event_time"],
            "client_ip": row["client_ip"],
            "rule": row["terminating_rule_id"],
            "rule_action": row["action"],
            "request_action": row["action"],
            "terminating": True,
        }
        for row in rows
        if row["action"] == "BLOCK"
    ]
    SmallLake.open(folder).land(
        "a", requests=landed("requests", rows), rule_hits=landed("rule_hits", hits)
    )


@pytest.fixture
def houses(command: Command, tmp_path: Path) -> tuple[House, House]:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    attackers = (ATTACKER, PARTNER_OF_B, USER_OF_B)
    blocked = [row for one in attackers for row in requests(one, "BLOCK", 700)]
    lake(folders[0], blocked + requests("203.0.113.200", "ALLOW", 9))
    lake(folders[1], requests(USER_OF_B, "ALLOW", 50) + requests("203.0.113.200", "ALLOW", 900))
    number = next(NUMBERS)
    here, there = f"1111222233{number}", f"4444555566{number}"
    return (
        House(here, here, folders[0], "PT4H", []),  # whose bus stands for the other's
        House(there, here, folders[1], "PT9H", [f"{PARTNER_OF_B}/32"]),
    )


def test_from_the_set_of_one_account_to_that_of_another(
    command: Command, houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = houses
    plan = command(here, "plan")
    command(here, "apply", plan["id"], "--yes")
    wanted = [f"{one}/32" for one in (ATTACKER, PARTNER_OF_B, USER_OF_B)]
    assert here.addresses() == wanted

    command(here, "stop", "--by", "dana", "--why", "false alarms")
    (told,) = command(here, "send", "--yes")["buses"]
    assert (told["networks"], told["events"], here.waiting()) == (0, 0, 0)
    command(here, "resume", "--by", "dana")
    with monkeypatch.context() as nothing_of_aws:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            nothing_of_aws.delenv(name)
        nothing_of_aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        (told,) = command(here, "send")["buses"]
    assert (told["networks"], told["events"]) == (3, 1)
    assert here.waiting() == 0
    assert command(here, "send", "--yes")["failed"] == {}
    assert here.waiting() == 1
    again = command(here, "send", "--yes", hour=1)["buses"][0]
    assert (again["networks"], here.waiting()) == (0, 1)

    assert here.deliver(there, without=("secret", "token", "reset", "webacl")) == 1
    assert command(there, "receive", hour=1)["networks"] == {here.account: 3}
    assert there.waiting() == 1
    done = command(there, "receive", "--yes", hour=1)
    assert (done["events"], done["networks"], there.waiting()) == (
        {"taken in": 1},
        {here.account: 3},
        0,
    )
    assert there.addresses() == []

    plan = command(there, "plan", hour=1)
    (change,) = plan["changes"]
    assert change["add"] == [f"{ATTACKER}/32"]
    assert change["entries"][0]["expires_at"] == "2026-11-20T16:00:00Z"
    why = change["why"][f"{ATTACKER}/32"]
    assert why.startswith(f"heard from account {here.account}: score ")
    assert why.endswith(", until 2026-11-20T16:00:00Z, 0 requests allowed before")
    refused = {one["network"]: one["why"] for one in plan["refused"]}
    assert refused[f"{PARTNER_OF_B}/32"] == f"never blocked: partner {PARTNER_OF_B}/32"
    assert refused[f"{USER_OF_B}/32"].startswith("would have blocked 50 of 950 allowed requests")
    command(there, "apply", plan["id"], "--yes", hour=1)
    assert there.addresses() == [f"{ATTACKER}/32"]

    told = command(there, "send", "--yes", hour=2)["buses"][0]
    assert (told["networks"], told["untold"], there.waiting()) == (0, 1, 0)


def test_what_is_undone_in_one_account_is_taken_back_in_the_other(
    command: Command, houses: tuple[House, House]
) -> None:
    here, there = houses
    (made,) = command(here, "apply", command(here, "plan")["id"], "--yes")["changes"]
    command(here, "send", "--yes")
    here.deliver(there)
    command(there, "receive", "--yes", hour=1)
    command(there, "apply", command(there, "plan", hour=1)["id"], "--yes", hour=1)
    assert there.addresses() == [f"{ATTACKER}/32"]

    command(here, "undo", made["id"], "--yes", hour=2)
    command(here, "stop", "--by", "dana", "--why", "false alarms")  # it is taken back all the same
    told = command(here, "send", "--yes", hour=2)["buses"][0]
    assert (told["networks"], told["withdrawn"]) == (0, 3)
    assert command(here, "send", "--yes", hour=2)["buses"][0]["withdrawn"] == 0
    assert here.deliver(there) == 1
    done = command(there, "receive", "--yes", hour=2)
    assert (done["events"], done["withdrawn"]) == ({"taken in": 1}, {here.account: 3})
    assert command(there, "heard", hour=2)["said"] == []
    plan = command(there, "plan", hour=2)
    (change,) = plan["changes"]
    assert change["remove"] == [f"{ATTACKER}/32"]
    assert change["why"] == {f"{ATTACKER}/32": f"account {here.account} took it back"}
    command(there, "apply", plan["id"], "--yes", hour=2)
    assert there.addresses() == []


def test_what_was_heard_ends_when_its_sender_said(
    command: Command, houses: tuple[House, House]
) -> None:
    here, there = houses
    event = body(envelope([indicator(f"{ATTACKER}/32", hours=4)], here.account))
    there.sqs.send_message(QueueUrl=there.queue, MessageBody=event.decode())
    command(there, "receive", "--yes")
    plan = command(there, "plan")
    command(there, "apply", plan["id"], "--yes")
    assert there.addresses() == [f"{ATTACKER}/32"]
    command(there, "expire", "--yes", hour=5)
    assert there.addresses() == []
    assert command(there, "plan", hour=5)["changes"][0]["add"] == []


def test_what_is_wrong_in_the_queue_holds_up_nothing(
    command: Command, houses: tuple[House, House]
) -> None:
    here, there = houses
    good = envelope([indicator(f"{ATTACKER}/32")], here.account)
    forged = good | {"account": "999900001111"}
    bodies = [b"<xml/>", body(forged), b" " * 300_000, body(good), body(good)]
    for one in bodies:
        there.sqs.send_message(QueueUrl=there.queue, MessageBody=one.decode())
    done = command(there, "receive", "--yes")
    assert done["events"] == {
        "malformed": 1,
        "forged": 1,
        "oversized": 1,
        "taken in": 1,
        "replayed": 1,
    }
    assert done["networks"] == {here.account: 1}
    assert there.waiting() == 0
    assert len(load_rejected(there.store(), 9)) == 4

    file = there.folder / "events.jsonl"
    other = envelope([indicator("203.0.113.99/32")], here.account)
    file.write_bytes(body(other) + b"\n\n{}\n")
    done = command(there, "receive", "--from", str(file), "--yes")
    assert done["events"] == {"taken in": 1, "malformed": 1}
    assert command(there, "plan")["changes"][0]["add"] == [f"{ATTACKER}/32", "203.0.113.99/32"]
