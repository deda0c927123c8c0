"""The checks of `lineshaft check`, in the order in which a person would mend what they find.

config → definitions → connectors → Kafka → topics → live definitions → clock → open orders; what cannot be looked at
because something before it is wrong is told as not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from connectors.errors import FarError
from deploy.definition_gaps import gaps
from deploy.exits import FOUND, WRONG
from deploy.far_checks import far_sides
from deploy.findings import Finding, bad, good, not_checked, of_error, of_project
from deploy.project import Project, load_project
from deploy.project_problems import ProjectError
from deploy.wiring import bus_of, drafts
from mappings import DefinitionError, DefinitionFile, Findings, compile_plan, examine
from schemas.document import DocumentType
from streams.bus import Bus, document_types, sink_names
from streams.checks import Resolution, check_clock, resolution
from streams.definition_changes import drafts_that_differ
from streams.definitions import live_files
from streams.kafka import topics

SHOWN = 20
UP = "Start the bus with `lineshaft up`"


def checked(folder: Path) -> list[Finding]:
    """Everything that was found about the project in `folder`."""
    try:
        project = load_project(folder)
    except ProjectError as error:
        found = [of_project(each) for each in error.problems]
        return [*found, not_checked("the rest", "it needs a lineshaft.yaml without problems")]
    return [*_project(project), *_definitions(project), *far_sides(project), *_kafka(project)]


def _project(project: Project) -> Iterator[Finding]:
    names = ", ".join(project.connectors) or "no connectors"
    yield good("config", "lineshaft.yaml", f"{names}; every secret is there")


def _definitions(project: Project) -> Iterator[Finding]:
    try:
        files, types = drafts(project), document_types(project.connectors)
        findings = examine(files, types, sink_names(project.connectors))
    except (DefinitionError, FarError) as error:
        yield from _of_definitions(error)
        return
    yield from _of_findings(findings)
    if findings.good:
        tests = len(findings.outcomes)
        yield good("definitions", "drafts", f"{len(files)} files fit the connectors, {tests} tests pass")
        yield from _gaps(project, files, types)


def _gaps(project: Project, files: Sequence[DefinitionFile], types: Mapping[str, DocumentType]) -> Sequence[Finding]:
    try:
        return list(gaps(project.connectors, files, types))
    except FarError as error:
        return [of_error("definitions", "documents", error)]


def _of_definitions(error: DefinitionError | FarError, check: str = "definitions") -> Iterator[Finding]:
    if isinstance(error, FarError):
        yield of_error(check, "documents", error)
        return
    for each in error.problems:
        yield bad(check, f"{each.file}:{each.line}", f"{each.field} {each.message}".strip(), each.remedy, WRONG)


def _of_findings(findings: Findings) -> Iterator[Finding]:
    yield from _of_definitions(DefinitionError(findings.problems))
    for each in findings.outcomes:
        if not each.passed:
            where = f"{each.file}:{each.line}"
            yield bad("definitions", where, f"the test {each.name!r} fails: {each.message}", "Mend one of the two.")
    for name in findings.unchecked:
        yield good("definitions", name, "is of a system that has no connector here, and is not used")


def _kafka(project: Project) -> Iterator[Finding]:
    try:
        bus = bus_of(project)
    except Exception as error:  # a defect is raised again by of_error
        yield of_error("kafka", "cluster", error)
        yield not_checked("topics, live definitions, clock, open orders", "they need Kafka")
        return
    yield good("kafka", bus.cluster.bootstrap, "answers")
    wrong = _topics(bus)
    yield from wrong or [good("topics", f"{len(bus.topics)} topics", "are as planned")]
    if wrong:
        yield not_checked("live definitions, clock, open orders", "they need the topics")
        return
    live = live_files(bus.cluster)
    yield from _live(project, live)
    yield _clock(bus)
    yield from _orders(project, bus, live)


def _topics(bus: Bus) -> list[Finding]:
    planned = topics.plan(bus.cluster, bus.topics)
    found = [bad("topics", each.topic.name, each.reason, "", WRONG) for each in planned if each.action == "refused"]
    missing = [each.topic.name for each in planned if each.action == "create"]
    if missing:
        names = f"{', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}"
        found.append(bad("topics", f"{len(missing)} of {len(planned)}", f"are not made: {names}", f"{UP}."))
    return found


def _live(project: Project, live: Sequence[DefinitionFile]) -> Iterator[Finding]:
    if not live:
        yield bad("live definitions", "", "nothing is live on this bus", f"{UP}, which activates the drafts.")
        return
    try:
        different = drafts_that_differ(live, drafts(project))
        compile_plan(live, document_types(project.connectors), sink_names(project.connectors))
    except (DefinitionError, FarError) as error:
        yield from _of_definitions(error, "live definitions")
        return
    for name in different:
        remedy = "The live version stays in force: take the change back, or `lineshaft mapping activate` it."
        yield bad("live definitions", name, "the draft differs from what is live and is not used", remedy, FOUND)
    if not different:
        yield good("live definitions", f"{len(live)} files", "are the drafts, word for word")


def _clock(bus: Bus) -> Finding:
    try:
        check_clock(bus)
    except Exception as error:  # a defect is raised again by of_error
        return of_error("clock", "this machine", error)
    return good("clock", "this machine", "agrees with the broker's within 5 s")


def _orders(project: Project, bus: Bus, live: Sequence[DefinitionFile]) -> Iterator[Finding]:
    try:
        plan = compile_plan(live or drafts(project), document_types(project.connectors))
    except (DefinitionError, FarError):
        yield not_checked("open orders", "they need definitions without problems")
        return
    yield _resolving(resolution(bus, plan))


def _resolving(found: Resolution) -> Finding:
    if not found.lines:
        return good("open orders", "none", "nothing is released and not finished")
    fine = found.lines - len(found.unresolved)
    share = (
        f"{fine} of {found.lines} lines of {found.orders} open orders would resolve ({fine * 100 // found.lines} %)"
    )
    if not found.unresolved:
        return good("open orders", str(found.orders), share)
    reasons = sorted({f"{each.item}: {each.reason}" for each in found.unresolved})
    listed = f"{'; '.join(reasons[:SHOWN])}{'; …' if len(reasons) > SHOWN else ''}"
    remedy = "Add the items to the reference data, or a route for their site; what waits is then redriven."
    return bad("open orders", f"{len(found.items)} items", f"{share}; not: {listed}", remedy, FOUND)
