"""What holds for every record: a mapping fails with a reason or makes a record that the bus can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mappings import Cause, Compiled, MappingFailed, compile_plan, shipped, values
from mappings.problems import Refusal
from schemas.document import DocumentType, Field, Fields, Kind, Value, from_json, to_json
from schemas.event import Record
from schemas.shapes import described
from schemas.wire import Reader, Writer
from tests.unit.mappings.mapping_builder import KINDS, TYPES, context_of, made_by, mapping_of, real_types

REAL = real_types()
PLAN = compile_plan(shipped(), REAL)
FROM_FAR = [each for each in PLAN.mappings if each.system == "lineshaft" and each.mapping.source in REAL]
FROM_BUS = [each for each in PLAN.mappings if each.mapping.source.startswith("lineshaft.")]
CONTEXT = replace(
    context_of(items=[{"item": "P", "unit": "u", "mes_item": "M", "description": "d"}]), key="crm:1", version=5
)

LIKELY = ["", "P", "Activated", "Low", "Sale", "running", "crm:1/L1", "2026-05-01", "2026-02-30", "12.5"]
TEXTS = st.sampled_from(LIKELY) | st.text(max_size=8)
NUMBERS = st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(-1000, 1000, places=7, allow_nan=False)
DATES = st.dates().map(lambda day: day.isoformat())
INSTANTS = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
LEAVES: Mapping[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: TEXTS,
    Kind.INTEGER: st.integers(),
    Kind.DECIMAL: NUMBERS | st.integers(),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: DATES | TEXTS,
    Kind.INSTANT: INSTANTS | TEXTS,
    Kind.TEXTS: st.lists(TEXTS, max_size=3),
}
JSON: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


def far_value(field: Field) -> st.SearchStrategy[Value]:
    if field.kind is Kind.GROUP:
        return far_record(field.fields)
    if field.kind is Kind.LIST:
        return st.lists(far_record(field.fields), max_size=2)
    return LEAVES[field.kind]


def far_record(fields: Sequence[Field]) -> st.SearchStrategy[Value]:
    known = {field.name: st.none() | far_value(field) | JSON for field in fields}
    return st.fixed_dictionaries({}, optional=known)


CANONICAL: Mapping[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: st.text(max_size=6),
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1),
    Kind.DECIMAL: st.integers(-(10**18) + 1, 10**18 - 1),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.integers(-719162, 2932896),
    Kind.INSTANT: st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    Kind.TEXTS: st.lists(st.text(max_size=3), max_size=2),
}


def canonical_value(field: Field) -> st.SearchStrategy[Value]:
    if field.kind is Kind.GROUP:
        return canonical_record(field.fields)
    if field.kind is Kind.LIST:
        return st.lists(canonical_record(field.fields), max_size=2)
    if field.symbols:
        return st.sampled_from(field.symbols)
    return CANONICAL[field.kind]


def canonical_record(fields: Sequence[Field]) -> st.SearchStrategy[Value]:
    optional = {Kind.TEXT, Kind.DATE, Kind.INSTANT, Kind.DECIMAL}
    return st.fixed_dictionaries(
        {
            field.name: canonical_value(field)
            if field.required or field.kind not in optional or field.symbols
            else st.none() | canonical_value(field)
            for field in fields
        }
    )


def fields_of(mapping: Compiled) -> Sequence[Field]:
    return REAL[mapping.mapping.source].fields


@pytest.mark.parametrize("mapping", FROM_FAR, ids=lambda each: each.mapping.name)
@settings(max_examples=80)
@given(data=st.data())
def test_a_far_record_gives_a_record_that_the_bus_carries_or_a_reason(mapping: Compiled, data: st.DataObject) -> None:
    document = cast("Fields", data.draw(far_record((*fields_of(mapping), Field("_deleted", Kind.BOOLEAN)))))
    before = repr(document)
    try:
        made = mapping.apply(document, CONTEXT)
    except MappingFailed as failed:
        assert failed.cause in Cause
        assert failed.field
        assert failed.message
    else:
        if made is not None:
            assert Reader(mapping.target)(Writer(mapping.target)(made)) == made
    assert repr(document) == before


@pytest.mark.parametrize("mapping", FROM_BUS, ids=lambda each: each.mapping.name)
@settings(max_examples=80)
@given(data=st.data())
def test_a_record_of_the_bus_gives_a_document_of_the_declared_kinds_or_a_reason(
    mapping: Compiled, data: st.DataObject
) -> None:
    source = described(mapping.mapping.source.removeprefix("lineshaft.")).fields
    record = cast("Record", data.draw(canonical_record(source)))
    lines = next((field.fields for field in source if field.name == "lines"), ())
    line = cast("Record", data.draw(canonical_record(lines))) if mapping.mapping.for_each else None
    try:
        made = mapping.document(record, replace(CONTEXT, line=line))
    except MappingFailed as failed:
        assert failed.cause in (Cause.BAD_VALUE, Cause.UNKNOWN_REFERENCE)
        return
    assert made is not None
    if mapping.system == "lineshaft":
        Writer(mapping.target)(cast("Record", made))
    else:
        assert from_json(to_json(made)) == made
        check_kinds(made, REAL[f"{mapping.system}.{mapping.target}"])


def check_kinds(made: Fields, kind: DocumentType) -> None:
    known = {field.name: field for field in kind.fields}
    for name, value in made.items():
        field = known[name]
        assert field.writable
        assert value is not None or not field.required
        if value is not None and field.kind is Kind.DATE:
            assert values.date_text(values.days(str(value))) == value
        if value is not None and field.symbols:
            assert value in field.symbols


RULES = [f"  {field.name}: {{from: {field.name}}}\n" for field in KINDS]
EVERY = "mapping: m\nversion: 1\nfrom: crm.Thing\nto: mes.Result\nfields:\n  must: {const: x}\n" + "".join(RULES)
AS = "".join(f"    - {{from: {a.name}, as: text}}\n" for a in KINDS)
TO_TEXT = EVERY.replace("  text: {from: text}\n", f"  text:\n    first_of:\n{AS}")
COMPILED = {text: mapping_of(text) for text in (EVERY, TO_TEXT)}


@pytest.mark.parametrize("text", [EVERY, TO_TEXT])
@settings(max_examples=200)
@given(document=far_record(TYPES["crm.Thing"].fields))
@example(document={"decimal": Decimal("1E+999999")})
@example(document={"decimal": Decimal("1E-999999"), "integer": 10**5000})
@example(document={"instant": "0001-01-01T00:00:00+23:59", "text": "\ud800"})
def test_no_document_makes_a_mapping_fail_in_another_way(text: str, document: Value) -> None:
    try:
        COMPILED[text].document(cast("Fields", document), CONTEXT)
    except MappingFailed as failed:
        assert failed.cause is Cause.BAD_VALUE


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 12))
def test_a_decimal_comes_back_from_its_unscaled_form(unscaled: int, scale: int) -> None:
    assert values.unscaled(values.decimal(unscaled, scale), scale, 18, None) == unscaled
    assert values.number(values.text_of(values.decimal(unscaled, scale))) == values.decimal(unscaled, scale)


@given(st.decimals(-(10**6), 10**6, allow_nan=False, places=9), st.sampled_from(sorted(values.ROUNDINGS)))
def test_rounding_changes_less_than_one_of_the_last_digit_and_only_when_asked(value: Decimal, rounding: str) -> None:
    rounded = values.decimal(values.unscaled(value, 6, 18, rounding), 6)
    assert abs(rounded - value) < Decimal("0.000001")
    assert rounding != "up" or rounded >= value
    assert rounding != "down" or rounded <= value
    if rounded != value:
        with pytest.raises(Refusal):
            values.unscaled(value, 6, 18, None)


@given(st.decimals(-(10**11), 10**11, allow_nan=False, places=6))
def test_a_quantity_of_an_order_reaches_the_shop_floor_digit_for_digit(quantity: Decimal) -> None:
    assume(quantity > 0)
    document: Fields = {
        "OrderNumber": "1",
        "OrderItems": [{"Id": "L1", "Quantity": quantity, "Product2": {"ProductCode": "P"}}],
    }
    order = _made(PLAN.from_document("salesforce.Order"), document, None)
    line = cast("Sequence[Record]", order["lines"])[0]
    job = _made(PLAN.between("SalesOrder", "JobOrder", "plant-a"), order, line)
    work_order = _made(PLAN.to_document("JobOrder", "jiandaoyun", "plant-a"), job, None)
    assert work_order["quantity"] == quantity


def _made(mapping: Compiled | None, value: Fields | Record, line: Record | None) -> Record:
    assert mapping is not None
    made = mapping.apply(value, replace(CONTEXT, line=line))
    assert made is not None
    return made


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_padded_versions_sort_as_their_numbers_and_come_back(one: int, other: int) -> None:
    texts = [str(made_by("{function: pad, args: [integer]}", "text", {"integer": n})) for n in (one, other)]
    assert (texts[0] < texts[1]) == (one < other)
    assert made_by("{function: unpad, args: [text]}", "integer", {"text": texts[0]}) == one


@given(st.datetimes().map(lambda moment: moment.isoformat() + "Z"))
def test_an_instant_comes_back_from_microseconds(text: str) -> None:
    us = values.micros(text, None)
    assert values.micros(values.instant_text(us), None) == us
