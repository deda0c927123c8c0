"""A syntax tree as a function: closures over values, nothing evaluated, every path and kind checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from mappings import language
from mappings.check import RECORD, Alias, Build, Scope
from mappings.conditions import Holds, compiled
from mappings.context import Context, Run
from mappings.defaults import defaults
from mappings.problems import Cause, MappingFailed, Refusal
from mappings.records import Target, record_writer
from mappings.shape import Side
from schemas.document import Field, Fields, Kind, Value
from schemas.event import Canonical, Record

WRITTEN_SIDE: Mapping[str, language.Owner] = {"lineshaft.OrderStatus": "crm", "lineshaft.JobOrder": "mes"}
"""Which side each record goes to: that side's own fields are never written."""


@dataclass(frozen=True)
class Compiled:
    """One mapping, checked and ready.

    `target` is what it makes (`SalesOrder`, or `MES_Status__c` of the `system` salesforce; canonical records are of
    the system lineshaft). `reads` are the top-level source fields it looks at, for a codec that decodes only those.
    `owners` says for target fields that the bus does not own who does.
    """

    mapping: language.Mapping
    target: str
    system: str
    reads: frozenset[str]
    owners: Mapping[str, language.Owner]
    _write: Callable[[Fields, Run], dict[str, Value]]
    _only_when: Holds | None

    def apply(self, value: Fields | Record, context: Context) -> dict[str, Canonical] | None:
        """The canonical record that the mapping makes of one record; `value` is not changed.

        None where `only_when` says that the record is none of ours. Raises MappingFailed. A line mapping reads its
        line from `context.line`, which must be given.
        """
        given: Fields = value
        run = Run(given, context)
        if self.mapping.for_each is not None and context.line is None:
            raise ValueError(f"{self.mapping.name} is a line mapping: it needs context.line")
        if self._only_when is not None and not self._ours(given, run):
            return None
        try:
            return cast("dict[str, Canonical]", self._write(given, run))
        except RecursionError as error:
            raise MappingFailed("", Cause.BAD_VALUE, "the record is nested too deeply") from error

    def document(self, value: Fields | Record, context: Context) -> dict[str, Value] | None:
        """The same as `apply`, for a mapping whose target is a far document."""
        return cast("dict[str, Value] | None", self.apply(value, context))

    def _ours(self, value: Fields, run: Run) -> bool:
        try:
            return self._only_when is None or self._only_when(value, run)
        except Refusal as refused:
            raise MappingFailed("only_when", refused.cause, refused.message, refused.waits_for) from refused


def compile_mapping(mapping: language.Mapping, source: Side, target: Side, build: Build) -> Compiled:
    """The mapping as a function between two sides. Problems are noted in `build`; ask it before using the result."""
    scope = _scope(mapping, source, build)
    only_when = compiled(mapping.only_when, scope) if mapping.only_when is not None else None
    blank = {} if target.far else defaults(target.name.partition(".")[2])
    write = record_writer(
        mapping.fields, scope.where(mapping.only_when), Target(target, target.fields, "", blank), mapping.place
    )
    for each in mapping.fields:
        if each.owner != "bus" or each.rule is None:
            _check_owner(each, source, target, build)
    owners = {each.name: each.owner for each in mapping.fields if each.owner != "bus"}
    system, _, name = target.name.partition(".")
    return Compiled(mapping, name, system, frozenset(build.reads), owners, write, only_when)


def _check_owner(rule: language.FieldRule, source: Side, target: Side, build: Build) -> None:
    """A field of the system that is written to is never written; one of any other owner has to be."""
    with build.inside(rule.name):
        if not target.far:
            build.note(rule.place, "has an owner, but fields have owners only at sinks", "Remove `owner`.")
        elif rule.owner == "first":
            message = "is to be written only when its record is made, which no sink can do yet"
            build.note(rule.place, message, "Give it to `bus` (always written) or to its system (never written).")
        elif rule.owner == WRITTEN_SIDE.get(source.name) and rule.rule is not None:
            message = f"belongs to the {rule.owner}, where it would be overwritten"
            build.note(rule.place, message, f"Keep only `owner: {rule.owner}`, or name another owner.")
        elif rule.owner != WRITTEN_SIDE.get(source.name) and rule.rule is None:
            message = f"belongs to the {rule.owner}, but no rule makes it"
            build.note(rule.place, message, "Add an input, for example `from: …`.")


def _scope(mapping: language.Mapping, source: Side, build: Build) -> Scope:
    aliases = {RECORD: Alias(source, lambda here, run: run.root)}
    if mapping.for_each is not None:
        name, path = mapping.for_each
        build.reads.add(path.text)
        fields = _lines(source, path, build)
        aliases[name] = Alias(Side(f"{source.name}.{path.text}", fields, source.far), _line)
    return Scope(build, source, aliases, at_source=source.far)


def _line(here: Fields, run: Run) -> Value:
    line: Record | None = run.context.line
    return line


def _lines(source: Side, path: language.Path, build: Build) -> tuple[Field, ...]:
    found = next((field for field in source.fields if field.name == path.text), None)
    if found is None or found.kind is not Kind.LIST:
        lists = [field.name for field in source.fields if field.kind is Kind.LIST]
        message = f"for_each goes over {path.text!r}, which is no list of {source.name}"
        build.note(path.place, message, f"Lists: {', '.join(lists) or 'none'}.")
        return ()
    return found.fields
