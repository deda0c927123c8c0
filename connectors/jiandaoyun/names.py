"""Field keys of a push: widget ids or aliases, as the form's setting has it (contract section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing

from connectors.jiandaoyun.client import Client
from connectors.jiandaoyun.form import Widget, work_order
from schemas.document import Fields, Value

WIDGET = "_widget_"


class FieldNames:
    """Renames widget ids to aliases.

    forms.yaml comes first. An id that it does not know (a copied form has other ids) is looked up in the form
    itself, which is asked once until it changes.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._shipped = dict(_shipped(work_order().fields))
        self._asked: Mapping[str, str] | None = None

    def forget(self) -> None:
        """The form has changed: ask it again when an unknown id comes."""
        self._asked = None

    def by_alias(self, data: Fields) -> Fields:
        """`data` with aliases for keys, also inside the rows of sub-forms."""
        return {self._alias(key): self._value(value) for key, value in data.items()}

    def _value(self, value: Value) -> Value:
        if isinstance(value, list):
            return [self.by_alias(row) if isinstance(row, dict) else row for row in value]
        return value

    def _alias(self, key: str) -> str:
        if not key.startswith(WIDGET):
            return key
        if key in self._shipped:
            return self._shipped[key]
        if self._asked is None:
            with closing(self._connect()) as client:
                self._asked = dict(_asked(client.widgets().get("widgets")))
        return self._asked.get(key, key)


def _shipped(fields: Sequence[Widget]) -> Iterable[tuple[str, str]]:
    for field in fields:
        yield field.widget, field.alias
        yield from _shipped(field.items)


def _asked(widgets: Value) -> Iterable[tuple[str, str]]:
    for widget in widgets if isinstance(widgets, list) else []:
        if isinstance(widget, dict):
            yield str(widget.get("widgetName")), str(widget.get("name"))
            yield from _asked(widget.get("items"))
