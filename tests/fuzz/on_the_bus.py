"""What comes from topics: bytes for the codec, records for the pipeline, commands for a stage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any, cast

from confluent_kafka import Message

from mappings import Plan, compile_plan, shipped
from schemas.catalog import record_names
from schemas.codec import CodecError
from schemas.document import to_json
from schemas.event import Event
from schemas.identity import content_hash
from schemas.readable import readable
from schemas.wire import FRAME, REVISION, Headers, Reader, Writer, event_of, fingerprint_id, header_texts, headers_of
from streams.bus import Bus
from streams.incoming import incoming_of
from streams.live_plans import LivePlans
from streams.outcome import Reason
from streams.parking import Parking
from streams.pipeline import Pipeline
from streams.repairs import Repairs
from tests.bus_on_kafka import far
from tests.fuzz import samples
from tests.fuzz.case import ACCEPTED, Case, End, Ending, Maker, refused
from tests.fuzz.mutation import LENGTHS, TEXTS, bytes_changed, mutated, nasty
from tests.fuzz.no_kafka import NoKafka
from tests.unit.mappings.mapping_builder import real_types
from tests.unit.streams.orders_made_by_hand import Known, line, operation, order, report

NAMES = tuple(record_names())
PARTITION = 0


@cache
def plan() -> Plan:
    return compile_plan(shipped(), real_types())


@cache
def writer(name: str) -> Writer:
    return Writer(name)


def fingerprint_frame(name: str) -> bytes:
    return FRAME.pack(0, fingerprint_id(name))


def bus() -> Bus:
    """A bus of one partition without Kafka."""
    return Bus(NoKafka("nowhere:1"), 1, {"crm": far("crm"), "plant-a": far("plant-a")})


class AlwaysLive:
    """The plan of the definitions that ship, in force for ever."""

    def current(self) -> Plan:
        return plan()


def plans() -> LivePlans:
    return cast("LivePlans", AlwaysLive())


def message(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> Message:
    return Message(topic=topic, partition=PARTITION, offset=7, key=key, value=value, headers=headers or None)


# ---------------------------------------------------------------------------------------------------- the codec


def encoded(rng: Random) -> bytes:
    """Bytes that look like a record: broken ones of a good record, foreign schema ids, lengths that lie."""
    name = rng.choice(NAMES)
    good = writer(name)(samples.record(name, rng))
    match rng.randrange(8):
        case 0:
            return rng.randbytes(rng.randrange(200))
        case 1:
            return FRAME.pack(rng.choice((0, 0, 1, -1)), rng.getrandbits(32)) + good[FRAME.size :]
        case 2:
            return fingerprint_frame(rng.choice(NAMES)) + good[FRAME.size :]
        case 3:
            return fingerprint_frame(name) + b"".join(rng.choices(LENGTHS, k=rng.randint(1, 60)))
        case 4:
            return good
        case _:
            return bytes_changed(good, rng)


@contextmanager
def codec() -> Iterator[Maker]:
    readers = {name: Reader(name) for name in NAMES}

    def make(rng: Random) -> Case:
        data, headers = encoded(rng), wild_headers(good_headers(rng), rng)
        names = rng.sample(NAMES, 3)

        def play() -> Ending:
            told = []
            for name in names:
                try:
                    value = readers[name](data)
                    to_json(readable(name, value))  # what an operator is shown of it
                    event_of(name, value, header_texts(headers))
                except ValueError as error:  # CodecError is one; `readable` raises others for times out of range
                    told.append(str(error))
            return refused("; ".join(told)) if len(told) == len(names) else ACCEPTED

        return Case(repr((names, data, headers)).encode(), play)

    yield make


def good_headers(rng: Random) -> Headers:
    at = rng.randrange(1_800_000_000_000_000)
    named = {REVISION: f"{at:017d}-{rng.getrandbits(64):016x}", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    return headers_of(Event("SalesOrder", "crm:1", "crm:1", "crm/crm:1/7", "crm", at, at, {}, named))


def wild_headers(headers: Headers, rng: Random) -> Headers:
    for _ in range(rng.choice((0, 0, 1, 2))):
        place = rng.randrange(len(headers))
        name = headers[place][0]
        match rng.randrange(5):
            case 0:
                del headers[place]
            case 1:
                headers[place] = (name, None)
            case 2:
                headers[place] = (name, rng.randbytes(rng.randrange(20)))
            case 3:
                headers.append((name, str(nasty(rng)).encode("utf-8", "backslashreplace")))
            case _:
                headers[place] = (name, rng.choice(TEXTS).encode("utf-8", "surrogatepass"))
        if not headers:
            break
    return headers


# ------------------------------------------------------------------------------------------------- the pipeline

PLACED = order(line("L1"), line("L2", item="P-2"))
RUNNING = report(operation(good=2), line_id="L1")
TOPIC_OF = {"SalesOrder": "crm.orders", "JobResponse": "mes.production"}
GOOD: Mapping[str, tuple[Any, ...]] = {
    "SalesOrder": (
        PLACED,
        order(line("L1", quantity=9), released=False),
        order(line("L1", cancelled=True), cancelled=True, changed_at=9),
    ),
    "JobResponse": (
        RUNNING,
        report(operation(good=5), line_id="L1", state="closed", changed_at=4),
        report(operation("Milling", scrap=1), line_id="L2", state="completed", changed_at=5),
    ),
}


def input_message(rng: Random) -> Message:
    """A message of the pipeline's input, mostly wrong in some way."""
    name = rng.choice(("SalesOrder", "JobResponse"))
    value = rng.choice(GOOD[name]) if rng.random() < 0.7 else samples.record(name, rng, 0.3)
    if rng.random() < 0.7:
        value = mutated(value, rng)
    try:
        data: bytes | None = writer(name)(value)
    except CodecError:
        data = encoded(rng)
    if rng.random() < 0.15:
        data = rng.choice((None, b"", encoded(rng)))
    at = rng.choice((0, 1, 5, 10**15, 10**17, 2**63 - 1))
    key = "crm:1"
    stamped = {REVISION: f"{at:017d}-{content_hash(str(value))}"}
    event = Event(name, key, key, f"far/{key}/{at}", "far", rng.randrange(10**15), at, {}, stamped)
    headers = headers_of(event)
    if rng.random() < 0.4:
        headers = wild_headers(headers, rng)
    raw_key = rng.choice((key.encode(),) * 6 + (None, b"", b"\xff\xfe", "Ä🙂".encode()))
    return message(TOPIC_OF[name], raw_key, data, headers)


class FuzzedPipeline:
    """The real pipeline's own path of one record, from the message to what it would produce."""

    def __init__(self) -> None:
        self._pipeline = Pipeline(bus(), 0, plans())
        self._pipeline._references = Known()  # type: ignore[assignment] # made by hand, there is no Kafka to read
        self._pipeline._states.restore([PARTITION])
        self._pipeline._parking.restore([PARTITION])

    def play(self, messages: list[Message]) -> Ending:
        """Take the messages as one batch that is never committed; how the last one ended."""
        pipeline = self._pipeline
        for each in messages:
            for outgoing in pipeline._message(str(each.topic()), each):
                assert outgoing.value is not None
        parked = [
            pipeline._parking.entry(PARTITION, key) for _, key, data in pipeline._parking.table.changes() if data
        ]
        pipeline._drop()
        found = [each.value for each in parked if each is not None]
        if not found:
            return ACCEPTED
        defects = [str(each["message"]) for each in found if each["cause"] == "defect"]
        assert not defects, f"parked as our own defect: {defects[0]}"
        return Ending(End.PARKED, str(found[0]["message"]))


@contextmanager
def pipeline_input() -> Iterator[Maker]:
    fuzzed = FuzzedPipeline()

    def make(rng: Random) -> Case:
        messages = [input_message(rng) for _ in range(rng.choice((1, 1, 2, 4)))]
        shown = [(each.topic(), each.key(), each.value(), each.headers()) for each in messages]
        return Case(repr(shown).encode(), lambda: fuzzed.play(messages))

    with quiet():
        yield make


# ------------------------------------------------------------------------------------------------------ commands


@contextmanager
def commands() -> Iterator[Maker]:
    kept, parked_id = parked_somewhere()
    heard: list[str] = []

    def make(rng: Random) -> Case:
        value = {**samples.record("Command", rng), "parked_id": rng.choice((parked_id, parked_id, "nobody"))}
        if rng.random() < 0.6:
            value = mutated(value, rng)
        try:
            data = writer("Command")(value)
        except CodecError:
            data = encoded(rng)
        if rng.random() < 0.3:
            data = bytes_changed(data, rng)
        asked = message("commands.pipeline", b"k", rng.choice((data, data, data, None)), good_headers(rng))

        def play() -> Ending:
            heard.clear()
            found = Repairs(kept.table._cluster, kept, Known()).carry_out(asked)  # type: ignore[arg-type]
            kept.drop()
            assert all(entry.parked_id == parked_id for entry in found)
            return refused(heard[0]) if heard else ACCEPTED

        return Case(repr(asked.value()).encode(), play)

    with quiet(heard.append):
        yield make


def parked_somewhere() -> tuple[Parking, str]:
    """The parked records of the pipeline, and the id of the one there is."""
    parking = Parking(NoKafka("nowhere:1"), "pipeline", plan().id)
    parking.restore([PARTITION])
    incoming = incoming_of("crm.orders", message("crm.orders", b"crm:1", b"garbage", []))
    parking.park(PARTITION, incoming, Reason("undecodable", "no record", "IT"), 1)
    parking.table.merge()
    return parking, incoming.parked_id


@contextmanager
def quiet(hear: Callable[[str], object] = lambda _: None) -> Iterator[None]:
    """What the bus logs about its input is heard, not printed."""

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            hear(record.getMessage())

    root, handler = logging.getLogger(), Heard()
    before = root.handlers[:]
    root.handlers[:] = [handler]
    try:
        yield
    finally:
        root.handlers[:] = before
