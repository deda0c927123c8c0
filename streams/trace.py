"""One order across the bus: everything that the topics hold about it, oldest first, and what is remembered of it now.

An order is named by its key, its number, a job order id of it, or its reference. What was refused before it became
an order (a parked document of its system) is found by the same names inside the document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from schemas.catalog import ORDERS, PRODUCTION, STATE, STATUS, parked_topic
from schemas.document import Value
from schemas.event import Record
from schemas.identity import order_key, order_key_of_job, order_number
from streams.bus import Bus, deliveries
from streams.kafka.client import OFFSET_BEGINNING, Message
from streams.kafka.consuming import key_of, place
from streams.kafka.partitions import partition_of
from streams.kafka.reading import read_to_end
from streams.parked import ParkedRecord, parked_now, stages
from streams.trace_steps import Step, in_order, step_of

NEAREST = 5
SHORTEST_COMMON = 0.6


class UnknownOrder(LookupError):
    """Nothing on the bus has that name; `nearest` are the numbers that look most like it."""

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = tuple(nearest)


@dataclass(frozen=True)
class Trace:
    """All about one order: `key` is its order key, or that of the parked document where none became an order.

    `state` is the pipeline's OrderState, None before it accepted the order.
    """

    key: str
    steps: Sequence[Step]
    state: Record | None
    parked: Sequence[ParkedRecord]


def trace(bus: Bus, name: str) -> Trace:
    """The order of that name. Raises UnknownOrder."""
    parked = parked_now(bus)
    key = _key(bus, name, parked)
    own = [each for each in parked if belongs_to(each, key) or belongs_to(each, name)]
    steps, state = _read_all(bus, {key, *(str(each.value["order_key"]) for each in own)}, key)
    return Trace(key, in_order(steps), state, own)


def belongs_to(parked: ParkedRecord, name: str) -> bool:
    """Whether a parked record is about the order of that key, number, reference or job order id."""
    key = str(parked.value["order_key"])
    if name in (key, _number(key), _key_in(name)) or _key_in(name) == key:
        return True
    return parked.value["content_type"] == "json" and any(_says(name, each) for each in _texts(parked.as_it_came))


def _says(name: str, text: str) -> bool:
    return text == name or _key_in(text) == name or (":" in name and text == _number(name))


def _texts(document: Value) -> Iterator[str]:
    """The document's id and the texts of its own fields, not those of its lines."""
    if isinstance(document, Mapping):
        fields = document.get("fields")
        found = [document.get("id"), *(fields.values() if isinstance(fields, Mapping) else ())]
        yield from (each for each in found if isinstance(each, str))


def _key_in(text: str) -> str | None:
    """The order key inside a job order id, None where the text is none."""
    try:
        return order_key_of_job(text)
    except ValueError:
        return None


def _number(key: str) -> str:
    return order_number(key) if ":" in key else key


def _key(bus: Bus, name: str, parked: Sequence[ParkedRecord]) -> str:
    """The order's key: first as the name says it, then by looking through all orders, then what is parked."""
    candidates = [_key_in(name), name if ":" in name else None, *(order_key(each, name) for each in bus.sources)]
    for key in _known(bus, {each for each in candidates if each is not None}):
        return key
    known = _names(bus)
    for key, reference in known.items():
        if name == reference:
            return key
    for each in parked:
        if belongs_to(each, name):
            return str(each.value["order_key"])
    raise UnknownOrder(name, _nearest(name, known))


def _known(bus: Bus, keys: Collection[str]) -> list[str]:
    """Those of the keys that some topic of orders has a record of."""
    found: set[str] = set()
    _read(bus, [ORDERS, STATE, PRODUCTION], keys, lambda _, key: found.add(key))
    return sorted(found)


def _names(bus: Bus) -> dict[str, str]:
    """Every order's key with its reference, of the newest that was read and of what is remembered."""
    found: dict[str, str] = {}
    reader = bus.cluster.reader
    state, order = reader("OrderState", {"status"}), reader("SalesOrder", {"reference"})
    readers = {bus.cluster.name(STATE): state, bus.cluster.name(ORDERS): order}

    def take(message: Message) -> None:
        key, data = key_of(message), message.value()
        if data is None:
            return
        value = readers[place(message)[0]](data)
        facts = cast("Record", value.get("status", value) or {})
        found[key] = str(facts.get("reference") or found.get(key, ""))

    begin = {(topic, number): OFFSET_BEGINNING for topic in readers for number in range(bus.partitions)}
    read_to_end(bus.cluster, begin, take)
    return found


def _nearest(name: str, known: Mapping[str, str]) -> list[str]:
    words = {_number(key): None for key in known} | {reference: None for reference in known.values() if reference}
    return get_close_matches(_number(name), list(words), NEAREST, SHORTEST_COMMON)


def _read_all(bus: Bus, keys: Collection[str], key: str) -> tuple[list[Step], Record | None]:
    """The steps of all the keys, and what is remembered of `key`."""
    topics = [ORDERS, PRODUCTION, STATUS, STATE, *deliveries(bus)]
    topics += [parked_topic(stage) for stage in stages(bus)]
    found: list[Step] = []
    states: dict[str, bytes | None] = {}

    def take(message: Message, of: str) -> None:
        topic = bus.cluster.plain(place(message)[0])
        if topic == STATE:
            states[of] = message.value()
        else:
            found.append(step_of(bus.cluster, message))

    _read(bus, topics, keys, take)
    state = states.get(key)
    return found, None if state is None else bus.cluster.reader("OrderState")(state)


def _read(bus: Bus, topics: Sequence[str], keys: Collection[str], take: Callable[[Message, str], None]) -> None:
    """Give every message of these orders, and of parked records of them, to `take`, with the order's key."""

    def chosen(message: Message) -> None:
        text = key_of(message)
        key = text if text in keys else text.partition("|")[0]
        if key in keys:
            take(message, key)

    numbers = {partition_of(key, bus.partitions) for key in keys}
    begin = {(bus.cluster.name(topic), number): OFFSET_BEGINNING for topic in topics for number in numbers}
    read_to_end(bus.cluster, begin, chosen)
