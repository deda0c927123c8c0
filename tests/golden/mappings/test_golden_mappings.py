"""Golden translations: for each shipped mapping whole records and exactly what it makes of them.

`<mapping>/<case>.in.json` holds `given` and, where needed, `context`, `items` and `links`; `<case>.out.json` holds
`made`, or the failure as `fails`, `field` and `waits_for`. Canonical values are written as the bus holds them.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from mappings import Compiled, Context, MappingFailed, Plan, compile_plan, shipped
from schemas.document import Fields, from_json, to_json
from schemas.event import Record
from schemas.wire import Writer
from tests.unit.mappings.mapping_builder import context_of, real_types

FOLDER = Path(__file__).parent
CASES = sorted(str(path.relative_to(FOLDER)).removesuffix(".in.json") for path in FOLDER.glob("*/*.in.json"))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan(shipped(), real_types())


def read(case: str, side: str) -> Fields:
    return cast("Fields", from_json((FOLDER / f"{case}.{side}.json").read_text("utf-8")))


def context(given: Fields) -> Context:
    links = cast(
        "list[tuple[str, str, str, str, str]]",
        [tuple(row) for row in cast("list[list[str]]", given.get("links", []))],
    )
    items = cast("list[Record]", given.get("items", []))
    said = cast("Fields", given.get("context", {}))
    return Context(
        connector=str(said.get("connector", "crm")),
        key=str(said.get("key", "")),
        subject=str(said.get("subject", "")),
        version=cast("int", said.get("version", 0)),
        destination=str(said.get("destination", "")),
        references=context_of(items, links).references,
        line=cast("Record | None", said.get("line")),
    )


def made_of(mapping: Compiled, given: Fields) -> Fields:
    try:
        made = mapping.document(cast("Fields", given["given"]), context(given))
    except MappingFailed as failed:
        return {"fails": failed.cause, "field": failed.field, "waits_for": failed.waits_for}
    return {"made": made}


@pytest.mark.parametrize("case", CASES)
def test_a_shipped_mapping_makes_exactly_this(case: str, plan: Plan) -> None:
    mapping = next(each for each in plan.mappings if each.mapping.name == case.split("/")[0])
    made = made_of(mapping, read(case, "in"))
    assert to_json(made) == to_json(read(case, "out"))
    if mapping.system == "lineshaft" and made.get("made") is not None:
        record = cast("Record", made["made"])
        Writer(mapping.target)(record)


def test_every_shipped_mapping_has_a_golden_case(plan: Plan) -> None:
    assert {case.split("/")[0] for case in CASES} == {each.mapping.name for each in plan.mappings}
