"""Every place where foreign input comes in, and its share of the inputs."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fuzz import definition_files, far_jiandaoyun, far_salesforce, on_the_bus, pushes, salesforce_events
from tests.fuzz.case import Surface

SURFACES: Sequence[Surface] = (
    Surface("codec", 20, on_the_bus.codec),
    Surface("pipeline", 15, on_the_bus.pipeline_input),
    Surface("commands", 3, on_the_bus.commands),
    Surface("webhook", 12, pushes.webhook),
    Surface("ingress", 5, pushes.ingress),
    Surface("jiandaoyun-source", 8, far_jiandaoyun.source),
    Surface("jiandaoyun-sink", 7, far_jiandaoyun.sink),
    Surface("salesforce-reads", 8, far_salesforce.reads),
    Surface("salesforce-sink", 5, far_salesforce.sink),
    Surface("salesforce-login", 3, far_salesforce.login),
    Surface("salesforce-events", 5, salesforce_events.events),
    Surface("definitions", 5, definition_files.definitions),
    Surface("project", 2, definition_files.projects),
    Surface("reference-files", 2, definition_files.reference_files),
)


def shares(cases: int, surfaces: Sequence[Surface] = SURFACES) -> dict[str, int]:
    """How many of all cases each surface gets; none gets nothing."""
    whole = sum(each.share for each in surfaces)
    return {each.name: max(1, cases * each.share // whole) for each in surfaces}
