"""The records of the form: made, changed and removed, each with its stamps, on disk before anybody is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.jiandaoyun.simulator.form import Widget, iso, moment_ms, stored_value
from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.testing import RecordStore
from schemas.document import Fields, Value

TABLE = "records"


@dataclass(frozen=True)
class Ids:
    """Where the form is: its app and its own id."""

    app_id: str
    entry_id: str


class Records:
    """All records of the one form. `now_ms` is the stand-in's clock.

    A record's stamp always grows, so two changes within one millisecond are told apart.
    """

    def __init__(
        self, store: RecordStore, form: Sequence[Widget], ids: Ids, now_ms: Callable[[], int] | None = None
    ) -> None:
        self._store = store
        self._form = form
        self._ids = ids
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._lock = threading.Lock()
        self._last_id = 0

    def page(self, after: str) -> list[Fields]:
        """The records behind the id `after`, by id."""
        return self._store.all(TABLE, after)

    def get(self, data_id: str) -> Fields:
        """One record. Raises Refusal 4001 where there is none."""
        record = self._store.get(TABLE, data_id)
        if record is None:
            raise Refusal(4001)
        return record

    def has(self, data_id: str) -> bool:
        """Whether there is such a record."""
        return self._store.get(TABLE, data_id) is not None

    def made(self, values: Fields, who: str, data_id: str = "") -> Fields:
        """A new record with plain `values`, not yet stored; with `data_id` the same record made anew."""
        stamp = iso(self._now_ms())
        return {
            "_id": data_id or self.new_id(),
            "appId": self._ids.app_id,
            "entryId": self._ids.entry_id,
            "createTime": stamp,
            "updateTime": stamp,
            "creator": _person(who),
            "updater": _person(who),
            **{widget.name: self._stored(widget, values.get(widget.name)) for widget in self._form},
        }

    def changed(self, data_id: str, values: Fields, who: str, keep_rows: bool = False) -> Fields:
        """A record with some fields changed, not yet stored. Fields that the form lacks are passed over.

        A sub-form is replaced as a whole; with `keep_rows` rows without an id keep the ids of the rows they replace.
        """
        record = self.get(data_id)
        new = {
            widget.name: self._stored(widget, values[widget.name], _row_ids(record, widget) if keep_rows else ())
            for widget in self._form
            if widget.name in values
        }
        stamp = max(self._now_ms(), moment_ms(record["updateTime"]) + 1)
        return {**record, **new, "updateTime": iso(stamp), "updater": _person(who)}

    def keep(self, records: Sequence[Fields]) -> None:
        """Store records, all or none."""
        self._store.put_all(TABLE, {str(record["_id"]): record for record in records})

    def remove(self, data_ids: Sequence[str]) -> int:
        """Remove records; says how many there were."""
        return self._store.delete_all(TABLE, data_ids)

    def new_id(self) -> str:
        """24 hex digits that grow with time, as the vendor's do."""
        with self._lock:
            self._last_id = max(time.time_ns(), self._last_id + 1)
            seconds, rest = divmod(self._last_id, 1_000_000_000)
        return f"{seconds:08x}{rest:016x}"

    def _stored(self, widget: Widget, value: Value, row_ids: Sequence[str] = ()) -> Value:
        return stored_value(widget, value, row_ids, self.new_id)


def shown(record: Fields, form: Sequence[Widget], fields: Value) -> Fields:
    """A record with only the form fields that a call asked for, by alias or widget id, and all of the system's."""
    if not isinstance(fields, list) or not fields:
        return record
    hidden = {widget.name for widget in form if widget.name not in fields and widget.widget_name not in fields}
    return {name: value for name, value in record.items() if name not in hidden}


def with_widget_ids(record: Fields, form: Sequence[Widget]) -> Fields:
    """A record whose form fields go by their widget ids, as some forms push them (section 6)."""
    widgets: Mapping[str, Widget] = {widget.name: widget for widget in form}
    renamed: dict[str, Value] = {}
    for name, value in record.items():
        widget = widgets.get(name)
        if widget is None:
            renamed[name] = value
        elif isinstance(value, list):
            rows = [row for row in value if isinstance(row, dict)]
            renamed[widget.widget_name] = [with_widget_ids(row, widget.items) for row in rows]
        else:
            renamed[widget.widget_name] = value
    return renamed


def _row_ids(record: Fields, widget: Widget) -> list[str]:
    rows = record.get(widget.name)
    return [str(row["_id"]) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _person(username: str) -> Fields:
    return {"username": username, "name": username, "status": 1, "type": 0}
