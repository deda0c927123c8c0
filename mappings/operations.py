"""The steps of the language in one table: the kinds each accepts, what it gives, how it is built, its inverse.

Steps run in the order of the table. A step sees only values that are there; `default` and `required` are about
those that are not and stand at its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from mappings import values
from mappings.check import Build, literal
from mappings.conditions import tested
from mappings.context import CONTEXT, Context, Run
from mappings.conversions import CONVERSIONS, PLAIN, Apply, readable, zone_of
from mappings.language import As, Code, Default, Link, Lookup, Must, Path, Place, Redact, Required, Split, Step
from mappings.problems import Cause, Refusal, nearest
from mappings.shape import Shape, a, shape_of
from schemas.document import Field, Kind, Value
from schemas.event import Record
from schemas.identity import link_key, link_reference
from schemas.shapes import described

Built: TypeAlias = "tuple[Shape, Apply]"

TEXT = frozenset({Kind.TEXT})
ANY = frozenset(Kind)
REDACTED = "***"
HASH_LENGTH = 16


@dataclass(frozen=True)
class Operation:
    """One step. `gives` is None where the result has the kind of the input, or the step names it."""

    name: str
    step: type[Step]
    accepts: frozenset[Kind]
    gives: Kind | None
    build: Callable[[Step, Shape, Shape | None, Build], Built]
    summary: str
    inverse: str | None = None
    sees_missing: bool = False


def _split(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    by, take = cast("Split", step).by, cast("Split", step).take
    index = take - 1 if take > 0 else take

    def apply(value: Value, run: Run) -> Value:
        parts = cast("str", value).split(by)
        return (parts[index].strip() or None) if -len(parts) <= index < len(parts) else None

    return Shape(Kind.TEXT), apply


def _as(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    wanted = cast("As", step)
    if wanted.kind is Kind.DECIMAL and wanted.scale is None and wanted.rounding is not None:
        if target is None or target.scale is None:
            build.note(wanted.place, "is rounded, but to how many digits is not said", "Add scale: 6.")
        else:
            wanted = replace(wanted, scale=target.scale)
    zone = zone_of(wanted, build)
    convert = CONVERSIONS.get((shape.kind, wanted.kind))
    if convert is None:
        from_kinds = sorted(source for source, to in CONVERSIONS if to is wanted.kind)
        message = f"makes {a(wanted.kind)} of {a(shape.kind)}"
        build.note(wanted.place, message, f"as: {wanted.kind} takes {', '.join(from_kinds)}.")
        return Shape(wanted.kind), lambda value, run: value
    if (shape.kind, wanted.kind) == (Kind.INSTANT, Kind.DATE) and zone is None:
        build.note(wanted.place, "takes the day of an instant in no zone", "Add zone: Europe/Berlin.")
    scale = wanted.scale if wanted.kind is Kind.DECIMAL else None
    result = Shape(wanted.kind, shape.nullable, scale, values.INTERNAL_PRECISION)
    return result, convert(shape, wanted, zone)


def _code(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    wanted = cast("Code", step)
    table = build.codes.get(wanted.table)
    if table is None:
        message = f"uses the code table {wanted.table!r}, which there is not"
        build.note(wanted.place, message, nearest(wanted.table, build.codes))
        return Shape(Kind.TEXT), lambda value, run: value
    if wanted.inverse:
        for word, sources in table.ambiguous().items():
            message = (
                f"reads the code table {table.name} backwards, where {word!r} stands for {' and '.join(sources)}"
            )
            build.note(wanted.place, message, "Write a table of its own for this direction.")
        table = table.inverse()
    rows = {word: build.branch(f"code {table.name}, row {word!r}", wanted.place) for word in table.rows}
    other = build.branch(f"code {table.name}, a word it does not have", wanted.place)
    symbols = () if table.unknown == "pass" else tuple(sorted(table.outputs()))
    result = Shape(Kind.TEXT, shape.nullable, symbols=symbols)
    taken, code = build.taken, table.code
    if taken is None:
        return result, lambda value, run: code(cast("str", value))

    def watched(value: Value, run: Run) -> Value:
        taken.add(rows.get(cast("str", value), other))
        return code(cast("str", value))

    return result, watched


def _link(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    wanted = cast("Link", step)
    system, to_system = (_system(name, wanted.place, build) for name in (wanted.system, wanted.to_system))

    def apply(value: Value, run: Run) -> Value:
        context, id = run.context, cast("str", value)
        here, there = system(context), to_system(context)
        found = context.references.link(wanted.kind, here, id, there)
        if found is None and wanted.unknown == "park":
            waits_for = link_reference(link_key(wanted.kind, here, id, there))
            message = f"{values.shown(id)} of {here} has no {wanted.kind} in {there}"
            raise Refusal(Cause.UNKNOWN_REFERENCE, message, waits_for)
        return id if found is None else found

    return Shape(Kind.TEXT, shape.nullable), apply


def _system(name: str, place: Place, build: Build) -> Callable[[Context], str]:
    readers: Mapping[str, Callable[[Context], str]] = {
        "$connector": lambda context: context.connector,
        "$destination": lambda context: context.destination,
    }
    if name.startswith("$") and name not in readers:
        build.note(place, f"links by {name!r}, which names no system", nearest(name, [*readers, *CONTEXT]))
    return readers.get(name, lambda context: name)


@dataclass(frozen=True)
class Reference:
    """One kind of reference data: its canonical record, and how one is found by its code."""

    record: str
    find: Callable[[Context, str], Record | None]


REFERENCES: Mapping[str, Reference] = {
    "items": Reference("Item", lambda context, code: context.references.item(code)),
}


def _lookup(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    wanted = cast("Lookup", step)
    reference = REFERENCES.get(wanted.ref)
    if reference is None:
        message = f"looks up in {wanted.ref!r}, which is no reference data"
        build.note(wanted.place, message, nearest(wanted.ref, REFERENCES))
        return Shape(Kind.TEXT), lambda value, run: value
    taken = [_taken(path, reference.record, build) for path in wanted.take]
    kinds = {field.kind for field in taken if field is not None}
    if len(kinds) > 1 or (wanted.unknown == "pass" and kinds - {Kind.TEXT}):
        build.note(
            wanted.place, "takes values of different kinds", "Take only fields of one kind, texts with `pass`."
        )
    first = next((field for field in taken if field is not None), Field("?"))
    nullable = shape.nullable or all(field is None or not field.required for field in taken)
    return shape_of(first, False).missing(nullable), _find(wanted, reference)


def _taken(path: Path, record: str, build: Build) -> Field | None:
    fields = described(record).fields
    found = next((field for field in fields if field.name == path.text), None)
    if found is None:
        message = f"takes {path.text!r}, which lineshaft.{record} does not have"
        build.note(path.place, message, nearest(path.text, (field.name for field in fields)))
    return found


def _find(wanted: Lookup, reference: Reference) -> Apply:
    names = tuple(path.text for path in wanted.take)

    def apply(value: Value, run: Run) -> Value:
        code = cast("str", value)
        record = reference.find(run.context, code)
        if record is not None:
            return next((found for name in names if (found := record.get(name)) not in (None, "")), None)
        if wanted.unknown == "pass":
            return code
        message = f"{values.shown(code)} is not among the {wanted.ref}"
        raise Refusal(Cause.UNKNOWN_REFERENCE, message, f"{wanted.ref}/{code}")

    return apply


def _redact(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    if not cast("Redact", step).hashed:
        return Shape(Kind.TEXT, shape.nullable), lambda value, run: REDACTED
    return Shape(Kind.TEXT, shape.nullable), lambda value, run: _hash(cast("str", value))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]


def _default(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    wanted = cast("Default", step)
    value: Value = None
    try:
        value = literal(wanted.value, _limits(shape, target))
    except Refusal as refused:
        build.note(wanted.place, f"has a default that does not fit: {refused.message}", "Correct the default.")
    symbols = tuple(sorted({*shape.symbols, str(value)})) if shape.symbols else ()
    return replace(shape, nullable=False, symbols=symbols), lambda given, run: value if given is None else given


def _limits(shape: Shape, target: Shape | None) -> Shape:
    """What a default has to fit: its step's form, and the target's words where both are texts."""
    same = target is not None and target.kind is shape.kind
    return replace(shape, symbols=target.symbols if target is not None and same else ())


def _must(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    checks = [(test, tested(test, shape, build, "the value")) for test in cast("Must", step).tests]

    def apply(value: Value, run: Run) -> Value:
        for test, holds in checks:
            if not holds(value):
                wanted = ", ".join(str(each) for each in test.operand)
                raise values.bad(readable(value, shape), f"breaks the rule `must: {{{test.operator}: {wanted}}}`")
        return value

    return shape, apply


def required(value: Value, run: Run) -> Value:
    """The value; a missing one parks the record."""
    if value is None:
        raise Refusal(Cause.REQUIRED_MISSING, "is required, but the record does not say it")
    return value


def _required(step: Step, shape: Shape, target: Shape | None, build: Build) -> Built:
    if shape.nullable:
        build.required.append((build.field, cast("Required", step).place))
    return shape.missing(False), required


OPERATIONS: tuple[Operation, ...] = (
    Operation("split", Split, TEXT, Kind.TEXT, _split, "one part of a text", "concat"),
    Operation("as", As, PLAIN, None, _as, "another kind", "as"),
    Operation("code", Code, TEXT, Kind.TEXT, _code, "a code table's word", "code"),
    Operation("link", Link, TEXT, Kind.TEXT, _link, "another system's id of the same thing", "link"),
    Operation("lookup", Lookup, TEXT, None, _lookup, "a field of reference data"),
    Operation("redact", Redact, TEXT, Kind.TEXT, _redact, "personal data hidden or hashed"),
    Operation("default", Default, PLAIN, None, _default, "a value where there is none", None, True),
    Operation("must", Must, ANY, None, _must, "what the value has to be"),
    Operation("required", Required, ANY, None, _required, "a missing value parks the record", None, True),
)
BY_STEP: Mapping[type, Operation] = {operation.step: operation for operation in OPERATIONS}
