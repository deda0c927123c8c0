"""A plan: all definitions of an activation together, and how the right one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings import DefinitionError, compile_plan, definition, examine, plan_id, read_folder, shipped
from schemas.document import DocumentType, Field, Kind
from schemas.event import Record
from tests.unit.mappings.mapping_builder import CONTEXT, HEAD, TYPES, context_of, plan_of

JOB = """
mapping: {name}
version: 1
from: lineshaft.SalesOrder
to: lineshaft.JobOrder
for_each: {{line: lines}}
{destination}
fields:
  job_order_id: {{function: job_order_id, args: [$key, line.id]}}
  order_key: $key
  destination: $destination
  desired: {{const: released}}
  item: line.item
  quantity: line.quantity
  unit: line.unit
"""
LINE: Record = {"id": "L1", "item": "P", "quantity": 5_000_000, "unit": "pcs"}


def job_mapping(name: str, destination: str = "") -> str:
    return JOB.format(name=name, destination=f"destination: {destination}" if destination else "")


def test_a_documents_mapping_is_found_by_its_system_and_type() -> None:
    plan = plan_of(HEAD)
    found = plan.from_document("crm.Thing")
    assert found is not None
    assert (found.mapping.name, found.target, found.system) == ("m", "Result", "mes")
    assert plan.from_document("crm.Other") is None


def test_a_records_document_is_found_by_the_sinks_system() -> None:
    plan = plan_of(HEAD.replace("crm.Thing", "lineshaft.Item"))
    assert plan.to_document("Item", "mes", "plant-a") is not None
    assert plan.to_document("Item", "crm", "plant-a") is None
    assert plan.to_document("Link", "mes", "plant-a") is None


def test_a_destinations_own_mapping_comes_before_the_one_for_all() -> None:
    plan = plan_of(job_mapping("for-all"), job_mapping("for-b", "plant-b"))
    names = [plan.between("SalesOrder", "JobOrder", where) for where in ("plant-a", "plant-b")]
    assert [found.mapping.name for found in names if found] == ["for-all", "for-b"]
    assert plan.between("SalesOrder", "Item", "plant-a") is None


def test_a_sink_takes_its_own_mapping_before_the_one_for_all_and_never_another_sinks() -> None:
    def of(name: str, destination: str = "") -> str:
        text = HEAD.replace("crm.Thing", "lineshaft.Item").replace("mapping: m", f"mapping: {name}")
        return text.replace("version: 1\n", f"version: 1\ndestination: {destination}\n") if destination else text

    both, one = plan_of(of("for-all"), of("for-b", "plant-b")), plan_of(of("for-b", "plant-b"))
    names = [both.to_document("Item", "mes", where) for where in ("plant-a", "plant-b")]
    assert [found.mapping.name for found in names if found] == ["for-all", "for-b"]
    assert one.to_document("Item", "mes", "plant-a") is None


def test_a_mapping_for_a_sink_that_there_is_not_is_refused() -> None:
    file = definition(job_mapping("m", "plant-c"), "m.yaml")
    with pytest.raises(DefinitionError, match=r"is for 'plant-c', which is no sink of the project\. Sinks: a, b"):
        compile_plan([file], TYPES, destinations=["a", "b"])
    assert "destination" in [each.field for each in examine([file], TYPES, ["a", "b"]).problems]
    assert compile_plan([file], TYPES, destinations=["plant-c"]).mappings


def test_a_line_mapping_reads_its_line_from_the_context() -> None:
    from dataclasses import replace

    mapping = plan_of(job_mapping("m")).between("SalesOrder", "JobOrder", "plant-a")
    assert mapping is not None
    made = mapping.apply({"number": "1", "lines": [LINE]}, replace(CONTEXT, line=LINE))
    assert made is not None
    assert (made["job_order_id"], made["quantity"]) == ("crm:1/L1", 5_000_000)
    with pytest.raises(ValueError, match=r"it needs context\.line"):
        mapping.apply({"number": "1"}, CONTEXT)


def test_a_canonical_record_is_complete_with_the_defaults_of_its_schema() -> None:
    text = (
        "mapping: m\nversion: 1\nfrom: crm.Thing\nto: lineshaft.Item\nfields: {item: {const: P}, unit: {const: kg}}\n"
    )
    mapping = plan_of(text).from_document("crm.Thing")
    assert mapping is not None
    assert mapping.apply({}, CONTEXT) == {
        "item": "P",
        "description": None,
        "unit": "kg",
        "site": None,
        "mes_item": None,
        "alternate_units": [],
    }


def test_a_missing_value_leaves_a_canonical_field_at_its_default() -> None:
    text = (
        "mapping: m\nversion: 1\nfrom: crm.Thing\nto: lineshaft.SalesOrder\nfields:\n"
        "  number: {const: '1'}\n  type: {const: sale}\n  released: {const: true}\n  cancelled: {const: false}\n"
        "  priority: text\n"
    )
    mapping = plan_of(text).from_document("crm.Thing")
    assert mapping is not None
    made = mapping.apply({"text": None}, CONTEXT)
    assert made is not None
    assert (made["priority"], made["lines"]) == ("normal", [])


def test_a_mapping_of_a_system_that_is_not_configured_is_left_out() -> None:
    plan = plan_of(HEAD, types={"mes.Result": TYPES["mes.Result"]})
    assert plan.mappings == ()


def test_the_id_of_a_plan_follows_the_content_of_all_its_files_and_not_their_order() -> None:
    one, two = definition(HEAD, "a.yaml"), definition(job_mapping("x"), "b.yaml")
    changed = definition(HEAD + "\n", "a.yaml")
    assert plan_id([one, two]) == plan_id([two, one])
    assert plan_id([one, two]) != plan_id([changed, two])
    assert compile_plan([one], {}).id != compile_plan([], {}).id
    assert definition(HEAD, "elsewhere.yaml").content_hash == one.content_hash


def test_a_folder_is_read_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "m.yaml").write_text(HEAD)
    (tmp_path / "codes" / "c.yml").write_text("codes: c\nversion: 4\nunknown: park\nrows: {a: b}\n")
    (tmp_path / "notes.txt").write_text("not one")
    found = {(each.kind, each.name, each.version) for each in read_folder(tmp_path)}
    assert found == {("mapping", "m", 1), ("codes", "c", 4)}


def test_every_file_of_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DefinitionError) as caught:
        read_folder(tmp_path)
    assert [Path(each.file).name for each in caught.value.problems] == ["a.yaml", "b.yaml"]
    with pytest.raises(DefinitionError, match="the folder does not exist"):
        read_folder(tmp_path / "nowhere")


def test_what_ships_has_one_of_each_kind_and_names_no_path_of_a_machine() -> None:
    files = shipped()
    assert {each.kind for each in files} == {"mapping", "codes", "routes"}
    assert all(each.file.startswith("mappings/definitions/") for each in files)


def test_a_canonical_decimal_of_another_scale_is_rescaled_exactly() -> None:
    far = DocumentType("Far", (Field("n", Kind.DECIMAL, scale=3),))
    text = "mapping: m\nversion: 1\nfrom: lineshaft.JobOrder\nto: far.Far\nfields: {n: quantity}\n"
    mapping = plan_of(text, types={"far.Far": far}).to_document("JobOrder", "far", "plant-a")
    assert mapping is not None
    made = mapping.document({"quantity": 1_250_000}, context_of())
    assert made is not None
    assert str(made["n"]) == "1.25"
