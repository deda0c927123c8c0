"""Checks what a mapping names against what there is: paths, constants, kinds. A problem says what is nearest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from mappings import values
from mappings.codes import CodeTable
from mappings.coercion import DECODERS, decoder
from mappings.context import AT_SOURCES, CONTEXT, Maker, Run
from mappings.language import All, Condition, Path, Place, Test
from mappings.problems import Problem, Refusal, nearest
from mappings.shape import Shape, Side, a, nearest_field, shape_of
from mappings.tree import Literal
from schemas.document import Field, Fields, Kind, Value

RECORD = "$record"
UNREADABLE = Shape(Kind.TEXT)

Typed: TypeAlias = "tuple[Shape, Maker]"
"""A value's shape and how it is made."""


@dataclass(frozen=True)
class Branch:
    """One way through a mapping that an inline test has to take."""

    field: str
    label: str
    place: Place


@dataclass
class Build:
    """What is gathered while one file is compiled: problems, top-level fields read, and what tests must show."""

    file: str
    codes: Mapping[str, CodeTable]
    problems: list[Problem] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    required: list[tuple[str, Place]] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    taken: set[Branch] | None = None
    _inside: list[str] = field(default_factory=list)

    @property
    def field(self) -> str:
        """The dotted target field that is being compiled."""
        return ".".join(self._inside)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Everything noted in this block belongs to the target field `name`."""
        self._inside.append(name)
        yield
        self._inside.pop()

    def note(self, place: Place, message: str, remedy: str = "") -> None:
        """One problem at a place."""
        self.problems.append(Problem(self.file, place.line, place.column, self.field, message, remedy))

    def branch(self, label: str, place: Place) -> Branch:
        """One more way that tests must take."""
        found = Branch(self.field, label, place)
        self.branches.append(found)
        return found


@dataclass(frozen=True)
class Scope:
    """The records that paths may start from: `here` by plain names, others by their alias.

    `aliases` maps a name (`line`, `$record`) to how its record is found and what it has. `present` are the paths
    that a filter has shown to be there.
    """

    build: Build
    here: Side
    aliases: Mapping[str, Alias]
    at_root: bool = True
    at_source: bool = False
    present: frozenset[str] = frozenset()

    def deeper(self, name: str, fields: Sequence[Field], far: bool) -> Scope:
        """The scope of one record of a list."""
        return replace(self, here=Side(name, tuple(fields), far), at_root=False, present=frozenset())

    def where(self, condition: Condition | None) -> Scope:
        """The same scope behind a filter: what the filter asks to be there is there."""
        return replace(self, present=self.present | _present(condition))

    def resolve(self, path: Path, zone: ZoneInfo | None = None) -> Typed:
        """The shape at a path and how to read it; notes a problem where there is no such path.

        `zone` is for far instants that are written without an offset.
        """
        if path.text in CONTEXT:
            return self._from_context(path)
        first, dot, rest = path.text.partition(".")
        alias = self.aliases.get(first)
        if alias is not None:
            return self._from_alias(alias, first, rest if dot else "", path, zone)
        if path.text.startswith("$"):
            remedy = nearest(path.text, [*CONTEXT, f"{RECORD}.<field>"])
            self.build.note(path.place, f"reads {path.text!r}, which is no context value", remedy)
            return UNREADABLE, lambda here, run: None
        if self.at_root:
            self.build.reads.add(first)
        shape = self._walk(self.here, path.text, path)
        if path.text in self.present:
            shape = shape.missing(False)
        return shape, reader(tuple(path.text.split(".")), shape, zone, self.here.far)

    def _from_context(self, path: Path) -> Typed:
        if self.at_source and path.text not in AT_SOURCES:
            message = f"reads {path.text!r}, which a far document does not have yet"
            self.build.note(path.place, message, f"Here there are: {', '.join(sorted(AT_SOURCES))}.")
        return CONTEXT[path.text]

    def _from_alias(self, alias: Alias, name: str, rest: str, path: Path, zone: ZoneInfo | None) -> Typed:
        if not rest:
            message = f"reads {name!r} as a whole"
            self.build.note(path.place, message, f"Name one of its fields, for example {name}.{_some(alias.side)}.")
            return UNREADABLE, lambda here, run: None
        if name == RECORD:
            self.build.reads.add(rest.partition(".")[0])
        shape = self._walk(alias.side, rest, path)
        inner, find = reader(tuple(rest.split(".")), shape, zone, alias.side.far), alias.find

        def read(here: Fields, run: Run) -> Value:
            record = find(here, run)
            return inner(record, run) if isinstance(record, Mapping) else None

        return shape, read

    def _walk(self, side: Side, text: str, path: Path) -> Shape:
        fields, nullable, at = side.fields, False, side.name
        found: Field | None = None
        for part in text.split("."):
            if found is not None and found.kind is not Kind.GROUP:
                message = f"reads {path.text!r}, but {at} is {a(found.kind)} and has no fields"
                remedy = "Use `each:` for the records of a list." if found.kind is Kind.LIST else f"Read {at} itself."
                self.build.note(path.place, message, remedy)
                return UNREADABLE
            found = next((each for each in fields if each.name == part), None)
            if found is None:
                message = f"reads {path.text!r}, but {at} has no field {part!r}"
                self.build.note(path.place, message, nearest_field(side, part, fields))
                return UNREADABLE
            fields, at = found.fields, f"{at}.{part}"
            shape = shape_of(found, side.far)
            nullable = nullable or shape.nullable
        return shape_of(found, side.far).missing(nullable) if found is not None else UNREADABLE


@dataclass(frozen=True)
class Alias:
    """A record that paths reach by a name."""

    side: Side
    find: Maker


def _present(condition: Condition | None) -> frozenset[str]:
    match condition:
        case All(parts):
            return frozenset().union(*(_present(part) for part in parts))
        case Test(path, "empty", (False,)) | Test(path, "is" | "in" | "gt" | "ge" | "lt" | "le" | "starts_with"):
            return frozenset({path.text})
        case _:
            return frozenset()


def _some(side: Side) -> str:
    return side.fields[0].name if side.fields else "field"


def reader(parts: tuple[str, ...], shape: Shape, zone: ZoneInfo | None, far: bool) -> Maker:
    """Reads the value at `parts` in its internal form. A group on the way that is missing makes it missing."""
    walk = _walker(parts)
    if not far or shape.kind not in DECODERS:
        return walk
    decode, where = decoder(shape.kind, zone), ".".join(parts)

    def read(here: Fields, run: Run) -> Value:
        value = walk(here, run)
        if value is None or value == "":
            return None
        try:
            return decode(value)
        except Refusal as refused:
            raise Refusal(refused.cause, f"{refused.message} (in {where})") from refused

    return read


def _walker(parts: tuple[str, ...]) -> Maker:
    if len(parts) == 1:
        name = parts[0]
        return lambda here, run: here.get(name)
    outer, last = parts[:-1], parts[-1]

    def walk(here: Fields, run: Run) -> Value:
        record: Value = here
        for part in outer:
            record = record.get(part) if isinstance(record, Mapping) else record
            if record is None:
                return None
        if not isinstance(record, Mapping):
            raise values.bad(record, f"is not a group of fields (in {'.'.join(parts)})")
        return record.get(last)

    return walk


def literal(value: Literal, shape: Shape, exact: bool = True) -> Value:
    """A constant of a file in the internal form of `shape`. Raises Refusal where it cannot be one.

    `exact` constants must fit the shape; others (in comparisons) may be finer.
    """
    match shape.kind, value:
        case Kind.BOOLEAN, bool():
            return value
        case Kind.TEXT, str():
            if shape.symbols and value not in shape.symbols:
                raise values.bad(value, f"is none of its values. {nearest(value, shape.symbols)}")
            return value
        case Kind.DATE, str():
            return values.days(value)
        case Kind.INSTANT, str():
            return values.micros(value, None)
        case Kind.INTEGER, int() if not isinstance(value, bool):
            return values.long(value)
        case Kind.DECIMAL, int() | Decimal() if not isinstance(value, bool):
            if shape.scale is None:
                return Decimal(value)
            if exact:
                return values.unscaled(value, shape.scale, shape.precision, None)
            return Decimal(value).scaleb(shape.scale)
    raise values.bad(value, f"is not {a(shape.kind)}")
