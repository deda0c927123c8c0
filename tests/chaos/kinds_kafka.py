"""Faults of the brokers: killed, frozen, a leader lost, a full disk."""

from __future__ import annotations

import random
import signal
from typing import Any

from confluent_kafka.admin import AdminClient

from deploy.kafka import BrokerError
from tests.chaos.brokers import Node
from tests.chaos.kind import Kind, Strike
from tests.chaos.kinds_roles import state_of
from tests.chaos.world import World

KAFKA = ("kafka",)
LED = "crm.orders"
NO_SPACE = "No space left on device"
ATTEMPTS = 3


def start(on: World, node: Node) -> None:
    """Start it again; tried some times, for a port may still be closing."""
    for attempt in range(ATTEMPTS):
        try:
            return on.brokers.start(node)
        except BrokerError:
            on.brokers.kill(node)
            if attempt == ATTEMPTS - 1:
                raise
    return None


def _leader(on: World, topic: str) -> int:
    admin = AdminClient({"bootstrap.servers": on.brokers.direct, "log_level": 0})
    parts: Any = admin.list_topics(topic, timeout=10).topics[topic].partitions
    return int(parts[0].leader)


def killed(on: World, dice: random.Random) -> Strike:
    return _killed(on, dice.choice(on.brokers.nodes), dice)


def _killed(on: World, node: Node, dice: random.Random) -> Strike:
    on.brokers.kill(node)
    return Strike(
        node.name,
        lambda: f"{node.name} gone" if not node.alive else "",
        heal=lambda: start(on, node),
        mended=lambda: node.alive,
        hold_s=dice.uniform(0.0, 2.5),
        lasting=True,
    )


def leader_killed(on: World, dice: random.Random) -> Strike:
    number = _leader(on, LED)
    node = next(each for each in on.brokers.nodes if each.number == number)
    struck = _killed(on, node, dice)

    def felt() -> str:
        now = _leader(on, LED)
        return f"{LED}[0]: leader {number} → {now}" if now not in (number, -1) else ""

    return Strike(node.name, felt, struck.heal, struck.mended, struck.hold_s, lasting=True)


def frozen(on: World, dice: random.Random) -> Strike:
    node = dice.choice(on.brokers.nodes)
    guard = node.guard
    assert guard is not None
    on.brokers.signal(node, signal.SIGSTOP)
    return Strike(
        node.name,
        lambda: f"{node.name} stopped" if state_of(guard.pid) == "T" else "",
        heal=lambda: on.brokers.signal(node, signal.SIGCONT),
        hold_s=dice.uniform(2.0, 6.0),
        lasting=True,
    )


def full_disk(on: World, dice: random.Random) -> Strike:
    node = dice.choice(on.brokers.nodes)
    on.brokers.fill(node)

    def felt() -> str:
        if node.alive and NO_SPACE not in node.layout.last_words(200):
            return ""
        return f"{node.name} ({on.brokers.space}): {'no space' if node.alive else 'gave up'}"

    def heal() -> None:
        on.brokers.kill(node)
        on.brokers.free(node)
        start(on, node)

    return Strike(node.name, felt, heal, lambda: node.alive, hold_s=dice.uniform(0.5, 2.0), lasting=True)


def kinds() -> list[Kind]:
    """Every kind of this module."""
    return [
        Kind("broker kill -9 and restart", KAFKA, killed),
        Kind("broker frozen", KAFKA, frozen),
        Kind("broker's disk full", KAFKA, full_disk),
        Kind("leader of three killed", KAFKA, leader_killed, worlds=(3,)),
    ]
