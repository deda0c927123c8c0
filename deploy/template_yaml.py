"""The lineshaft.yaml that `init` writes, made from the declarations: every setting with its meaning and default."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors.registry import load, names
from deploy.project_schema import EMBEDDED, HttpPorts, KafkaCluster, ProjectFile

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

WIDTH = 116
TO_FILL_IN = None
"""A value that only the administrator knows: the line is left empty, and `lineshaft check` asks for it."""

ITEMS: Plain = {
    "document": "Item",
    "pattern": "items*",
    "key": "item",
    "columns": ["item", "description", "unit", "site"],
}
LINKS: Plain = {
    "document": "Link",
    "pattern": "links*",
    "key": ["kind", "system", "id", "to_system"],
    "columns": ["kind", "system", "id", "to_system", "to_id"],
}

# what a new project says of each connector; all other settings are shown with their defaults
CONNECTORS: Mapping[str, tuple[str, Mapping[str, Plain]]] = {
    "crm": (
        "salesforce",
        {
            "consumer_key": TO_FILL_IN,
            "username": TO_FILL_IN,
            "private_key": "${file:secrets/crm-private-key.pem}",
        },
    ),
    "plant-a": (
        "jiandaoyun",
        {
            "api_key": "${file:secrets/plant-a-api-key}",
            "app_id": TO_FILL_IN,
            "entry_id": TO_FILL_IN,
            "webhook_secret": "${file:secrets/plant-a-webhook-secret}",
        },
    ),
    "reference": ("files", {"folder": "reference", "tables": [ITEMS, LINKS]}),
}
FOLDERS = ("mappings", "codes", "routes")


def lineshaft_yaml() -> str:
    """The whole file."""
    return "\n".join([*_head(), *_top(), "", "connectors:", *_connectors(), *_others()]) + "\n"


def _head() -> Iterator[str]:
    yield "# One Lineshaft bus. A line that begins with # shows a default; take the # away to change it."
    yield "# A secret is a reference: ${file:path} (from this folder) or ${env:NAME}."
    yield "# `lineshaft check` says what is missing or wrong."


def _top() -> Iterator[str]:
    fields = ProjectFile.model_fields
    yield from ("", *_comment(fields["kafka"].description, 0), f"kafka: {EMBEDDED}")
    yield "# kafka:"
    yield from _all_commented(KafkaCluster, 2)
    yield ""
    for name, field in fields.items():
        if name in FOLDERS:
            yield from (*_comment(field.description, 0), f"{name}: {name}")
        elif name == "http":
            yield from ("", *_comment(field.description, 0), "http:", *_settings(HttpPorts, _defaults(HttpPorts), 2))
        elif name != "kafka":
            yield from _setting(name, field, {}, 0)


def _all_commented(model: type[BaseModel], indent: int) -> Iterator[str]:
    for name, field in model.model_fields.items():
        for each in (*_comment(field.description, 0), _line(field.alias or name, _default(field))):
            yield f"# {' ' * indent}{each}"


def _connectors() -> Iterator[str]:
    for name, (type_name, values) in CONNECTORS.items():
        connector = load(type_name)
        yield from ("", *_comment(connector.summary, 2), f"  {name}:", f"    type: {type_name}")
        yield from _settings(connector.config, values, 4)


def _others() -> Iterator[str]:
    """What else is installed, as comments."""
    used = {type_name for type_name, _ in CONNECTORS.values()}
    for type_name in (each for each in names() if each not in used):
        connector = load(type_name)
        yield from ("", *_comment(connector.summary, 2), f"  # {type_name}:", f"  #   type: {type_name}")
        yield from (f"  {each}" for each in _all_commented(connector.config, 2))


def _settings(model: type[BaseModel], values: Mapping[str, Plain], indent: int) -> Iterator[str]:
    """What is said first, then everything that has a default."""
    fields = model.model_fields
    for name in sorted(fields, key=lambda each: each not in values):
        yield from _setting(name, fields[name], values, indent)


def _setting(name: str, field: FieldInfo, values: Mapping[str, Plain], indent: int) -> Iterator[str]:
    yield from _comment(field.description, indent)
    key, space = field.alias or name, " " * indent
    if name not in values:
        yield f"{space}# {_line(key, _default(field))}"
    elif values[name] is TO_FILL_IN:
        yield f"{space}{key}:   # fill in"
    else:
        yield from (space + each for each in _block(key, values[name]))


def _comment(text: str | None, indent: int) -> list[str]:
    space = " " * indent
    return [f"{space}# {line}" for line in textwrap.wrap(text or "", WIDTH - indent - 2)]


def _defaults(model: type[BaseModel]) -> Mapping[str, Plain]:
    return {name: _default(field) for name, field in model.model_fields.items()}


def _default(field: FieldInfo) -> Plain:
    """A field's default as YAML has it; None where there is none, or none that can be written in a line."""
    value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel) or value is None:
        return None
    if value == {}:
        return {}
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return value if isinstance(value, bool | int | float) else str(value)


def _line(key: str, value: Plain) -> str:
    return f"{key}: {_scalar(value)}".rstrip()


def _scalar(value: Plain) -> str:
    if value is None or value == "":
        return ""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _block(key: str, value: Plain) -> list[str]:
    if not isinstance(value, list):
        return [_line(key, value)]
    text = yaml.safe_dump(value, default_flow_style=None, sort_keys=False, width=10_000, allow_unicode=True)
    return [f"{key}:", *(f"  {each}" for each in text.rstrip().splitlines())]
