"""Runs the tests that stand in a mapping's own file, and says which tests are missing.

A mapping needs a test for each required field (it fails with required_missing), for each row and the unknown words
of each code table it uses, for each branch of a choice, and one that succeeds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from mappings.check import Build
from mappings.compile import Compiled, compile_mapping
from mappings.context import Context
from mappings.examples import Examples, difference, merged, plain
from mappings.language import InlineTest, Place
from mappings.language import Mapping as MappingTree
from mappings.plan import Definitions, sides
from mappings.problems import Cause, DefinitionError, MappingFailed, Problem, nearest
from mappings.shape import Side
from mappings.tree import Items, Table, Tree
from schemas.catalog import NAMESPACE
from schemas.document import DocumentType, Fields
from schemas.event import Record
from schemas.shapes import described

CONTEXT = frozenset({"connector", "key", "subject", "version", "destination", "line"})
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Outcome:
    """One inline test that was run. `message` says what was different; it is empty for one that passed."""

    mapping: str
    file: str
    line: int
    name: str
    message: str

    @property
    def passed(self) -> bool:
        """Whether the mapping did as the test says."""
        return not self.message


@dataclass(frozen=True)
class Report:
    """The tests of one mapping: how each went, and a problem for each that is missing."""

    outcomes: tuple[Outcome, ...]
    missing: tuple[Problem, ...]


@dataclass(frozen=True)
class _Known:
    """Reference data of one test."""

    items: Mapping[str, Record]
    links: Mapping[tuple[str, str, str, str], str]

    def item(self, code: str, /) -> Record | None:
        return self.items.get(code)

    def link(self, kind: str, system: str, id: str, to_system: str, /) -> str | None:
        return self.links.get((kind, system, id, to_system))


def run(mapping: MappingTree, definitions: Definitions, document_types: Mapping[str, DocumentType]) -> Report:
    """Run the tests of one mapping. Raises DefinitionError where the mapping or an example is wrong."""
    build = Build(mapping.file, definitions.codes, taken=set())
    source, target = sides(mapping, document_types, build)
    if source is None or target is None:
        raise DefinitionError(build.problems)
    compiled = compile_mapping(mapping, source, target, build)
    if build.problems:
        raise DefinitionError(build.problems)
    suite = _Suite(mapping, compiled, source, target, build)
    outcomes = tuple(suite.outcome(test, number) for number, test in enumerate(mapping.tests, 1))
    if build.problems:
        raise DefinitionError(build.problems)
    return Report(outcomes, tuple(suite.missing()))


class _Suite:
    """One mapping with what its tests have shown so far."""

    def __init__(self, mapping: MappingTree, compiled: Compiled, source: Side, target: Side, build: Build) -> None:
        self._mapping, self._compiled, self._source, self._target = mapping, compiled, source, target
        self._build = build
        self._missed: set[str] = set()
        self._succeeded = False

    def outcome(self, test: InlineTest, number: int) -> Outcome:
        """Run one test."""
        with self._build.inside("tests"):
            message = self._run(test)
        name = test.name or f"test {number}"
        return Outcome(self._mapping.name, self._mapping.file, test.place.line, name, message)

    def _run(self, test: InlineTest) -> str:
        given = Examples(self._source, self._build).record(merged(self._mapping.sample, test.given), True)
        context = self._context(test)
        if self._mapping.for_each is not None and context.line is None:
            self._build.note(test.place, "a test of a line mapping has no line", "Add context: {line: {…}}.")
            return ""
        try:
            made = self._compiled.document(given, context)
        except MappingFailed as failed:
            return self._failed(test, failed)
        if made is None:
            return "" if test.skipped else "leaves the record out by its only_when"
        if test.skipped or test.fails:
            return f"makes a record, but {'none' if test.skipped else test.fails} is expected"
        self._succeeded = True
        return self._compared(test, made)

    def _compared(self, test: InlineTest, made: Fields) -> str:
        if not isinstance(test.expect, Table):
            place = test.place
            self._build.note(place, "expects something else than a record", "Write expect: {field: value, …}.")
            return ""
        expected = Examples(self._target, self._build).record(test.expect, False)
        return difference(expected, made, self._target.fields, self._target.far) or ""

    def _failed(self, test: InlineTest, failed: MappingFailed) -> str:
        field = _INDEX.sub("", failed.field)
        if test.fails != failed.cause or (test.field and test.field not in (failed.field, field)):
            return f"fails with {failed.cause} at {failed}"
        if failed.cause is Cause.REQUIRED_MISSING:
            self._missed.add(field)
        return ""

    def _context(self, test: InlineTest) -> Context:
        said: dict[str, Tree] = {}
        for key, node in test.context.entries if test.context is not None else ():
            if key.text not in CONTEXT:
                message = f"a test's context has {key.text!r}"
                self._build.note(Place(key.line, key.column), message, nearest(key.text, CONTEXT))
            said[key.text] = node
        texts = {name: str(plain(said[name])) for name in CONTEXT - {"version", "line"} if name in said}
        version = plain(said["version"]) if "version" in said else 1
        line = said.get("line")
        return Context(
            connector=texts.get("connector", "crm"),
            key=texts.get("key", "crm:1"),
            subject=texts.get("subject", "crm:1"),
            version=version if isinstance(version, int) else 1,
            destination=texts.get("destination", "plant-a"),
            references=self._references(test),
            line=self._line(line) if isinstance(line, Table) else None,
        )

    def _line(self, node: Table) -> Record | None:
        if self._mapping.for_each is None:
            self._build.note(Place(node.line, node.column), "a test has a line, but the mapping is for whole records")
            return None
        name = self._mapping.for_each[1].text
        return cast("Record", Examples(self._source, self._build).nested(node, name))

    def _references(self, test: InlineTest) -> _Known:
        items = {str(item["item"]): item for item in self._rows(test, "items", "Item")}
        rows = self._rows(test, "links", "Link")
        links = {(str(r["kind"]), str(r["system"]), str(r["id"]), str(r["to_system"])): str(r["to_id"]) for r in rows}
        return _Known(items, links)

    def _rows(self, test: InlineTest, name: str, record: str) -> Sequence[Record]:
        found = test.references.get(name) if test.references is not None else None
        if not isinstance(found, Items):
            return ()
        side = Side(f"{NAMESPACE}.{record}", described(record).fields, False)
        examples = Examples(side, self._build)
        return [cast("Record", examples.record(row, True)) for row in found.items if isinstance(row, Table)]

    def missing(self) -> Sequence[Problem]:
        """A problem for each test that the mapping lacks."""
        problems: list[Problem] = []
        if not self._succeeded:
            remedy = "Add `tests:` with at least one {given: {…}, expect: {…}}."
            problems.append(self._problem(self._mapping.place, "", "has no test that succeeds", remedy))
        for field, place in dict(self._build.required).items():
            if field not in self._missed:
                message = "is required, but no test shows that a record without it fails"
                remedy = f"Add a test: {{given: {{…}}, fails: required_missing, field: {field}}}."
                problems.append(self._problem(place, field, message, remedy))
        taken = self._build.taken or set()
        for branch in self._build.branches:
            if branch not in taken:
                message = f"has no test for {branch.label}"
                remedy = "Add a test whose record takes it."
                problems.append(self._problem(branch.place, branch.field, message, remedy))
        return problems

    def _problem(self, place: Place, field: str, message: str, remedy: str) -> Problem:
        return Problem(self._mapping.file, place.line, place.column, field or self._mapping.name, message, remedy)
