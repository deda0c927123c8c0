"""One field's rule as YAML: `{from: Quantity, as: decimal, scale: 6, required: true}`.

A rule names exactly one input and any number of steps. The steps run in the order of the operations table, not in
that of the file, so that two files with the same entries mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mappings.language import (
    As,
    Branch,
    Call,
    Choose,
    Code,
    Concat,
    Const,
    Default,
    Each,
    FieldRule,
    FirstOf,
    Group,
    Holds,
    Input,
    Link,
    ListOf,
    Lookup,
    Must,
    Owner,
    Path,
    Place,
    Read,
    Redact,
    Required,
    Rule,
    Split,
    Step,
    Unknown,
)
from mappings.load_conditions import condition, tests
from mappings.reading import Reader, place_of
from mappings.tree import Items, Scalar, Table, Tree
from mappings.values import ROUNDINGS
from schemas.document import Kind

Given = Mapping[str, Tree]

KINDS = frozenset({Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN, Kind.DATE, Kind.INSTANT})
OWNERS: Mapping[str, Owner] = {"crm": "crm", "mes": "mes", "first": "first", "bus": "bus"}
UNKNOWN: Mapping[str, Unknown] = {"park": "park", "pass": "pass"}


def fields(reader: Reader, node: Tree) -> tuple[FieldRule, ...]:
    """The rules of all fields of a record."""
    found = reader.table(node, "fields")
    if isinstance(node, Table) and not node.entries:
        reader.note(place_of(node), "names no field", "Write one line for each field of the target.")
    rules: list[FieldRule] = []
    for key, value in found.entries:
        with reader.inside(key.text):
            rules.append(_field(reader, key.text, Place(key.line, key.column), value))
    return tuple(rules)


def _field(reader: Reader, name: str, place: Place, node: Tree) -> FieldRule:
    if not isinstance(node, Table):
        return FieldRule(name, rule(reader, node), "bus", place)
    word = node.get("owner")
    if word is None:
        return FieldRule(name, rule(reader, node), "bus", place)
    owner = OWNERS.get(reader.choice(word, "the owner", frozenset(OWNERS)) or "bus", "bus")
    rest = Table(tuple(entry for entry in node.entries if entry[0].text != "owner"), node.line, node.column)
    return FieldRule(name, rule(reader, rest) if rest.entries else None, owner, place)


def rule(reader: Reader, node: Tree) -> Rule:
    """A rule; a plain text is short for `{from: text}`."""
    if isinstance(node, Scalar):
        return Rule(Read(reader.path(node, "a path")), None, (), place_of(node))
    given = reader.entries(node, "a rule", NAMES)
    named = [name for name in INPUTS if name in given]
    condition_node = given.get("when")
    when = condition(reader, condition_node) if condition_node is not None else None
    steps = tuple(STEPS[name](reader, given[name], given) for name in STEPS if name in given)
    _check_companions(reader, given)
    if when is not None and not named:
        return Rule(Holds(when), None, steps, place_of(node))
    return Rule(_input(reader, node, given, named), when, steps, place_of(node))


def _input(reader: Reader, node: Tree, given: Given, named: list[str]) -> Input:
    if "each" in named and "fields" in named:
        named.remove("fields")
    if len(named) == 1:
        return INPUTS[named[0]](reader, given[named[0]], given)
    said = f"has the inputs {' and '.join(named)}; one is allowed" if named else "has no input"
    if isinstance(node, Table) and (named or all(key.text in NAMES for key, _ in node.entries)):
        reader.note(place_of(node), said, f"Write one of: {', '.join(INPUTS)}.")
    return Const(None, place_of(node))


def _check_companions(reader: Reader, given: Given) -> None:
    for name, partners in COMPANIONS.items():
        if name in given and not any(partner in given for partner in partners):
            wanted = " or ".join(partners)
            reader.note(place_of(given[name]), f"has {name!r} without {wanted}", f"Add {wanted} or remove {name}.")


def _read(reader: Reader, node: Tree, _: Given) -> Input:
    return Read(reader.path(node, "from"))


def _const(reader: Reader, node: Tree, _: Given) -> Input:
    return Const(reader.scalar(node, "const").value, place_of(node))


def _first_of(reader: Reader, node: Tree, _: Given) -> Input:
    return FirstOf(tuple(rule(reader, each) for each in reader.items(node, "first_of")))


def _concat(reader: Reader, node: Tree, given: Given) -> Input:
    between = given.get("separator")
    value = reader.scalar(between, "separator").value if between is not None else ""
    if not isinstance(value, str):
        reader.note(place_of(between or node), "separator must be a text", 'Write it in quotes: separator: "0".')
    return Concat(tuple(rule(reader, each) for each in reader.items(node, "concat")), str(value))


def _choose(reader: Reader, node: Tree, _: Given) -> Input:
    items = reader.items(node, "choose")
    return Choose(tuple(_branch(reader, each, each is items[-1]) for each in items))


def _branch(reader: Reader, node: Tree, last: bool) -> Branch:
    given = reader.entries(node, "a branch", frozenset({"when", "then", "otherwise"}))
    place = place_of(node)
    if set(given) == {"otherwise"} and last:
        return Branch(None, rule(reader, given["otherwise"]), place)
    if set(given) == {"when", "then"}:
        return Branch(condition(reader, given["when"]), rule(reader, given["then"]), place)
    reader.note(place, "has a branch that is not complete", "Write {when: …, then: …}; last may be {otherwise: …}.")
    return Branch(None, Rule(Const(None, place), None, (), place), place)


def _call(reader: Reader, node: Tree, given: Given) -> Input:
    args = reader.items(given["args"], "args") if "args" in given else ()
    return Call(reader.text(node, "function"), tuple(rule(reader, each) for each in args), place_of(node))


def _each(reader: Reader, node: Tree, given: Given) -> Input:
    where = given.get("where")
    if "fields" not in given:
        reader.note(place_of(node), "says each, but not what to make of each", "Add `fields:`.")
    filtered = condition(reader, where) if where is not None else None
    return Each(reader.path(node, "each"), filtered, fields(reader, given["fields"]) if "fields" in given else ())


def _list(reader: Reader, node: Tree, _: Given) -> Input:
    return ListOf(tuple(fields(reader, each) for each in reader.items(node, "list")))


def _group(reader: Reader, node: Tree, _: Given) -> Input:
    return Group(fields(reader, node))


def _split(reader: Reader, node: Tree, _: Given) -> Step:
    given = reader.entries(node, "split", frozenset({"by", "take"}))
    take = reader.whole(given["take"], "take", -100, 100) if "take" in given else 1
    if take == 0:
        reader.note(place_of(node), "takes part 0; parts count from 1, from the end with -1", "Write take: 1.")
    return Split(reader.text(given.get("by", node), "split's `by`"), take, place_of(node))


def _as(reader: Reader, node: Tree, given: Given) -> Step:
    kind = reader.choice(node, "the kind", frozenset(KINDS))
    scale = reader.whole(given["scale"], "scale", 0, 18) if "scale" in given else None
    rounding = reader.choice(given["rounding"], "the rounding", frozenset(ROUNDINGS)) if "rounding" in given else None
    zone = reader.text(given["zone"], "zone") if "zone" in given else None
    return As(Kind(kind or "text"), scale, rounding, zone, place_of(node))


def _code(reader: Reader, node: Tree, _: Given) -> Step:
    if isinstance(node, Scalar):
        return Code(reader.text(node, "code"), False, place_of(node))
    given = reader.entries(node, "code", frozenset({"table", "inverse"}))
    inverse = "inverse" in given and reader.flag(given["inverse"], "inverse")
    return Code(reader.text(given.get("table", node), "code's `table`"), inverse, place_of(node))


def _link(reader: Reader, node: Tree, _: Given) -> Step:
    given = reader.entries(node, "link", frozenset({"kind", "from", "to", "unknown"}))
    kind, system, to_system = (
        reader.text(given.get(name, node), f"link's `{name}`") for name in ("kind", "from", "to")
    )
    return Link(kind, system, to_system, _unknown(reader, given), place_of(node))


def _lookup(reader: Reader, node: Tree, _: Given) -> Step:
    given = reader.entries(node, "lookup", frozenset({"ref", "take", "unknown"}))
    take = given.get("take", node)
    names = reader.items(take, "take") if isinstance(take, Items) else (take,)
    paths = tuple(Path(reader.text(each, "lookup's `take`"), place_of(each)) for each in names)
    ref = reader.text(given.get("ref", node), "lookup's `ref`")
    return Lookup(ref, paths, _unknown(reader, given), place_of(node))


def _unknown(reader: Reader, given: Given) -> Unknown:
    if "unknown" not in given:
        return "park"
    return UNKNOWN.get(reader.choice(given["unknown"], "the rule for unknown ones", frozenset(UNKNOWN)) or "", "park")


def _redact(reader: Reader, node: Tree, _: Given) -> Step:
    value = node.value if isinstance(node, Scalar) else None
    if value is not True and value != "hash":
        reader.note(place_of(node), "redacts in an unknown way", "Write redact: true or redact: hash.")
    return Redact(value == "hash", place_of(node))


def _must(reader: Reader, node: Tree, _: Given) -> Step:
    return Must(tests(reader, Path("the value", place_of(node)), node), place_of(node))


def _default(reader: Reader, node: Tree, _: Given) -> Step:
    value = reader.scalar(node, "default").value
    if value is None and isinstance(node, Scalar):
        reader.note(place_of(node), "has an empty default", "Name a value or remove `default`.")
    return Default(value, place_of(node))


def _required(reader: Reader, node: Tree, _: Given) -> Step:
    if not (isinstance(node, Scalar) and node.value is True):
        reader.note(place_of(node), "says required, but not true", "Write required: true or remove it.")
    return Required(place_of(node))


INPUTS: Mapping[str, Callable[[Reader, Tree, Given], Input]] = {
    "from": _read,
    "const": _const,
    "first_of": _first_of,
    "concat": _concat,
    "choose": _choose,
    "function": _call,
    "each": _each,
    "list": _list,
    "fields": _group,
}
STEPS: Mapping[str, Callable[[Reader, Tree, Given], Step]] = {
    "split": _split,
    "as": _as,
    "code": _code,
    "link": _link,
    "lookup": _lookup,
    "redact": _redact,
    "default": _default,
    "must": _must,
    "required": _required,
}
COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "scale": ("as",),
    "rounding": ("as",),
    "zone": ("as",),
    "separator": ("concat",),
    "args": ("function",),
    "where": ("each",),
}
NAMES = frozenset({*INPUTS, *STEPS, *COMPANIONS, "when", "owner"})

__all__ = ["COMPANIONS", "INPUTS", "NAMES", "STEPS", "fields", "rule"]
