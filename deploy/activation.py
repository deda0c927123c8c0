"""What is made live: drafts that were chosen, or all, or an earlier activation; checked before anything changes."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.exits import Refused
from mappings import DefinitionError, DefinitionFile, examine
from mappings.problems import nearest
from streams.bus import Bus
from streams.definition_changes import reused_versions
from streams.definitions import Activation


def check(bus: Bus, files: Sequence[DefinitionFile]) -> None:
    """Raise DefinitionError where they do not fit each other or the connectors, Refused where a test fails."""
    findings = examine(files, bus.document_types, bus.sinks)
    if findings.problems:
        raise DefinitionError(findings.problems)
    failed = [each for each in findings.outcomes if not each.passed]
    if failed:
        each = failed[0]
        raise Refused(
            f"{each.file}:{each.line}: mapping {each.mapping}: its test {each.name!r} fails: {each.message}.",
            "See `lineshaft mapping test`.",
        )


def check_versions(past: Sequence[Activation], files: Sequence[DefinitionFile]) -> None:
    """Raise Refused where a version was live before with another content."""
    reused = reused_versions([file for each in past for file in each.files], files)
    if reused:
        each = reused[0]
        raise Refused(
            f"{each.file}: {each.kind} {each.name}: version {each.version} was live before with another content.",
            f"Give it a version of its own, for example `version: {_unused(past, each)}`.",
        )


def _unused(past: Sequence[Activation], wanted: DefinitionFile) -> int:
    used = [f.version for each in past for f in each.files if (f.kind, f.name) == (wanted.kind, wanted.name)]
    return max(used) + 1


def chosen(
    live: Sequence[DefinitionFile], drafts: Sequence[DefinitionFile], names: Sequence[str]
) -> list[DefinitionFile]:
    """What is live, with the drafts of these names in the place of it. Raises Refused for a name without a draft."""
    known = {each.name for each in drafts}
    for name in names:
        if name not in known:
            raise Refused(f"there is no draft named {name!r}.", nearest(name, sorted(known)))
    taken = [each for each in drafts if each.name in names]
    replaced = {(each.kind, each.name) for each in taken}
    return [*(each for each in live if (each.kind, each.name) not in replaced), *taken]


def earlier(past: Sequence[Activation], definition: str) -> Activation:
    """The activation of that id, or of the one id that begins so. Raises Refused."""
    found = [each for each in past if definition and each.definition.startswith(definition)]
    if len(found) != 1:
        problem = "more than one activation begins so" if found else "there is no such activation"
        raise Refused(f"--definition {definition}: {problem}.", "`lineshaft mapping history` lists them.")
    return found[0]
