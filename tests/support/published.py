"""What the published schemas of AWS and of OCSF say against a payload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import Shape
from botocore.session import get_session
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema


def asff_problems(finding: dict[str, Any]) -> list[str]:
    """By AWS's model of BatchImportFindings. botocore checks types and lengths, not the patterns
    and the listed values that the model names too."""
    asked = _import_findings()
    report = ParamValidator().validate({"Findings": [finding]}, asked)
    found = [report.generate_report()] if report.has_errors() else []
    return found or list(_refused_texts(asked.members["Findings"].member, finding, "finding"))


def ocsf_problems(event: dict[str, Any]) -> list[str]:
    """By the schema of its class, with the profiles that it says it has, and its enumerations."""
    metadata = event["metadata"]
    profiles = tuple(metadata.get("profiles", ()))
    found = _ocsf_class(metadata["version"], event["class_uid"], profiles).iter_errors(event)
    listed = [f"{list(one.path)}: {one.message}" for one in found]
    return listed or list(_wrong_names(event))


def _refused_texts(shape: Shape, value: Any, at: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, inner in value.items():
            yield from _refused_texts(shape.members[name], inner, f"{at}.{name}")
    elif shape.type_name == "list":
        for one in value:
            yield from _refused_texts(shape.member, one, f"{at}[]")
    elif shape.type_name == "map":
        for name, inner in value.items():
            yield from _refused_texts(shape.key, name, f"{at}.{name}")
            yield from _refused_texts(shape.value, inner, f"{at}.{name}")
    elif shape.type_name == "string":
        pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
        if pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{at}: {value!r} is not of {pattern}"
        if enum and value not in enum:
            yield f"{at}: {value!r} is none of {enum}"


def _wrong_names(event: dict[str, Any]) -> Iterator[str]:
    """Names that say something else than the number beside them, as `severity` to `severity_id`."""
    attributes = _ocsf(event["metadata"]["version"])["classes"]["detection_finding"]["attributes"]
    for number, attribute in attributes.items():
        name = attribute.get("sibling")
        if number in event and name in event:
            said = attribute["enum"][str(event[number])]["caption"]
            if said != event[name]:
                yield f"{name}: {event[name]!r} instead of {said!r}"


@cache
def _import_findings() -> Shape:
    service = get_session().get_service_model("securityhub")
    return service.operation_model("BatchImportFindings").input_shape


@cache
def _ocsf(version: str) -> dict[str, Any]:
    return get_ocsf_schema(version)


@cache
def _ocsf_class(version: str, number: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    schemas = OcsfJsonSchemaEmbedded(_ocsf(version))
    name = schemas.lookup_class_name_from_uid(number)
    return Draft202012Validator(schemas.get_class_schema(name, profiles=list(profiles)))
