"""A drop folder under the conformance suite: people drop files of items, a plant finds files of work orders."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from connectors.contract import Connector
from connectors.files import connector, out
from connectors.testing.abilities import Misconfiguration
from connectors.testing.bench import Facts, Held
from schemas.document import Document, Fields, Value, from_json, to_json

ITEMS = {
    "document": "Item",
    "pattern": "items*",
    "key": "item",
    "columns": {"item": "text", "description": "text", "since": "date", "seen_at": "instant"},
}
WORK_ORDERS = {"document": "WorkOrder", "fields": {"item": "text", "note": "text", "due": "date"}}
NO_SERVER = "a folder of this machine has no server that goes away; one on a server is held to it by its own tests"
TAKEN_AWAY = (
    "a file is put away by the poll behind the one whose position names it, so only the last two positions are good; "
    "a first start reads all that was put away once more"
)

FACTS = Facts(
    text_field="description",
    date_field="since",
    instant_field="seen_at",
    deletions="untold",
    sink_text_field="note",
    sink_date_field="due",
    quiet_s=0.15,
    patience_s=3.0,
    does_not_apply={
        "a-far-system-that-is-down-is-waited-for": NO_SERVER,
        "a-source-comes-back-with-the-far-system": NO_SERVER,
        "a-restart-from-every-position-loses-nothing": TAKEN_AWAY,
        "a-restart-in-the-middle-of-many-records-loses-nothing": TAKEN_AWAY,
    },
)


class FilesBench:
    """One folder; every change of an item is a file of its own."""

    facts = FACTS

    def __init__(self, folder: Path, connector: Connector = connector) -> None:
        self.connector = connector
        during: Literal["open source", "open sink"] = "open source" if connector.source else "open sink"
        self.misconfigurations = (Misconfiguration({"folder": "/nowhere/at/all"}, "folder", during),)
        self._folder = folder / "drop"
        self._numbers = itertools.count(1)
        self._items: dict[str, Fields] = {}

    def start(self) -> None:
        """See `Bench.start`."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """See `Bench.stop`: nothing runs."""

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`."""
        reads: dict[str, object] = {"tables": [ITEMS], "poll_interval_s": "0.05"}
        does = reads if self.connector.source else {"write": [WORK_ORDERS]}
        values = {"folder": str(self._folder), **does, **changes}
        return {name: _plain(value) for name, value in values.items() if value is not None}

    def secrets(self) -> Collection[str]:
        """See `Bench.secrets`."""
        return ()

    def make(self, values: Fields) -> str:
        """See `SourceBench.make`."""
        item = f"P-{next(self._numbers):06d}"
        self._drop(item, values)
        return item

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench.change`."""
        self._drop(document_id, values)

    def delete(self, document_id: str) -> None:
        """See `SourceBench.delete`: no file tells of it."""

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench.document`."""
        return Document("WorkOrder", f"crm:{number:08d}/L1", str(version), {"item": "P-1", "due": None, **values})

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench.held`: a plant takes the newest file of an id."""
        found = [from_json(path.read_bytes()) for path in self._folder.glob("WorkOrder-*.json")]
        ours = [each for each in found if isinstance(each, dict) and each["id"] == document_id]
        newest = sorted(ours, key=lambda each: int(str(each["version"])))[-1:]
        return [
            Held(int(str(each["version"])), {"note": each.get("note"), "due": each.get("due")}) for each in newest
        ]

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`: a day that is none."""
        return self.document(number, 1, {"due": "tomorrow"})

    def _drop(self, item: str, values: Fields) -> None:
        self._items[item] = {**self._items.get(item, {}), **values, "item": item}
        name = f"items-{next(self._numbers):06d}.jsonl"
        part = self._folder / f"{name}.part"
        part.write_text(to_json(self._items[item]) + "\n")
        part.rename(self._folder / name)


FilesOutBench = partial(FilesBench, connector=out)


def _plain(value: object) -> Value:
    return from_json(to_json(value))  # type: ignore[arg-type]  # settings are JSON, or to_json refuses them
