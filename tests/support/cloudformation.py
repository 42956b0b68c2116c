"""Stacks on moto's CloudFormation, with the four types of our templates that it lacks: each is
made by moto's own service, after botocore checked its properties as those of the API call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.validate import validate_parameters
from moto.cloudformation import parsing
from moto.events.models import events_backends
from moto.sqs.models import sqs_backends
from moto.wafv2.models import wafv2_backends

TEMPLATES = Path(__file__).parents[2] / "deploy"


def create(client: Any, template: str, name: str, **parameters: str) -> dict[str, str]:
    """Make a stack of a template in deploy/; its outputs."""
    client.create_stack(
        StackName=name,
        TemplateBody=(TEMPLATES / template).read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    )
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def clients(account: str, region: str, *services: str) -> list[Any]:
    """Clients of somebody in an account; accounts of moto are those of assumed roles."""
    keys = boto3.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/owner", RoleSessionName="owner"
    )["Credentials"]
    session = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=region,
    )
    return [session.client(one) for one in services]


def _checked(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    validate_parameters(parameters, model.operation_model(operation).input_shape)
    return parameters


class _Made:
    """What stands for a resource in a stack: its ARN, and the id that `Ref` gives."""

    type = ""

    def __init__(self, arn: str) -> None:
        self.arn = self.physical_resource_id = arn

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def is_created(self) -> bool:
        return True

    def get_cfn_attribute(self, attribute: str) -> str:
        assert attribute == "Arn"
        return self.arn


class IpSet(_Made):
    type = "AWS::WAFv2::IPSet"

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, body: Any, account: str, region: str, **_: Any
    ) -> IpSet:
        given = _checked("wafv2", "CreateIPSet", body["Properties"])
        made = _waf(account, region, given["Scope"]).create_ip_set(
            given["Name"], given["Scope"], given["Description"], given["IPAddressVersion"],
            given["Addresses"], [],
        )  # fmt: skip
        return cls(made.arn)


class RuleGroup(_Made):
    type = "AWS::WAFv2::RuleGroup"

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, body: Any, account: str, region: str, **_: Any
    ) -> RuleGroup:
        given = body["Properties"]
        given["Capacity"] = int(given["Capacity"])
        for rule in given["Rules"]:
            set_of = rule["Statement"]["IPSetReferenceStatement"]
            set_of["ARN"] = set_of.pop("Arn")  # as CloudFormation calls it
        _checked("wafv2", "CreateRuleGroup", given)
        made = _waf(account, region, given["Scope"]).create_rule_group(
            given["Name"], given["Scope"], given["Capacity"], given["Description"], given["Rules"],
            given["VisibilityConfig"], [], None,
        )  # fmt: skip
        return cls(made.arn)


class BusPolicy(_Made):
    type = "AWS::Events::EventBusPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, body: Any, account: str, region: str, **_: Any
    ) -> BusPolicy:
        given = body["Properties"]
        bus = events_backends[account][region].describe_event_bus(given["EventBusName"])
        bus.add_policy({"Statement": [{"Sid": given["StatementId"], **given["Statement"]}]})
        return cls(given["StatementId"])


class QueuePolicy(_Made):
    type = "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, body: Any, account: str, region: str, **_: Any
    ) -> QueuePolicy:
        for url in body["Properties"]["Queues"]:
            sqs_backends[account][region].set_queue_attributes(
                url.rpartition("/")[2], {"Policy": json.dumps(body["Properties"]["PolicyDocument"])}
            )
        return cls(name)


def _waf(account: str, region: str, scope: str) -> Any:
    return wafv2_backends[account]["aws" if scope == "CLOUDFRONT" else region]


for _one in (IpSet, RuleGroup, BusPolicy, QueuePolicy):
    parsing.get_model_map()[_one.type] = _one
