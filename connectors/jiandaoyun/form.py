"""The form that forms.yaml describes, and whether the form in the far system still is that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import TypeAdapter

from connectors.errors import ConfigError
from schemas.document import Fields, Value

Owner = Literal["bus", "shared", "people"]
WidgetType = Literal["text", "number", "date", "datetime", "combo", "subform"]

VENDOR_TYPES: Mapping[WidgetType, frozenset[str]] = {
    "text": frozenset({"text", "textarea", "combo", "radiogroup"}),
    "number": frozenset({"number"}),
    "date": frozenset({"datetime"}),
    "datetime": frozenset({"datetime"}),
    "combo": frozenset({"combo", "radiogroup", "text"}),
    "subform": frozenset({"subform"}),
}
"""Which widget types of the vendor can hold a field of ours (contract section 2, field list)."""


@dataclass(frozen=True)
class Widget:
    """One field of the form. `items` are the fields of a sub-form's rows, `symbols` the words of a choice."""

    alias: str
    widget: str
    type: WidgetType
    label: str
    doc: str
    owner: Owner = "people"
    required: bool = False
    symbols: tuple[str, ...] = ()
    items: tuple[Widget, ...] = ()


@dataclass(frozen=True)
class Form:
    """The form `form` with its fields in order."""

    form: str
    label: str
    fields: tuple[Widget, ...]

    def owned_by_bus(self) -> Iterator[Widget]:
        """The fields that a sink writes as they are wanted; `state` is not one of them."""
        return (field for field in self.fields if field.owner == "bus")


@cache
def work_order() -> Form:
    """The form as forms.yaml has it."""
    text = files(__package__).joinpath("forms.yaml").read_text(encoding="utf-8")
    return TypeAdapter(Form).validate_python(yaml.safe_load(text))


def check(answer: Fields) -> None:
    """Raise ConfigError where the far form (an answer of `widget/list`) lacks a field or has it as another type."""
    _check(work_order().fields, by_alias(answer.get("widgets")), "")


def by_alias(widgets: Value) -> Mapping[str, Fields]:
    """The widgets of an answer by what the API calls them: the alias where one is set, else the widget's id."""
    if not isinstance(widgets, list):
        return {}
    return {str(widget["name"]): widget for widget in widgets if isinstance(widget, dict) and "name" in widget}


def _check(wanted: tuple[Widget, ...], found: Mapping[str, Fields], within: str) -> None:
    for field in wanted:
        name = within + field.alias
        there = found.get(field.alias)
        if there is None:
            raise ConfigError(
                "entry_id",
                f"the form has no field with the alias {name!r} (it has {', '.join(sorted(found)) or 'none'}).",
                "Set the aliases of the form as forms.yaml has them; a copied form loses them.",
            )
        if str(there.get("type")) not in VENDOR_TYPES[field.type]:
            raise ConfigError(
                "entry_id",
                f"the form's field {name!r} is of type {there.get('type')!r}, not {field.type!r}.",
                "Change the field's type in the form designer.",
            )
        _check(field.items, by_alias(there.get("items")), f"{name}.")
