"""Records as people write them in inline tests, and records as people read them in messages.

Canonical values are written as far ones are: dates and instants as ISO text, decimals with their point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from mappings import values
from mappings.check import Build, literal
from mappings.defaults import defaults
from mappings.language import Place
from mappings.problems import Refusal, nearest
from mappings.shape import Side, shape_of
from mappings.tree import Items, Scalar, Table, Tree
from schemas.document import Field, Kind, Value


class Examples:
    """Reads the examples of one side; what does not belong there is noted in `build`."""

    def __init__(self, side: Side, build: Build) -> None:
        self._side, self._build = side, build
        self._defaults = {} if side.far else defaults(side.name.partition(".")[2])

    def record(self, tree: Table, whole: bool) -> dict[str, Value]:
        """The record of a table. A `whole` one is filled up with its defaults, as the bus would have it."""
        return self._record(tree, self._side.fields, "", whole)

    def nested(self, tree: Table, name: str) -> dict[str, Value]:
        """One whole record of the list `name`."""
        fields = next((field.fields for field in self._side.fields if field.name == name), ())
        return self._record(tree, fields, f"{name}.", True)

    def _record(self, tree: Table, fields: Sequence[Field], prefix: str, whole: bool) -> dict[str, Value]:
        known = {field.name: field for field in fields}
        found: dict[str, Value] = {}
        if whole and not self._side.far:
            found.update({name: cast("Value", self._defaults.get(f"{prefix}{name}")) for name in known})
        for key, node in tree.entries:
            field = known.get(key.text)
            if field is None:
                message = f"an example has {prefix}{key.text}, which {self._side.name} does not"
                self._build.note(Place(key.line, key.column), message, nearest(key.text, known))
                continue
            found[key.text] = self._value(node, field, prefix, whole)
        return found

    def _value(self, node: Tree, field: Field, prefix: str, whole: bool) -> Value:
        inner = f"{prefix}{field.name}."
        match node:
            case Scalar(value) if value is None:
                return None
            case Table() if field.kind is Kind.GROUP:
                return self._record(node, field.fields, inner, whole)
            case Items(items) if field.kind is Kind.LIST:
                tables = [each for each in items if isinstance(each, Table)]
                if len(tables) == len(items):
                    return [self._record(each, field.fields, inner, whole) for each in tables]
            case Items(items) if field.kind is Kind.TEXTS:
                return [each.value for each in items if isinstance(each, Scalar)]
            case Scalar(value) if self._side.far:
                return value
            case Scalar(value):
                return self._literal(node, field)
        if self._side.far:
            return plain(node)
        self._build.note(Place(node.line, node.column), f"an example of {prefix}{field.name} is no {field.kind}")
        return None

    def _literal(self, node: Scalar, field: Field) -> Value:
        try:
            return literal(node.value, shape_of(field, self._side.far))
        except Refusal as refused:
            message = f"an example of {field.name} does not fit: {refused.message}"
            self._build.note(Place(node.line, node.column), message, "Correct the example.")
            return None


def plain(node: Tree) -> Value:
    """A tree as the JSON value that it looks like."""
    match node:
        case Scalar(value):
            return value
        case Items(items):
            return [plain(each) for each in items]
        case Table(entries):
            return {key.text: plain(each) for key, each in entries}


def merged(sample: Table | None, given: Table | None) -> Table:
    """The sample with the top-level entries of one test in their place."""
    if sample is None or given is None:
        return given or sample or Table((), 1, 1)
    own = {key.text for key, _ in given.entries}
    kept = tuple(entry for entry in sample.entries if entry[0].text not in own)
    return Table((*kept, *given.entries), given.line, given.column)


def difference(expected: Value, made: Value, fields: Sequence[Field], far: bool, path: str = "") -> str | None:
    """The first place where a made record is not as expected; only what is expected is compared."""
    if isinstance(expected, Mapping) and isinstance(made, Mapping):
        known = {field.name: field for field in fields}
        for name, value in expected.items():
            field = known.get(name, Field(name))
            found = _differs(value, made.get(name), field, far, f"{path}{name}")
            if found is not None:
                return found
    return None


def _differs(expected: Value, made: Value, field: Field, far: bool, path: str) -> str | None:
    if field.kind is Kind.LIST and _is_list(expected) and _is_list(made):
        rows, found = cast("Sequence[Value]", expected), cast("Sequence[Value]", made)
        if len(rows) != len(found):
            return f"makes {len(found)} of {path}, but {len(rows)} are expected"
        pairs = enumerate(zip(rows, found, strict=True))
        inner = (difference(a, b, field.fields, far, f"{path}[{index}].") for index, (a, b) in pairs)
        return next((each for each in inner if each is not None), None)
    if field.kind is Kind.GROUP and isinstance(expected, Mapping) and isinstance(made, Mapping):
        return difference(expected, made, field.fields, far, f"{path}.")
    if expected == made and isinstance(expected, bool) == isinstance(made, bool):
        return None
    return f"makes {path} {readable(made, field, far)}, but {readable(expected, field, far)} is expected"


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def readable(value: Value, field: Field, far: bool) -> str:
    """A value as an administrator writes it."""
    if value is None:
        return "nothing"
    if far or not isinstance(value, int) or isinstance(value, bool):
        return values.shown(str(value).lower() if isinstance(value, bool) else value)
    match field.kind:
        case Kind.DECIMAL:
            return values.text_of(values.decimal(value, field.scale))
        case Kind.DATE:
            return values.date_text(value)
        case Kind.INSTANT:
            return values.instant_text(value)
        case _:
            return str(value)
