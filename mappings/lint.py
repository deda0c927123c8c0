"""Everything that can be said about definitions without a bus: wrong entries, missing tests, tests that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings import inline_tests
from mappings.check import Build
from mappings.files import DefinitionFile
from mappings.inline_tests import Outcome
from mappings.plan import Definitions, check_destinations, check_unique, compile_one, configured, load_all
from mappings.problems import DefinitionError, Problem
from mappings.routes import compile_routes
from schemas.document import DocumentType


@dataclass(frozen=True)
class Findings:
    """What was found. `unchecked` are the names of mappings whose system is not among the document types."""

    problems: tuple[Problem, ...]
    outcomes: tuple[Outcome, ...]
    unchecked: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is to be done."""
        return not self.problems and all(outcome.passed for outcome in self.outcomes)


def examine(
    files: Sequence[DefinitionFile],
    document_types: Mapping[str, DocumentType],
    destinations: Sequence[str] | None = None,
) -> Findings:
    """Check all files together and run their tests; a mapping with a problem is not run."""
    problems: list[Problem] = []
    try:
        definitions = load_all(files, problems)
    except DefinitionError as error:
        return Findings(error.problems, (), ())
    check_unique(definitions.mappings, problems)
    check_destinations(definitions.mappings, destinations, problems)
    if definitions.routing is not None:
        build = Build(definitions.routing.file, {})
        compile_routes(definitions.routing, build, destinations)
        problems.extend(build.problems)
    outcomes = _mappings(definitions, document_types, problems)
    unchecked = tuple(each.name for each in definitions.mappings if not configured(each, document_types))
    return Findings(DefinitionError(problems).problems, tuple(outcomes), unchecked)


def _mappings(
    definitions: Definitions, document_types: Mapping[str, DocumentType], problems: list[Problem]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for mapping in definitions.mappings:
        if compile_one(mapping, definitions.codes, document_types, problems) is None:
            continue
        try:
            report = inline_tests.run(mapping, definitions, document_types)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        outcomes.extend(report.outcomes)
        problems.extend(report.missing)
    return outcomes
