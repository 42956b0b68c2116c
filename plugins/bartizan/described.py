"""Reads the YAML files people write (`connector.yaml`, `table.yaml`) into checked models.

Every mistake becomes one ConfigError on one line: file, key, value, remedy.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from bartizan.errors import ConfigError


class Described(BaseModel):
    """Base of the models of YAML files: unknown keys are refused, values are never coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


M = TypeVar("M", bound=Described)


def wrong(problem: str, remedy: str) -> PydanticCustomError:
    """The error a validator raises; `read` turns it into a ConfigError that names file and key."""
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "remedy": remedy})  # type: ignore[no-untyped-call, unused-ignore]


def read(path: Path, model: type[M]) -> M:
    """The content of a YAML file. Raises ConfigError for the first of its mistakes."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            str(path), "no such file", "write it; examples/ has one of most kinds"
        ) from error
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", "correct it") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "is not UTF-8", "save it as UTF-8") from error
    return parse(text, str(path), model)


def parse(text: str, origin: str, model: type[M]) -> M:
    """The content of a YAML text from the file `origin`. Raises as `read` does."""
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(
            f"{origin}{_line(error)}", f"not YAML: {error.problem}", "correct the line"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(origin, f"not YAML: {error}", "correct the file") from error
    if not isinstance(content, dict):
        raise ConfigError(origin, f"holds {content!r}", "write `key: value` lines")
    return check(content, origin, model)


def check(content: Mapping[str, Any], origin: str, model: type[M]) -> M:
    """Content of a file, or of the part of it that `origin` names. Raises as `read` does."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _config_error(origin, model, error.errors()) from error


class _Loader(yaml.SafeLoader):
    """Refuses a key given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key {key_node.value!r} is given twice",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _line(error: yaml.MarkedYAMLError) -> str:
    return f": line {error.problem_mark.line + 1}" if error.problem_mark else ""


def _config_error(origin: str, model: type[Described], errors: list[ErrorDetails]) -> ConfigError:
    # A misspelt key is also a missing one; its own error names the remedy.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    problem, remedy = _explained(model, first)
    thing = f"{origin}: {key.lstrip('.')}" if key else origin
    return ConfigError(thing, problem + more, remedy)


def _explained(model: type[Described], error: ErrorDetails) -> tuple[str, str]:
    match error["type"]:
        case "wrong":
            return error["msg"], str(error["ctx"]["remedy"])
        case "extra_forbidden":
            known = _keys(model, error["loc"][:-1])
            near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
            return "unknown key", hint
        case "missing":
            return "is missing", "add it"
        case "enum" | "literal_error":
            return f"{error['input']!r} is unknown", f"write one of {error['ctx']['expected']}"
        case _:
            return f"{error['input']!r} is wrong", error["msg"][0].lower() + error["msg"][1:]


def _keys(model: type[Described], location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys that may stand at `location` of the file."""
    for part in location:
        if part in model.model_fields:
            model = _nested(model.model_fields[str(part)].annotation) or model
    return sorted(model.model_fields)


def _nested(annotation: Any) -> type[Described] | None:
    """The model inside an annotation such as `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, Described) else None
    return next((found for a in get_args(annotation) if (found := _nested(a))), None)
