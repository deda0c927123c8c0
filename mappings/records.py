"""Writes one record of the target, field by field, in the order of the target's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mappings import rules
from mappings.check import Scope
from mappings.coercion import encoder, identity
from mappings.context import Convert, Maker, Run
from mappings.language import Const, Each, FieldRule, Group, ListOf, Place, Rule
from mappings.operations import required
from mappings.problems import MappingFailed, Refusal
from mappings.shape import NESTED, Shape, Side, a, nearest_field, shape_of
from schemas.document import Field, Fields, Kind, Value
from schemas.event import Canonical

Writer: TypeAlias = Callable[[Fields, Run], dict[str, Value]]


@dataclass(frozen=True)
class Target:
    """What is written: one side's record, or a record nested in it at `prefix`; `blank` holds the defaults."""

    side: Side
    fields: Sequence[Field]
    prefix: str
    blank: Mapping[str, Canonical]

    def nested(self, field: Field) -> Target:
        """The record inside one of the fields."""
        return Target(self.side, field.fields, f"{self.prefix}{field.name}.", self.blank)

    def default(self, field: Field) -> Canonical:
        """What the schema says where no rule makes a value."""
        return self.blank.get(f"{self.prefix}{field.name}")


def record_writer(rules_of: Sequence[FieldRule], scope: Scope, target: Target, place: Place) -> Writer:
    """The function that makes the whole record; problems are noted in the scope's build."""
    known = {field.name: field for field in target.fields}
    makers: list[tuple[str, Maker]] = []
    for each in rules_of:
        with scope.build.inside(each.name):
            field = known.get(each.name)
            if field is None:
                message = f"is not a field of {target.side.name}"
                scope.build.note(each.place, message, nearest_field(target.side, each.name, known.values()))
            elif target.prefix and (each.owner != "bus" or each.rule is None):
                message = "has an owner, but only whole fields of a document have one"
                scope.build.note(each.place, message, "Remove `owner`.")
            elif each.rule is not None:
                makers.append((each.name, _field(each.rule, field, scope, target)))
    _check_complete({each.name for each in rules_of}, scope, target, place)
    return _writer(makers, target)


def _check_complete(named: set[str], scope: Scope, target: Target, place: Place) -> None:
    for field in target.fields:
        if field.required and field.writable and field.name not in named:
            with scope.build.inside(field.name):
                message = f"is required by {target.side.name}, but no rule makes it"
                scope.build.note(place, message, f"Add a line: {field.name}: {{from: …}}.")


def _writer(makers: Sequence[tuple[str, Maker]], target: Target) -> Writer:
    far = target.side.far
    defaults = {} if far else {field.name: target.default(field) for field in target.fields}
    lists = tuple(name for name, value in defaults.items() if isinstance(value, list))
    fixed: dict[str, Value] = {name: value for name, value in defaults.items() if name not in lists}

    def write(here: Fields, run: Run) -> dict[str, Value]:
        record = dict(fixed)
        for name in lists:
            record[name] = []
        for name, make in makers:
            try:
                value = make(here, run)
            except Refusal as refused:
                raise MappingFailed(name, refused.cause, refused.message, refused.waits_for) from refused
            if far or value is not None:
                record[name] = value
        return record

    return write


def _field(rule: Rule, field: Field, scope: Scope, target: Target) -> Maker:
    if not field.writable:
        scope.build.note(rule.place, f"cannot be written: {target.side.name} computes it", "Remove the line.")
    if isinstance(rule.input, Each | ListOf | Group):
        return _nested(rule, field, scope, target)
    shape = _target_shape(field, target.side.far)
    made, make = rules.maker(rule, scope, shape)
    if field.required:
        make = _demanded(make)
    if field.required and made.nullable:
        scope.build.required.append((scope.build.field, rule.place))
    return _encoded(make, encoder(shape, field.scale)) if target.side.far else make


def _target_shape(field: Field, far: bool) -> Shape:
    return shape_of(field, far)


def _demanded(make: Maker) -> Maker:
    return lambda here, run: required(make(here, run), run)


def _encoded(make: Maker, encode: Convert) -> Maker:
    if encode is identity:
        return make

    def write(here: Fields, run: Run) -> Value:
        value = make(here, run)
        return None if value is None else encode(value)

    return write


def _nested(rule: Rule, field: Field, scope: Scope, target: Target) -> Maker:
    wanted = Kind.GROUP if isinstance(rule.input, Group) else Kind.LIST
    if field.kind is not wanted:
        message = f"makes {a(wanted)}, but {target.side.name}.{scope.build.field} is {a(field.kind)}"
        remedy = "Use `each:` for a list." if field.kind in NESTED else "Use `from:` for one value."
        scope.build.note(rule.place, message, remedy)
        return lambda here, run: None
    if rule.steps or rule.when is not None:
        remedy = "Put conditions into `where`, steps into its fields."
        scope.build.note(rule.place, "makes records and has steps or a condition of its own", remedy)
    inner = target.nested(field)
    match rule.input:
        case Each():
            return _each(rule.input, field, scope, inner)
        case ListOf(records):
            writers = [record_writer(each, scope, inner, rule.place) for each in records]
            return lambda here, run: [_inside(f"{field.name}[{i}]", w, here, run) for i, w in enumerate(writers)]
        case Group(fields):
            writer = record_writer(fields, scope, inner, rule.place)
            return lambda here, run: _inside(field.name, writer, here, run)
        case _:
            raise AssertionError(f"{rule.input} makes no records")


def _each(each: Each, field: Field, scope: Scope, target: Target) -> Maker:
    shape, read = scope.resolve(each.path)
    if shape.kind is not Kind.LIST:
        message = f"goes over {each.path.text}, which is {a(shape.kind)} and no list of records"
        scope.build.note(each.path.place, message, "Name a list of records.")
        return lambda here, run: None
    inside = scope.deeper(f"{scope.here.name}.{each.path.text}", shape.fields, shape.far)
    where = rules.condition(each.where, inside) if each.where is not None else None
    writer = record_writer(each.fields, inside.where(each.where), target, each.path.place)

    def make(here: Fields, run: Run) -> Value:
        made: list[Value] = []
        for index, record in enumerate(rules.records(read(here, run))):
            if where is None or where(record, run):
                made.append(_inside(f"{field.name}[{index}]", writer, record, run))
        return made

    return make


def _inside(name: str, writer: Writer, here: Fields, run: Run) -> dict[str, Value]:
    try:
        return writer(here, run)
    except MappingFailed as failed:
        raise failed.inside(name) from failed


__all__ = ["Const", "Target", "Writer", "record_writer"]
