"""When an order may be made, and where each of its lines goes.

```yaml
routes: orders
version: 1
release_when: {released: true}            # about the SalesOrder; there is no default
to:                                       # the first that holds; about order.*, line.* and item.*
  - {when: {item.site: plant-a}, destination: plant-a}
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mappings.check import Build, Scope
from mappings.conditions import Holds, compiled
from mappings.context import Context, NoReferences, Run
from mappings.language import Condition, Place
from mappings.problems import Cause, MappingFailed, Refusal
from mappings.shape import Side
from schemas.document import Field, Fields, Kind
from schemas.event import Record
from schemas.shapes import described

NOWHERE = Context("", "", "", 0, "", NoReferences())


@dataclass(frozen=True)
class RoutingRule:
    """One route; without `when` it takes every line that came so far."""

    when: Condition | None
    destination: str
    place: Place


@dataclass(frozen=True)
class Routing:
    """One routes file."""

    name: str
    version: int
    file: str
    release_when: Condition
    rules: tuple[RoutingRule, ...]
    place: Place


@dataclass(frozen=True)
class Routes:
    """The live release rule and routes."""

    _release: Holds | None
    _rules: tuple[tuple[Holds | None, str], ...]

    @property
    def destinations(self) -> frozenset[str]:
        """Every destination that a route names."""
        return frozenset(destination for _, destination in self._rules)

    def release(self, order: Record) -> bool:
        """Whether this SalesOrder may be made now. Without a routes file nothing may."""
        try:
            return self._release is not None and self._release(order, Run(order, NOWHERE))
        except Refusal as refused:
            raise MappingFailed("release_when", refused.cause, refused.message) from refused

    def destination(self, order: Record, line: Record, item: Record | None) -> str | None:
        """The destination of the first route that holds for this line; None where none does.

        `item` is the line's Item; conditions on an item that is not known find its fields missing.
        """
        here: Fields = {"order": order, "line": line, "item": item}
        run = Run(here, NOWHERE)
        try:
            return next((to for holds, to in self._rules if holds is None or holds(here, run)), None)
        except Refusal as refused:
            raise MappingFailed("to", Cause.BAD_VALUE, refused.message) from refused


NO_ROUTES = Routes(None, ())


def compile_routes(routing: Routing, build: Build, destinations: Sequence[str] | None = None) -> Routes:
    """The rules as functions. `destinations` are the sinks there are, where that is known."""
    order = Side("lineshaft.SalesOrder", described("SalesOrder").fields, False)
    with build.inside("release_when"):
        release = compiled(routing.release_when, Scope(build, order, {}))
    line = next(field for field in order.fields if field.name == "lines")
    scope = Scope(build, Side("a route", _records(line.fields), False), {})
    rules: list[tuple[Holds | None, str]] = []
    for rule in routing.rules:
        with build.inside("to"):
            _check_destination(rule, build, destinations)
            rules.append((compiled(rule.when, scope) if rule.when is not None else None, rule.destination))
    return Routes(release, tuple(rules))


def _records(line: tuple[Field, ...]) -> tuple[Field, ...]:
    fields = {"order": described("SalesOrder").fields, "line": line, "item": described("Item").fields}
    return tuple(Field(name, Kind.GROUP, each, required=name != "item") for name, each in fields.items())


def _check_destination(rule: RoutingRule, build: Build, destinations: Sequence[str] | None) -> None:
    if destinations is not None and rule.destination not in destinations:
        message = f"goes to {rule.destination!r}, which is no sink of the project"
        build.note(rule.place, message, f"Sinks: {', '.join(sorted(destinations)) or 'none'}.")
