"""Conditions compiled against the records they are about. A missing value equals nothing and is greater than none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from mappings.check import Build, Scope, literal
from mappings.context import Run
from mappings.language import All, Any, Condition, Not, Place, Test
from mappings.problems import Refusal
from mappings.shape import NESTED, Shape, a
from mappings.tree import Literal
from schemas.document import Fields, Kind, Value

Holds: TypeAlias = Callable[[Fields, Run], bool]
Predicate: TypeAlias = Callable[[Value], bool]

ORDERED = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.INSTANT})
LISTS = NESTED | {Kind.TEXTS}
ALL = frozenset(Kind)
PLAIN = ALL - LISTS - {Kind.BYTES}


def compiled(condition: Condition, scope: Scope) -> Holds:
    """The condition as a function; problems are noted in the scope's build."""
    match condition:
        case All(parts):
            every = [compiled(part, scope) for part in parts]
            return lambda here, run: all(holds(here, run) for holds in every)
        case Any(parts):
            some = [compiled(part, scope) for part in parts]
            return lambda here, run: any(holds(here, run) for holds in some)
        case Not(part):
            inner = compiled(part, scope)
            return lambda here, run: not inner(here, run)
        case Test():
            known = len(scope.build.problems)
            shape, read = scope.resolve(condition.path)
            if len(scope.build.problems) > known:
                return lambda here, run: False
            predicate = tested(condition, shape, scope.build, condition.path.text)
            return lambda here, run: predicate(read(here, run))


def tested(test: Test, shape: Shape, build: Build, what: str) -> Predicate:
    """The comparison of one value of a shape, as a function."""
    comparison = COMPARISONS[test.operator]
    if shape.kind not in comparison.accepts:
        message = f"compares {what}, {a(shape.kind)}, by {test.operator!r}"
        kinds = ", ".join(sorted(comparison.accepts))
        build.note(test.place, message, f"{test.operator!r} takes {kinds}.")
        return lambda value: False
    if test.operator == "empty":
        return comparison.make(tuple(test.operand))
    return comparison.make(tuple(_operand(each, test, shape, build, what) for each in test.operand))


def _operand(value: Literal, test: Test, shape: Shape, build: Build, what: str) -> Value:
    try:
        return literal(value, shape, exact=False)
    except Refusal as refused:
        _note_operand(build, test.place, what, refused.message)
        return None


def _note_operand(build: Build, place: Place, what: str, message: str) -> None:
    build.note(place, f"compares {what} with a value that it never has: {message}", "Correct the value.")


class Comparison:
    """One comparison: the kinds it takes, and the predicate it makes of its operands in internal form."""

    def __init__(self, accepts: frozenset[Kind], make: Callable[[tuple[Value, ...]], Predicate]) -> None:
        self.accepts = accepts
        self.make = make


def _is(operands: tuple[Value, ...]) -> Predicate:
    wanted = operands[0]
    return lambda value: value is not None and value == wanted


def _among(operands: tuple[Value, ...]) -> Predicate:
    wanted = frozenset(cast("tuple[str | int | None, ...]", operands))
    return lambda value: value is not None and value in wanted


def _not(make: Callable[[tuple[Value, ...]], Predicate]) -> Callable[[tuple[Value, ...]], Predicate]:
    def turned(operands: tuple[Value, ...]) -> Predicate:
        holds = make(operands)
        return lambda value: not holds(value)

    return turned


def _ordered(holds: Callable[[int, int], bool]) -> Comparison:
    def make(operands: tuple[Value, ...]) -> Predicate:
        limit = cast("int", operands[0])
        return lambda value: value is not None and holds(cast("int", value), limit)

    return Comparison(ORDERED, make)


def _empty(operands: tuple[Value, ...]) -> Predicate:
    wanted = operands[0]
    return lambda value: (value is None or value == "" or value == [] or value == ()) is wanted


def _starts_with(operands: tuple[Value, ...]) -> Predicate:
    start = cast("str", operands[0])
    return lambda value: value is not None and cast("str", value).startswith(start)


COMPARISONS: Mapping[str, Comparison] = {
    "is": Comparison(PLAIN, _is),
    "is_not": Comparison(PLAIN, _not(_is)),
    "in": Comparison(PLAIN, _among),
    "not_in": Comparison(PLAIN, _not(_among)),
    "gt": _ordered(lambda value, limit: value > limit),
    "ge": _ordered(lambda value, limit: value >= limit),
    "lt": _ordered(lambda value, limit: value < limit),
    "le": _ordered(lambda value, limit: value <= limit),
    "empty": Comparison(ALL, _empty),
    "starts_with": Comparison(frozenset({Kind.TEXT}), _starts_with),
}
