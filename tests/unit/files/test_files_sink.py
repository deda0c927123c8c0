"""Files that are handed over: whole, named for what they hold, and the same when they are written again."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.contract import Rejection, Sink
from connectors.errors import ConfigError, DataError
from connectors.files import FilesOutConfig, out
from connectors.files.places import LocalPlace
from schemas.document import Document, Value

FIELDS = {"item": "text", "quantity": "decimal", "due": "date", "urgent": "boolean"}
AS_JSON: Mapping[str, object] = {
    "document": "WorkOrder",
    "fields": {**FIELDS, "lines": {"kind": "list", "fields": {"n": "integer"}}},
}
AS_CSV: Mapping[str, object] = {"document": "WorkOrder", "format": "csv", "fields": FIELDS, "delimiter": ";"}


def order(id: str, version: int, **fields: Value) -> Document:
    return Document("WorkOrder", id, str(version), {"item": "P-1", **fields})


def sink_of(folder: Path, handover: Mapping[str, object] = AS_JSON) -> Sink:
    assert out.sink is not None
    sink = out.sink(FilesOutConfig.model_validate({"folder": folder, "write": [handover]}))
    sink.open()
    return sink


def write(folder: Path, *documents: Document, handover: Mapping[str, object] = AS_JSON) -> Sequence[Rejection]:
    with closing(sink_of(folder, handover)) as sink:
        return sink.write(documents)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_document_becomes_a_json_file_that_is_named_for_it(tmp_path: Path) -> None:
    assert write(tmp_path, order("crm:1/L1", 7, quantity=Decimal("2.50"), lines=[{"n": 1}])) == []
    (name,) = names(tmp_path)
    assert name == "WorkOrder-crm%3A1%2FL1-00000000000000000007.json"
    held = json.loads((tmp_path / name).read_text())
    assert held == {"id": "crm:1/L1", "version": 7, "item": "P-1", "quantity": 2.5, "lines": [{"n": 1}]}


def test_a_document_becomes_a_csv_file_with_a_line_of_names(tmp_path: Path) -> None:
    document = order("a", 7, item='Pump; "large"', quantity=Decimal("2.5"), due=None, urgent=True)
    assert write(tmp_path, document, handover=AS_CSV) == []
    with (tmp_path / names(tmp_path)[0]).open(newline="") as file:
        assert list(csv.reader(file, delimiter=";")) == [
            ["id", "version", "item", "quantity", "due", "urgent"],
            ["a", "7", 'Pump; "large"', "2.5", "", "true"],
        ]


def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, order("a", 1), order("b", 1))
    before = {path.name: path.stat() for path in tmp_path.iterdir()}
    write(tmp_path, order("a", 1), order("b", 1))
    assert {path.name: path.stat() for path in tmp_path.iterdir()} == before


def test_an_older_version_is_not_written_beside_a_newer_one(tmp_path: Path) -> None:
    write(tmp_path, order("a", 2), order("a", 10))
    write(tmp_path, order("a", 9), order("a-b", 1))
    assert [name.rpartition("-")[2] for name in names(tmp_path) if name.startswith("WorkOrder-a-0")] == [
        "00000000000000000002.json",
        "00000000000000000010.json",
    ]
    assert len(names(tmp_path)) == 3


def test_a_file_is_never_seen_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = os.fsync

    def watched(fileno: int) -> None:
        seen.append(names(tmp_path))
        real(fileno)

    monkeypatch.setattr(os, "fsync", watched)
    write(tmp_path, order("a", 1))
    first, last = seen
    assert all(name.startswith(".") and name.endswith(".part") for name in first)
    assert [name.startswith(".") for name in last] == [False]


def test_a_document_that_does_not_fit_is_rejected_and_the_others_are_written(tmp_path: Path) -> None:
    bad = [order("x" * 300, 1), order("b", 1, due="tomorrow"), Document("Invoice", "c", "1", {}), order("d", 1)]
    rejected = write(tmp_path, *bad)
    assert [(each.index, type(each.error)) for each in rejected] == [(0, DataError), (1, DataError), (2, DataError)]
    assert len(names(tmp_path)) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        sink_of(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"write": []}, "at least 1 item"),
        ({"write": [{**AS_CSV, "fields": AS_JSON["fields"]}]}, "lines is no single cell"),
        ({"write": [{**AS_JSON, "fields": {"id": "text"}}]}, "the bus fills id itself"),
        ({"write": [{**AS_JSON, "document": "../WorkOrder"}]}, "should match pattern"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        FilesOutConfig.model_validate({"folder": tmp_path, "write": [AS_JSON], **changes})


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    one, other = LocalPlace(tmp_path), LocalPlace(tmp_path)
    one.write("a.json", b"same")
    other.write("a.json", b"same")
    assert names(tmp_path) == ["a.json"]
