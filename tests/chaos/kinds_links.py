"""Faults of the network: any connection between two parts cut, stalled or reset by the proxy in it."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.chaos.kind import Kind, Strike
from tests.chaos.kinds_roles import TWINS
from tests.chaos.proxy import Whose, everybody
from tests.chaos.sockets import PortsOf
from tests.chaos.world import World

PLAIN = ("salesforce-rest", "salesforce-feed", "jiandaoyun-api", "ingress")
TO_KAFKA = (*TWINS, "ingress")
HOLD_S = (1.0, 4.0)


def cut(names: Callable[[World], list[str]], role: str = "") -> Callable[[World, random.Random], Strike]:
    def strike(on: World, dice: random.Random) -> Strike:
        links = [on.proxies.links[name] for name in names(on)]
        before = sum(link.cuts for link in links)
        whose = _of(on, role)
        for link in links:
            on.proxies.cut(link.name, whose)

        def felt() -> str:
            count = sum(link.cuts for link in links) - before
            return f"{count} connections cut" if count else ""

        def heal() -> None:
            for link in links:
                on.proxies.let(link.name)

        return Strike(role or links[0].name, felt, heal, hold_s=dice.uniform(*HOLD_S), lasting=True)

    return strike


def stalled(name: str) -> Callable[[World, random.Random], Strike]:
    def strike(on: World, dice: random.Random) -> Strike:
        link = on.proxies.links[name]
        before = link.held
        on.proxies.stall(name)

        def felt() -> str:
            count = link.held - before
            return f"{count} packets held" if count else ""

        return Strike(name, felt, lambda: on.proxies.let(name), hold_s=dice.uniform(*HOLD_S), lasting=True)

    return strike


def reset(name: str) -> Callable[[World, random.Random], Strike]:
    """Resets until a connection was open to be reset."""

    def strike(on: World, _: random.Random) -> Strike:
        link = on.proxies.links[name]
        before = link.cuts

        def felt() -> str:
            on.proxies.reset(name)
            count = link.cuts - before
            return f"{count} connections reset" if count else ""

        return Strike(name, felt)

    return strike


def _of(on: World, role: str) -> Whose:
    """The connections of one role's process, also those that it opens later."""
    if not role:
        return everybody

    return PortsOf(lambda: on.pid(role))


def _kafka(on: World) -> list[str]:
    return [name for name in on.proxies.links if name.startswith("kafka-")]


def kinds() -> list[Kind]:
    """Every kind of this module."""
    found: list[Kind] = []
    for name in PLAIN:
        group = (f"link {name}",)
        found += [
            Kind(f"cut {name}", group, cut(lambda _, name=name: [name])),  # type: ignore[misc]
            Kind(f"stall {name}", group, stalled(name)),
            Kind(f"reset {name}", group, reset(name)),
        ]
    found += [Kind(f"cut {role} from Kafka", ("kafka", f"role {role}"), cut(_kafka, role)) for role in TO_KAFKA]
    found.append(Kind("cut everybody from Kafka", ("kafka",), cut(_kafka)))
    return found
