"""One rule as a function: its input, its steps in the table's order, and the fit to the field it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from mappings import conditions
from mappings.check import UNREADABLE, Scope, literal
from mappings.coercion import coercion, identity
from mappings.conditions import Holds
from mappings.context import Convert, Maker, Run
from mappings.conversions import PLAIN, zone_of
from mappings.functions import FUNCTIONS
from mappings.language import (
    As,
    Call,
    Choose,
    Concat,
    Condition,
    Const,
    FirstOf,
    Path,
    Place,
    Read,
    Redact,
    Rule,
    Step,
)
from mappings.language import Holds as HoldsInput
from mappings.operations import BY_STEP, OPERATIONS, Operation
from mappings.problems import Refusal, nearest
from mappings.shape import Shape, a
from schemas.document import Fields, Kind, Value

TEXT = Shape(Kind.TEXT)
ORDER: Mapping[str, int] = {operation.name: index for index, operation in enumerate(OPERATIONS)}
LITERAL_KINDS: Mapping[type, Kind] = {bool: Kind.BOOLEAN, int: Kind.INTEGER, Decimal: Kind.DECIMAL}
KEEP_KIND = frozenset({"must", "required", "default"})

Typed = tuple[Shape, Maker]


def condition(node: Condition, scope: Scope) -> Holds:
    """A condition as a function."""
    return conditions.compiled(node, scope)


def records(value: Value) -> Sequence[Fields]:
    """The records of a list that was checked to be one; none where it is missing."""
    return cast("Sequence[Fields]", value or ())


def maker(rule: Rule, scope: Scope, target: Shape | None) -> Typed:
    """The rule's value in the internal form of `target` (or in its own where that is None)."""
    early = [step for step in rule.steps if BY_STEP[type(step)].name not in KEEP_KIND]
    shape, make = _input(rule, scope, None if early else target)
    if rule.when is not None:
        shape, make = _guarded(shape, make, condition(rule.when, scope))
    steps = sorted(rule.steps, key=lambda step: ORDER[BY_STEP[type(step)].name])
    for index, step in enumerate(steps):
        if index == len(early) and target is not None:
            shape, make = fitted(shape, make, target, scope, rule.place)
        shape, make = _step(step, shape, make, target, scope)
    if len(steps) == len(early) and target is not None:
        shape, make = fitted(shape, make, target, scope, rule.place)
    if any(isinstance(step, Redact) for step in steps):
        make = _concealed(make)
    return shape, make


def _guarded(shape: Shape, make: Maker, holds: Holds) -> Typed:
    return shape.missing(True), lambda here, run: make(here, run) if holds(here, run) else None


def _concealed(make: Maker) -> Maker:
    def conceal(here: Fields, run: Run) -> Value:
        try:
            return make(here, run)
        except Refusal as refused:
            raise Refusal(refused.cause, "a redacted value, not shown, cannot be taken", None) from None

    return conceal


def _step(step: Step, shape: Shape, make: Maker, target: Shape | None, scope: Scope) -> Typed:
    operation = BY_STEP[type(step)]
    if shape.kind not in operation.accepts:
        _note_kind(operation, step, shape, scope)
        return Shape(operation.gives or shape.kind), make
    result, apply = operation.build(step, shape, target, scope.build)
    if operation.sees_missing:
        return result, lambda here, run: apply(make(here, run), run)

    def then(here: Fields, run: Run) -> Value:
        value = make(here, run)
        return None if value is None else apply(value, run)

    return result, then


def _note_kind(operation: Operation, step: Step, shape: Shape, scope: Scope) -> None:
    kinds = ", ".join(sorted(operation.accepts))
    remedy = f"{operation.name} takes {kinds}." + (
        " Add as: text before it." if Kind.TEXT in operation.accepts else ""
    )
    scope.build.note(step.place, f"applies {operation.name!r} to {a(shape.kind)}", remedy)


def fitted(shape: Shape, make: Maker, target: Shape, scope: Scope, place: Place) -> Typed:
    """The same value in the internal form of the target; a problem where it never fits."""
    convert = coercion(shape, target)
    result = replace(target, nullable=shape.nullable)
    if convert is None:
        message = f"is made of {a(shape.kind)}, but has to be {a(target.kind)}"
        remedy = f"Add as: {target.kind}." if target.kind in PLAIN else "Use `each:`, `list:` or `fields:`."
        if shape is not UNREADABLE:
            scope.build.note(place, message, remedy)
        return result, make
    if convert is identity:
        return result, make
    return result, _converted(make, convert)


def _converted(make: Maker, convert: Convert) -> Maker:
    def read(here: Fields, run: Run) -> Value:
        value = make(here, run)
        return None if value is None else convert(value)

    return read


def _input(rule: Rule, scope: Scope, target: Shape | None) -> Typed:
    match rule.input:
        case Read(path):
            return _read(path, rule, scope)
        case Const():
            return _const(rule.input, scope, target)
        case FirstOf(rules):
            return _first_of(rules, scope, target)
        case Concat(rules, separator):
            return _concat(rules, separator, scope)
        case Choose():
            return _choose(rule.input, scope, target)
        case Call():
            return _call(rule.input, scope)
        case HoldsInput(node):
            holds = condition(node, scope)
            return Shape(Kind.BOOLEAN, nullable=False), lambda here, run: holds(here, run)
        case _:
            scope.build.note(rule.place, "makes records where one value is needed", "Use `from:`.")
            return UNREADABLE, lambda here, run: None


def _read(path: Path, rule: Rule, scope: Scope) -> Typed:
    naive = next((step for step in rule.steps if isinstance(step, As) and step.zone is not None), None)
    return scope.resolve(path, zone_of(naive, None) if naive is not None else None)


def _const(const: Const, scope: Scope, target: Shape | None) -> Typed:
    own = Shape(LITERAL_KINDS.get(type(const.value), Kind.TEXT), nullable=False)
    shape = replace(target, nullable=False) if target is not None else own
    try:
        value = literal(const.value, shape)
    except Refusal as refused:
        scope.build.note(const.place, f"has a constant that does not fit: {refused.message}", "Correct the constant.")
        return UNREADABLE, lambda here, run: None
    return shape, lambda here, run: value


def _alike(rules: Sequence[Rule], scope: Scope, target: Shape | None) -> list[Typed]:
    """Rules whose values take each other's place: all have the target's shape, or that of the first."""
    made: list[Typed] = []
    for rule in rules:
        made.append(maker(rule, scope, target))
        target = target if target is not None else replace(made[0][0], nullable=True, symbols=())
    return made


def _first_of(rules: Sequence[Rule], scope: Scope, target: Shape | None) -> Typed:
    made = _alike(rules, scope, target)
    makers = [make for _, make in made]

    def read(here: Fields, run: Run) -> Value:
        return next((value for make in makers if (value := make(here, run)) is not None), None)

    return made[0][0].missing(all(shape.nullable for shape, _ in made)), read


def _concat(rules: Sequence[Rule], separator: str, scope: Scope) -> Typed:
    made = [maker(rule, scope, TEXT) for rule in rules]
    makers = [make for _, make in made]

    def read(here: Fields, run: Run) -> Value:
        parts = [cast("str", value) for make in makers if (value := make(here, run)) is not None]
        return separator.join(parts) if parts else None

    return Shape(Kind.TEXT, all(shape.nullable for shape, _ in made)), read


def _choose(choose: Choose, scope: Scope, target: Shape | None) -> Typed:
    made = _alike([branch.rule for branch in choose.branches], scope, target)
    tests = [condition(branch.when, scope) if branch.when is not None else None for branch in choose.branches]
    ways = [scope.build.branch(f"branch {n} of choose", each.place) for n, each in enumerate(choose.branches, 1)]
    taken = scope.build.taken
    options = list(zip(tests, [make for _, make in made], ways, strict=True))

    def read(here: Fields, run: Run) -> Value:
        for holds, make, way in options:
            if holds is None or holds(here, run):
                if taken is not None:
                    taken.add(way)
                return make(here, run)
        return None

    nullable = tests[-1] is not None or any(shape.nullable for shape, _ in made)
    return made[0][0].missing(nullable), read


def _call(call: Call, scope: Scope) -> Typed:
    function = FUNCTIONS.get(call.name)
    if function is None:
        message = f"calls the function {call.name!r}, which there is not"
        scope.build.note(call.place, message, nearest(call.name, FUNCTIONS))
        return UNREADABLE, lambda here, run: None
    if len(call.args) != len(function.parameters):
        wanted = ", ".join(function.parameters) or "nothing"
        message = f"calls {call.name} with {len(call.args)} arguments"
        scope.build.note(call.place, message, f"{call.name} takes {len(function.parameters)}: {wanted}.")
        return Shape(function.result), lambda here, run: None
    made = [maker(rule, scope, Shape(kind)) for rule, kind in zip(call.args, function.parameters, strict=True)]
    makers, apply = [make for _, make in made], function.call

    def read(here: Fields, run: Run) -> Value:
        args = [make(here, run) for make in makers]
        return None if None in args else apply(args)

    return Shape(function.result, any(shape.nullable for shape, _ in made)), read
