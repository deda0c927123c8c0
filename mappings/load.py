"""Definition files as syntax trees. Every problem of a file is collected; DefinitionError holds them all.

One file is one definition, and its first entry says which: `mapping: name`, `codes: name` or `routes: name`.
"""

from __future__ import annotations

from collections.abc import Mapping as Entries
from typing import Literal, cast

from mappings.codes import CodeTable
from mappings.language import InlineTest, Mapping, Path, Unknown
from mappings.load_conditions import condition
from mappings.load_rules import fields
from mappings.problems import Cause, DefinitionError, Problem
from mappings.reading import Reader, place_of
from mappings.routes import Routing, RoutingRule
from mappings.tree import Table, Tree, parse

DefinitionKind = Literal["mapping", "codes", "routes"]
KINDS = ("mapping", "codes", "routes")
MAX_VERSION = 2**31 - 1
MAPPING = frozenset({"mapping", "version", "from", "to", "destination", "for_each", "only_when", "fields", "sample"})
TEST = frozenset({"name", "given", "context", "references", "expect", "fails", "field", "skipped"})
CAUSES = frozenset(str(cause) for cause in Cause)


def head(text: str, file: str) -> tuple[DefinitionKind, str, int]:
    """The kind, name and version of a definition file. Raises DefinitionError where it does not say them."""
    reader = Reader(file)
    root = reader.table(parse(text, file), "a definition")
    reader.finish()
    kind = next((name for name in KINDS if root.get(name) is not None), None)
    if kind is None:
        remedy = "Begin it with `mapping: name`, `codes: name` or `routes: name`."
        raise DefinitionError([Problem(file, root.line, root.column, "", "the file does not say what it is", remedy)])
    entries = {key.text: value for key, value in root.entries}
    name, version = _name(reader, entries, root, kind)
    reader.finish()
    return cast("DefinitionKind", kind), name, version


def load_mapping(text: str, file: str) -> Mapping:
    """The mapping in `text`. `file` is the name that problems show."""
    reader, root, given = _open(text, file, "a mapping", MAPPING | {"tests"}, {"version", "from", "to", "fields"})
    name, version = _name(reader, given, root, "mapping")
    mapping = Mapping(
        name=name,
        version=version,
        file=file,
        source=_record(reader, given, "from"),
        target=_record(reader, given, "to"),
        source_place=place_of(given.get("from", root)),
        target_place=place_of(given.get("to", root)),
        destination=reader.text(given["destination"], "destination") if "destination" in given else None,
        for_each=_for_each(reader, given["for_each"]) if "for_each" in given else None,
        only_when=condition(reader, given["only_when"]) if "only_when" in given else None,
        fields=fields(reader, given["fields"]) if "fields" in given else (),
        sample=reader.table(given["sample"], "sample") if "sample" in given else None,
        tests=_tests(reader, given["tests"]) if "tests" in given else (),
        place=place_of(root),
    )
    reader.finish()
    return mapping


def load_codes(text: str, file: str) -> CodeTable:
    """The code table in `text`; one file holds one."""
    names = {"codes", "version", "unknown", "rows"}
    reader, root, given = _open(text, file, "a code table", frozenset(names), names)
    name, version = _name(reader, given, root, "codes")
    unknown, default = _unknown(reader, given["unknown"]) if "unknown" in given else ("park", "")
    rows = reader.table(given["rows"], "rows") if "rows" in given else Table((), root.line, root.column)
    found: dict[str, str] = {}
    for key, value in rows.entries:
        with reader.inside(key.text):
            found[key.text] = reader.text(value, "the other side's word")
    if "rows" in given and not found:
        reader.note(place_of(rows), "has no rows", "Write rows: {Low: low, …}.")
    reader.finish()
    return CodeTable(name, version, file, cast("Unknown", unknown), default, found, place_of(root))


def load_routes(text: str, file: str) -> Routing:
    """The release rule and the routes in `text`."""
    names = {"routes", "version", "release_when", "to"}
    reader, root, given = _open(text, file, "routes", frozenset(names), names)
    name, version = _name(reader, given, root, "routes")
    release = condition(reader, given["release_when"]) if "release_when" in given else None
    rules = tuple(_route(reader, each) for each in reader.items(given["to"], "to")) if "to" in given else ()
    reader.finish()
    if release is None:
        raise AssertionError("a missing release_when has been noted")
    return Routing(name, version, file, release, rules, place_of(root))


def _open(
    text: str, file: str, what: str, known: frozenset[str], needed: set[str]
) -> tuple[Reader, Table, Entries[str, Tree]]:
    reader = Reader(file)
    root = reader.table(parse(text, file), what)
    given = reader.entries(root, what, known)
    for name in sorted(needed - set(given)):
        reader.note(place_of(root), f"has no {name!r}", f"{what.capitalize()} needs {', '.join(sorted(needed))}.")
    return reader, root, given


def _name(reader: Reader, given: Entries[str, Tree], root: Table, kind: str) -> tuple[str, int]:
    name = reader.text(given.get(kind, root), f"the name of the {kind}")
    version = reader.whole(given["version"], "version", 1, MAX_VERSION) if "version" in given else 0
    return name, version


def _record(reader: Reader, given: Entries[str, Tree], name: str) -> str:
    if name not in given:
        return "?.?"
    full = reader.text(given[name], f"`{name}`")
    if full != "?" and full.count(".") != 1:
        remedy = "Write for example salesforce.Order or lineshaft.SalesOrder."
        reader.note(place_of(given[name]), f"{name} {full!r} is not <system>.<record>", remedy)
    return full


def _for_each(reader: Reader, node: Tree) -> tuple[str, Path] | None:
    entries = reader.table(node, "for_each").entries
    if len(entries) != 1:
        reader.note(place_of(node), "for_each names not exactly one list", "Write for_each: {line: lines}.")
        return None
    key, value = entries[0]
    return key.text, reader.path(value, "for_each")


def _tests(reader: Reader, node: Tree) -> tuple[InlineTest, ...]:
    return tuple(_test(reader, each) for each in reader.items(node, "tests"))


def _test(reader: Reader, node: Tree) -> InlineTest:
    given = reader.entries(node, "a test", TEST)
    outcomes = [name for name in ("expect", "fails", "skipped") if name in given]
    name = reader.text(given["name"], "name") if "name" in given else ""
    if len(outcomes) != 1:
        said = f"has {' and '.join(outcomes)}" if outcomes else "says nothing about the result"
        reader.note(place_of(node), f"a test {said}", "Write one of: expect: {…}, fails: cause, skipped: true.")
    cause = reader.choice(given["fails"], "the cause", CAUSES) if "fails" in given else None
    skipped = reader.flag(given["skipped"], "skipped") if "skipped" in given else False
    if "field" in given and "fails" not in given:
        reader.note(place_of(given["field"]), "a test names a field, but no failure", "Add fails: cause.")
    return InlineTest(
        name=name,
        given=_optional_table(reader, given, "given"),
        context=_optional_table(reader, given, "context"),
        references=_optional_table(reader, given, "references"),
        expect=given.get("expect"),
        fails=cause or "",
        field=reader.text(given["field"], "field") if "field" in given else "",
        skipped=skipped,
        place=place_of(node),
    )


def _optional_table(reader: Reader, given: Entries[str, Tree], name: str) -> Table | None:
    return reader.table(given[name], name) if name in given else None


def _unknown(reader: Reader, node: Tree) -> tuple[str, str]:
    if isinstance(node, Table):
        given = reader.entries(node, "unknown", frozenset({"default"}))
        return "default", reader.text(given.get("default", node), "the default word")
    return reader.choice(node, "the rule for unknown codes", frozenset({"park", "pass"})) or "park", ""


def _route(reader: Reader, node: Tree) -> RoutingRule:
    given = reader.entries(node, "a route", frozenset({"when", "destination"}))
    when = condition(reader, given["when"]) if "when" in given else None
    if "destination" not in given:
        reader.note(place_of(node), "a route has no destination", "Write destination: plant-a.")
        return RoutingRule(when, "?", place_of(node))
    return RoutingRule(when, reader.text(given["destination"], "destination"), place_of(given["destination"]))
