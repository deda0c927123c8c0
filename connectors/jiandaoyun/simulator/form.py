"""The form as a person built it in the designer after forms.yaml, and the values that its fields take."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

import yaml

from connectors.jiandaoyun.simulator.refusal import Refusal
from schemas.document import Fields, Value

EMPTY: Mapping[str, Value] = {"text": "", "combo": "", "number": None, "datetime": None, "subform": []}
"""What an empty field reads as (contract section 8: numbers come as null)."""


@dataclass(frozen=True)
class Widget:
    """One field in the designer: what the API calls it, the id behind it, and its type."""

    name: str
    widget_name: str
    type: str
    label: str
    required: bool
    symbols: tuple[str, ...] = ()
    items: tuple[Widget, ...] = ()

    def described(self) -> Fields:
        """The field as `widget/list` shows it (section 2)."""
        shown: dict[str, Value] = {
            "label": self.label,
            "name": self.name,
            "widgetName": self.widget_name,
            "type": self.type,
        }
        if self.type == "subform":
            shown["items"] = [item.described() for item in self.items]
        return shown


def build() -> tuple[Widget, ...]:
    """The fields of the form, in order."""
    text = files("connectors.jiandaoyun").joinpath("forms.yaml").read_text(encoding="utf-8")
    return tuple(_widget(row) for row in yaml.safe_load(text)["fields"])


def _widget(row: Mapping[str, object]) -> Widget:
    items, symbols = row.get("items"), row.get("symbols")
    kind = str(row["type"])
    return Widget(
        name=str(row["alias"]),
        widget_name=str(row["widget"]),
        type="datetime" if kind == "date" else kind,
        label=str(row["label"]),
        required=bool(row.get("required")),
        symbols=tuple(map(str, symbols)) if isinstance(symbols, list) else (),
        items=tuple(_widget(item) for item in items) if isinstance(items, list) else (),
    )


def stored_value(widget: Widget, value: Value, row_ids: Sequence[str], new_id: Callable[[], str]) -> Value:
    """A plain value as the field keeps it. Rows of a sub-form without an id take `row_ids`, then new ones."""
    if value is None or value == "":
        return EMPTY[widget.type]
    if widget.type != "subform":
        return VALUES[widget.type](widget, value)
    if not isinstance(value, list):
        raise Refusal(17017, f"{widget.name} takes a list of rows")
    return [_row(widget, row, row_ids[index : index + 1], new_id) for index, row in enumerate(value)]


def _row(widget: Widget, row: Value, kept: Sequence[str], new_id: Callable[[], str]) -> Fields:
    if not isinstance(row, dict):
        raise Refusal(17017, f"a row of {widget.name} is an object")
    given = row.get("_id")
    row_id = str(given) if given else (kept[0] if kept else new_id())
    return {"_id": row_id, **{item.name: stored_value(item, row.get(item.name), (), new_id) for item in widget.items}}


def _text(widget: Widget, value: Value) -> Value:
    if not isinstance(value, str):
        raise Refusal(17017, f"{widget.name} takes a text")
    return value


def _number(widget: Widget, value: Value) -> Value:
    """The vendor's numbers are doubles: what does not fit is rounded without a word."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refusal(17017, f"{widget.name} takes a number")
    kept = float(value)
    return int(kept) if kept.is_integer() else Decimal(repr(kept))


def _datetime(widget: Widget, value: Value) -> Value:
    try:
        return iso(moment_ms(value))
    except ValueError as error:
        raise Refusal(17017, f"{widget.name} takes ISO 8601 or milliseconds") from error


VALUES: Mapping[str, Callable[[Widget, Value], Value]] = {
    "text": _text,
    "combo": _text,
    "number": _number,
    "datetime": _datetime,
}


def moment_ms(value: Value) -> int:
    """Milliseconds since 1970 of a date value; one without a zone is UTC. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no date")
    parsed = datetime.datetime.fromisoformat(value)
    utc = parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)
    return round(utc.timestamp() * 1000)


def iso(milliseconds: int) -> str:
    """A stamp as the vendor writes it: UTC with three decimals and a Z."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
