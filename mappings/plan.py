"""Everything that is live, compiled together: all mappings, code tables and routes of one activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mappings import language
from mappings.check import Build
from mappings.codes import CodeTable
from mappings.compile import Compiled, compile_mapping
from mappings.files import DefinitionFile
from mappings.language import Place
from mappings.load import load_codes, load_mapping, load_routes
from mappings.problems import DefinitionError, Problem, nearest
from mappings.routes import NO_ROUTES, Routes, Routing, compile_routes
from mappings.shape import Side, side
from schemas.catalog import NAMESPACE, UnknownRecord, record_names
from schemas.document import DocumentType
from schemas.identity import content_hash
from schemas.shapes import described

Loaded = TypeVar("Loaded", language.Mapping, CodeTable, Routing)


@dataclass(frozen=True)
class Definitions:
    """The files of one activation as syntax trees, names unique within each kind."""

    mappings: tuple[language.Mapping, ...]
    codes: Mapping[str, CodeTable]
    routing: Routing | None


@dataclass(frozen=True)
class Plan:
    """The live definitions. `id` names the activation: a hash over all its files, the ignored ones too."""

    id: str
    mappings: tuple[Compiled, ...]
    routes: Routes

    def from_document(self, document_type: str) -> Compiled | None:
        """The mapping of a far document (`salesforce.Order`) to its canonical record."""
        return next((each for each in self.mappings if each.mapping.source == document_type), None)

    def to_document(self, record: str, system: str, destination: str) -> Compiled | None:
        """The mapping of a canonical record (`OrderStatus`) to a document of a sink's system (`salesforce`)."""
        return _own([each for each in self._from(f"{NAMESPACE}.{record}") if each.system == system], destination)

    def between(self, record_from: str, record_to: str, destination: str) -> Compiled | None:
        """The mapping between two canonical records: the destination's own, else the one that serves all."""
        target = f"{NAMESPACE}.{record_to}"
        found = [each for each in self._from(f"{NAMESPACE}.{record_from}") if each.mapping.target == target]
        return _own(found, destination)

    def _from(self, source: str) -> Sequence[Compiled]:
        return [each for each in self.mappings if each.mapping.source == source]


def _own(found: Sequence[Compiled], destination: str) -> Compiled | None:
    """The destination's own mapping, else the one that serves all."""
    own = next((each for each in found if each.mapping.destination == destination), None)
    return own or next((each for each in found if each.mapping.destination is None), None)


def plan_id(files: Sequence[DefinitionFile]) -> str:
    """The id of an activation of exactly these files, whatever their order."""
    return content_hash(sorted([each.kind, each.name, each.content_hash] for each in files))


def compile_plan(
    files: Sequence[DefinitionFile],
    document_types: Mapping[str, DocumentType],
    destinations: Sequence[str] | None = None,
) -> Plan:
    """Check and compile all files together; raises DefinitionError with every problem of all of them.

    `document_types` are those of the configured connectors (`salesforce.Order`). A mapping of a system that is not
    among them is left out: its connector is not configured. `destinations` are the sinks there are, where that is
    known; routes to others are problems.
    """
    problems: list[Problem] = []
    definitions = load_all(files, problems)
    made = [compile_one(each, definitions.codes, document_types, problems) for each in definitions.mappings]
    routes = NO_ROUTES
    if definitions.routing is not None:
        build = Build(definitions.routing.file, {})
        routes = compile_routes(definitions.routing, build, destinations)
        problems.extend(build.problems)
    check_unique(definitions.mappings, problems)
    check_destinations(definitions.mappings, destinations, problems)
    if problems:
        raise DefinitionError(problems)
    return Plan(plan_id(files), tuple(each for each in made if each is not None), routes)


def load_all(files: Sequence[DefinitionFile], problems: list[Problem]) -> Definitions:
    """The syntax trees of all files that can be read; what is wrong with the others is added to `problems`.

    Raises DefinitionError where a code table cannot be read: mappings are not to be blamed for missing it.
    """
    codes = _loaded(files, "codes", load_codes, problems)
    broken = bool(problems)
    mappings = _loaded(files, "mapping", load_mapping, problems)
    routing = _loaded(files, "routes", load_routes, problems)
    for second in routing[1:]:
        message = f"these are second routes beside those of {routing[0].file}"
        problems.append(Problem(second.file, 1, 1, "", message, "Keep all routes in one file."))
    if broken:
        raise DefinitionError(problems)
    return Definitions(tuple(mappings), {each.name: each for each in codes}, routing[0] if routing else None)


def _loaded(
    files: Sequence[DefinitionFile], kind: str, load: Callable[[str, str], Loaded], problems: list[Problem]
) -> list[Loaded]:
    found: dict[str, Loaded] = {}
    for each in files:
        if each.kind != kind:
            continue
        try:
            loaded = load(each.text, each.file)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        if loaded.name in found:
            message = f"the {kind} {loaded.name!r} is already defined by {found[loaded.name].file}"
            problems.append(Problem(each.file, 1, 1, "", message, "Rename or remove one of the two."))
        found.setdefault(loaded.name, loaded)
    return list(found.values())


def compile_one(
    mapping: language.Mapping,
    codes: Mapping[str, CodeTable],
    document_types: Mapping[str, DocumentType],
    problems: list[Problem],
) -> Compiled | None:
    """One mapping against its two sides; None where its system is not configured or a problem was found."""
    if not configured(mapping, document_types):
        return None
    build = Build(mapping.file, codes)
    source, target = sides(mapping, document_types, build)
    made = compile_mapping(mapping, source, target, build) if source and target else None
    problems.extend(build.problems)
    return made if not build.problems else None


def sides(
    mapping: language.Mapping, document_types: Mapping[str, DocumentType], build: Build
) -> tuple[Side | None, Side | None]:
    """What a mapping reads and what it makes; None, and a problem in `build`, where there is no such record."""
    source = _side(mapping.source, mapping.source_place, "from", document_types, build)
    return source, _side(mapping.target, mapping.target_place, "to", document_types, build)


def configured(mapping: language.Mapping, document_types: Mapping[str, DocumentType]) -> bool:
    """Whether both systems of a mapping are among the document types."""
    systems = {NAMESPACE} | {name.partition(".")[0] for name in document_types}
    return all(name.partition(".")[0] in systems for name in (mapping.source, mapping.target))


def _side(
    name: str, place: Place, entry: str, document_types: Mapping[str, DocumentType], build: Build
) -> Side | None:
    system, _, record = name.partition(".")
    if system == NAMESPACE:
        try:
            return side(name, described(record), far=False)
        except UnknownRecord:
            known = [f"{NAMESPACE}.{each}" for each in record_names()]
    elif name in document_types:
        return side(name, document_types[name], far=True)
    else:
        known = [each for each in document_types if each.startswith(f"{system}.")]
    with build.inside(entry):
        remedy = f"{nearest(name, known)} A mapping that nothing here needs can be taken away."
        build.note(place, f"names {name!r}, which there is not", remedy)
    return None


def check_unique(mappings: Sequence[language.Mapping], problems: list[Problem]) -> None:
    """Note each mapping that does what another one does already."""
    first: dict[tuple[str, str, str | None], language.Mapping] = {}
    for each in mappings:
        far_source = not each.source.startswith(f"{NAMESPACE}.")
        target = "" if far_source else _what(each.target)
        key = (each.source, target, each.destination)
        if key in first:
            message = f"maps {each.source} to {each.target}, as {first[key].name} in {first[key].file} does"
            remedy = "Keep one, or give one a `destination`."
            problems.append(Problem(each.file, each.place.line, each.place.column, each.name, message, remedy))
        first.setdefault(key, each)


def check_destinations(
    mappings: Sequence[language.Mapping], destinations: Sequence[str] | None, problems: list[Problem]
) -> None:
    """Note each mapping that is for a sink that there is not: it would never be used."""
    for each in mappings:
        if destinations is not None and each.destination is not None and each.destination not in destinations:
            message = f"is for {each.destination!r}, which is no sink of the project"
            remedy = f"Sinks: {', '.join(sorted(destinations)) or 'none'}."
            problems.append(Problem(each.file, each.place.line, each.place.column, "destination", message, remedy))


def _what(target: str) -> str:
    """A canonical record's name, or only the system of a far one: a plan holds one document per record and system."""
    system = target.partition(".")[0]
    return target if system == NAMESPACE else system
