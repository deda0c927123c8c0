"""What an administrator of the stand-in may set at run time; kept on disk."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from connectors.testing import RecordStore
from schemas.document import Fields, Value

DEFAULTS: Mapping[str, Value] = {
    "hidden": [],  # fields that field-level security hides: ["Order.Priority__c"]
    "read_only": [],  # fields the user may see and not write
    "keep_alive_s": Decimal("0.5"),  # the real one: at most 270 s
    "idle_close_s": 70,  # a stream with nothing pending and no new request is closed
    "enrich": [],  # fields the channel member adds to every event: ["OrderItem.OrderId"]
    "edit_activated_orders": True,
    "page_rows": 2000,  # rows a page where the client asks for more or nothing
    "schema_version": 1,
    "daily_calls": 100000,
    "retention_s": 72 * 3600,
    "instance_url": "",  # the address that a login names, where the org is reached by another one than its own
}


class Settings:
    """The settings by name; attribute-like accessors for those the code reads."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._values: dict[str, Value] = {**DEFAULTS, **(store.get("org", "settings") or {})}

    def all(self) -> Fields:
        """Every setting."""
        return dict(self._values)

    def change(self, changes: Fields) -> None:
        """Set some. Raises ValueError for an unknown name or another type of value."""
        for name, value in changes.items():
            if name not in DEFAULTS:
                raise ValueError(f"no setting {name!r}; there are {', '.join(DEFAULTS)}")
            if not _alike(DEFAULTS[name], value):
                raise ValueError(f"the setting {name} takes no {type(value).__name__}")
        self._values.update(changes)
        self._store.put("org", "settings", self._values)

    def names(self, setting: str) -> frozenset[str]:
        """A setting that is a list of names."""
        value = self._values[setting]
        assert isinstance(value, list)
        return frozenset(map(str, value))

    def flag(self, setting: str) -> bool:
        """A setting that is true or false."""
        return bool(self._values[setting])

    def text(self, setting: str) -> str:
        """A setting that is a text."""
        return str(self._values[setting])

    def number(self, setting: str) -> float:
        """A setting that is a number."""
        value = self._values[setting]
        assert isinstance(value, int | Decimal)
        return float(value)


def _alike(default: Value, value: Value) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, str) or isinstance(value, str):
        return isinstance(default, str) and isinstance(value, str)
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, int | Decimal)
