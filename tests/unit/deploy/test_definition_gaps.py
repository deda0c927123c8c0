"""What `check` finds between connectors and definitions that are good each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.files import FilesConfig, FilesOutConfig, connector, out
from deploy.definition_gaps import gaps
from mappings import definition
from streams.bus import Attached, document_types

ORDER = """
mapping: order
version: 1
from: files.Order
to: lineshaft.SalesOrder
fields:
  number: order
  type: {const: sale}
  released: {const: true}
  cancelled: {const: false}
  lines: {list: [{id: {const: L1}, item: item, quantity: {const: 1}, unit: {const: pcs}}]}
"""
WORK_ORDER = "mapping: work\nversion: 1\nfrom: lineshaft.JobOrder\nto: files-out.WorkOrder\nfields: {item: item}\n"
ROUTES = "routes: orders\nversion: 1\nrelease_when: {released: true}\nto: [{destination: old-mes}]\n"
TABLE = {"document": "Order", "pattern": "*", "key": "order", "columns": ["order", "item"]}


@pytest.fixture
def attached(tmp_path: Path) -> dict[str, Attached]:
    orders = FilesConfig.model_validate({"folder": tmp_path, "tables": [TABLE]})
    handed = FilesOutConfig.model_validate(
        {"folder": tmp_path, "write": [{"document": "WorkOrder", "fields": {"item": "text"}}]}
    )
    return {"orders": Attached("orders", connector, orders), "old-mes": Attached("old-mes", out, handed)}


def found(attached: dict[str, Attached], *texts: str) -> list[tuple[str, str]]:
    files = [definition(text, f"{number}.yaml") for number, text in enumerate(texts)]
    return [(each.of, each.message) for each in gaps(attached, files, document_types(attached))]


def test_where_everything_is_mapped_nothing_is_found(attached: dict[str, Attached]) -> None:
    assert found(attached, ORDER, WORK_ORDER, ROUTES) == []


def test_a_document_that_comes_in_and_that_no_mapping_reads_is_found(attached: dict[str, Attached]) -> None:
    assert found(attached, WORK_ORDER, ROUTES) == [("files.Order", "is read, and no mapping says what it is")]


@pytest.mark.parametrize("others", [[], [WORK_ORDER.replace("version: 1", "version: 1\ndestination: elsewhere")]])
def test_a_destination_that_no_mapping_writes_for_is_found(attached: dict[str, Attached], others: list[str]) -> None:
    ((of, message),) = found(attached, ORDER, ROUTES, *others)
    assert (of, message) == ("old-mes", "gets job orders, and no mapping makes documents of files-out of them")


def test_two_connectors_of_one_type_that_mean_different_things_by_one_name_are_found(
    attached: dict[str, Attached], tmp_path: Path
) -> None:
    other = {**TABLE, "columns": {"order": "text", "item": "integer"}}
    more = Attached("more", connector, FilesConfig.model_validate({"folder": tmp_path, "tables": [other]}))
    alike = Attached("alike", connector, attached["orders"].config)
    texts = (ORDER, WORK_ORDER, ROUTES)
    assert found({**attached, "alike": alike}, *texts) == []
    ((of, message),) = found({"more": more, **attached}, *texts)
    assert (of, message.partition(",")[0]) == ("files.Order", "has other fields at orders than at more")
