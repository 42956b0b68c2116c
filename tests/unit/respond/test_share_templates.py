"""The templates in deploy/, made for real: what comes into being, and who may do what to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from cfnlint.api import lint
from cloudformation import TEMPLATES, clients, create

from bartizan.respond.share.event import BLOCKED, SOURCE, WITHDRAWN

A, B = "555566667777", "888899990000"  # which no other test uses
REGION = "eu-central-1"
BARTIZAN = f"arn:aws:iam::{A}:role/airflow"
BUS = f"arn:aws:events:{REGION}:{B}:event-bus/bartizan-intel"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_linter_of_cloudformation_finds_nothing(path: Any) -> None:
    assert [str(one) for one in lint(path.read_text(), regions=[REGION, "us-east-1"])] == []


def role(iam: Any, arn: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The one statement of its trust, and those of its one policy."""
    name = arn.rpartition("/")[2]
    (trust,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return trust, yaml.safe_load(document)["Statement"]  # moto answers text for inline policies


def trusting(external_id: str = "") -> dict[str, Any]:
    """A trust in Bartizan's role and nobody else."""
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}}
    return {
        "Effect": "Allow",
        "Principal": {"AWS": BARTIZAN},
        "Action": "sts:AssumeRole",
        **(condition if external_id else {}),
    }


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("scope", "region", "mode"),
    [("REGIONAL", REGION, "count"), ("CLOUDFRONT", "us-east-1", "block")],
)
def test_sets_a_rule_group_over_them_and_who_may_change_them(
    scope: str, region: str, mode: str
) -> None:
    stacks, iam, waf = clients(A, region, "cloudformation", "iam", "wafv2")
    made = create(
        stacks,
        "ip-sets.yaml",
        "sets",
        Scope=scope,
        Mode=mode,
        TrustedRole=BARTIZAN,
        ExternalId="x1",
    )
    sets = {one["Name"]: one for one in waf.list_ip_sets(Scope=scope)["IPSets"]}
    assert sets.keys() == {made["IpSetV4Name"], made["IpSetV6Name"]}
    versions = {}
    for name, one in sets.items():
        found = waf.get_ip_set(Name=name, Scope=scope, Id=one["Id"])["IPSet"]
        assert found["Addresses"] == []
        versions[name] = found["IPAddressVersion"]
    assert versions == {"bartizan-v4": "IPV4", "bartizan-v6": "IPV6"}

    (group,) = waf.list_rule_groups(Scope=scope)["RuleGroups"]
    assert group["ARN"] == made["RuleGroupArn"]
    found = waf.get_rule_group(Name=group["Name"], Scope=scope, Id=group["Id"])["RuleGroup"]
    assert found["Capacity"] == 2
    rules = found["Rules"]
    assert [one["Action"] for one in rules] == [{mode.capitalize(): {}}] * 2
    assert [one["Statement"]["IPSetReferenceStatement"]["ARN"] for one in rules] == [
        *[sets["bartizan-v4"]["ARN"], sets["bartizan-v6"]["ARN"]]
    ]

    trust, (change, listing) = role(iam, made["RoleArn"])
    assert trust == trusting("x1")
    assert change == {
        "Effect": "Allow",
        "Action": ["wafv2:GetIPSet", "wafv2:UpdateIPSet"],
        "Resource": [sets["bartizan-v4"]["ARN"], sets["bartizan-v6"]["ARN"]],
    }
    assert listing == {"Effect": "Allow", "Action": "wafv2:ListIPSets", "Resource": "*"}


@pytest.mark.usefixtures("endpoint")
def test_a_sender_may_put_our_events_on_named_buses_and_no_more() -> None:
    stacks, iam = clients(A, REGION, "cloudformation", "iam")
    other = BUS.replace("bartizan-intel", "second")
    made = create(
        stacks, "sender.yaml", "sender", ReceiverBuses=f"{BUS},{other}", TrustedRole=BARTIZAN
    )
    trust, (put,) = role(iam, made["RoleArn"])
    assert trust == trusting()
    assert put == {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": [BUS, other],
        "Condition": {
            "StringEquals": {"events:source": SOURCE, "events:detail-type": [BLOCKED, WITHDRAWN]}
        },
    }


@pytest.mark.usefixtures("endpoint")
def test_a_receiver_takes_named_accounts_and_its_queue_takes_the_rule() -> None:
    stacks, iam, events, sqs = clients(B, REGION, "cloudformation", "iam", "events", "sqs")
    made = create(
        stacks,
        "receiver.yaml",
        "receiver",
        SenderAccounts=f"{A},111122223333",
        TrustedRole=BARTIZAN,
        ExternalId="x2",
    )
    assert made["BusArn"] == BUS
    bus = events.describe_event_bus(Name="bartizan-intel")
    (allowed,) = json.loads(bus["Policy"])["Statement"]
    assert allowed["Principal"] == {"AWS": [A, "111122223333"]}
    assert (allowed["Action"], allowed["Resource"]) == ("events:PutEvents", BUS)
    assert allowed["Condition"] == {
        "StringEquals": {"events:source": SOURCE, "events:detail-type": [BLOCKED, WITHDRAWN]}
    }

    (rule,) = events.list_rules(EventBusName="bartizan-intel")["Rules"]
    assert json.loads(rule["EventPattern"]) == {
        "source": [SOURCE],
        "detail-type": [BLOCKED, WITHDRAWN],
        "account": [A, "111122223333"],
    }
    (target,) = events.list_targets_by_rule(Rule=rule["Name"], EventBusName="bartizan-intel")[
        "Targets"
    ]
    dead = made["QueueArn"] + "-dead-letters"
    assert (target["Arn"], target["DeadLetterConfig"]) == (made["QueueArn"], {"Arn": dead})

    for name in ("bartizan-intel", "bartizan-intel-dead-letters"):
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        (sends,) = json.loads(found["Policy"])["Statement"]
        assert sends == {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": found["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": rule["Arn"]}},
        }
        if name == "bartizan-intel":
            redrive = json.loads(found["RedrivePolicy"])
            assert redrive == {"deadLetterTargetArn": dead, "maxReceiveCount": 20}

    trust, (empty,) = role(iam, made["RoleArn"])
    assert trust == trusting("x2")
    assert empty == {
        "Effect": "Allow",
        "Action": [
            *("sqs:GetQueueUrl", "sqs:ReceiveMessage"),
            *("sqs:DeleteMessage", "sqs:ChangeMessageVisibility"),
        ],
        "Resource": made["QueueArn"],
    }
