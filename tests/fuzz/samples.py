"""A good record of every shipped schema, made by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from schemas.catalog import NAMESPACE, schema

WORDS = ("crm:1", "crm:1/L1", "P-1", "P-2", "L1", "pcs", "Turning", "items/P-9", "", "Ä", "plant-a", "running")
LIMITS = {"int": 2**31, "long": 2**63}


def record(name: str, rng: Random, wild: float = 0.1) -> Any:
    """A record that its schema allows; `wild` is how often a number or text is an extreme one."""
    return _value(schema(name), rng, wild, {})


def _value(node: Any, rng: Random, wild: float, named: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return _value(rng.choice(node), rng, wild, named)
    if isinstance(node, str) and node not in PRIMITIVES:
        return _value(named[node], rng, wild, named)
    kind = node if isinstance(node, str) else node["type"]
    if isinstance(node, Mapping) and "name" in node:
        named[f"{NAMESPACE}.{node['name']}"] = node
    if isinstance(node, Mapping) and node.get("logicalType") == "decimal":
        return rng.choice((1, -1)) * rng.randrange(10 ** (node["precision"] if rng.random() < wild else 8))
    match kind:
        case "record":
            return {each["name"]: _value(each["type"], rng, wild, named) for each in node["fields"]}
        case "enum":
            return rng.choice(node["symbols"])
        case "array":
            return [_value(node["items"], rng, wild, named) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
        case str():
            return PRIMITIVES[kind](rng, wild)
        case _:
            return _value(kind, rng, wild, named)


def _whole(kind: str) -> Callable[[Random, float], int]:
    def made(rng: Random, wild: float) -> int:
        limit = LIMITS[kind]
        if rng.random() < wild:
            return rng.choice((0, -1, 1, limit - 1, -limit, rng.randrange(-limit, limit)))
        return rng.randrange(0, 20_000 if kind == "int" else 1_800_000_000_000_000)

    return made


def _text(rng: Random, wild: float) -> str:
    if rng.random() < wild:
        return rng.choice(("", "\x00", "🙂" * 50, "9" * 2_000, "x" * 5_000, "a:b/c|d"))
    return rng.choice(WORDS)


PRIMITIVES: Mapping[str, Callable[[Random, float], Any]] = {
    "null": lambda *_: None,
    "string": _text,
    "bytes": lambda rng, _: rng.randbytes(rng.randrange(40)),
    "int": _whole("int"),
    "long": _whole("long"),
    "boolean": lambda rng, _: rng.random() < 0.5,
}
