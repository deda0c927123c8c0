"""What goes wrong in the far system becomes the class of error that says what happens next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from connectors import errors
from connectors.config import ConnectorConfig
from connectors.errors import FarError, TransientError, UnknownOutcome
from connectors.testing.abilities import Trouble, TroubledBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.reading import has
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from schemas.document import Document

TREE = tuple(kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FarError))
NEAR = 0.5
"""How far a wish to be called later may be off, as a part of it: it counts from when it was said."""


@rule(
    "connector",
    "Taken for another, a throttle is hit harder, a login is tried until it is locked, a bad record blocks.",
)
def every_documented_error_is_what_it_means(desk: Desk) -> None:
    """Each error that the vendor's contract names becomes the class of connectors.errors that says what to do."""
    troubled = desk.ability(TroubledBench)
    if not troubled.troubles:
        raise DoesNotApply("the bench lists no trouble")
    wrong = [found for trouble in troubled.troubles if (found := misjudged(desk, troubled, trouble))]
    if wrong:
        raise Broken(f"{len(wrong)} of {len(troubled.troubles)} documented errors: " + "; ".join(wrong))


@rule(
    "connector",
    "A far system that is switched off overnight would stop the bus, or have its orders parked one by one.",
)
def a_far_system_that_is_down_is_waited_for(desk: Desk) -> None:
    """While nothing listens at its address every call raises TransientError (a write UnknownOutcome at most)."""
    config, document = desk.config(), desk.document() if desk.connector.sink else None
    desk.bench.stop()
    try:
        if desk.connector.source is not None:
            check_passing(desk, "the source", lambda: open_and_poll(desk, config))
        if document is not None:
            check_passing(desk, "the sink", lambda: open_and_write(desk, config, document))
    finally:
        desk.bench.start()


@rule("source", "A restart of the far system at night would leave the source dead until somebody looks.")
def a_source_comes_back_with_the_far_system(desk: Desk) -> None:
    """A far system that goes away under a running source gives TransientError or nothing, and later what changed."""
    record = desk.make()
    with desk.source() as source:
        source.drain()
        desk.bench.stop()
        try:
            for _ in range(3):
                source.poll(0.2)
        except TransientError:
            pass  # as it should be, or nothing at all
        except FarError as error:
            raise Broken(
                f"the far system went away and poll raises {type(error).__name__} ({error}), not TransientError"
            ) from error
        desk.bench.start()
    values = desk.text("changed")
    desk.people.change(record, values)
    with desk.source(source.position) as again:
        again.until(
            lambda: has(again, record, values),
            f"the far system was back and the change of {record} was not told",
        )


def misjudged(desk: Desk, troubled: TroubledBench, trouble: Trouble) -> str:
    """What is wrong with the answer to one trouble; empty where nothing is."""
    place = f"{trouble.name} (contract {trouble.section}) during {trouble.during}"
    config = desk.config(**trouble.settings)
    try:
        error = CALLS[trouble.during](desk, troubled, trouble, config)
    except Broken as broken:
        return f"{place}: {broken}"
    finally:
        troubled.mend()
    if error is None:
        return f"{place}: nothing was raised, and {trouble.error.__name__} is expected"
    if kind_of(error) is not trouble.error:
        return f"{place}: {kind_of(error).__name__} ({str(error)[:200]}), and {trouble.error.__name__} is expected"
    wish = error.retry_after_s if isinstance(error, TransientError) else None
    if trouble.retry_after_s is not None and not near(wish, trouble.retry_after_s):
        return f"{place}: retry_after_s is {wish}, and the far system asked for {trouble.retry_after_s}"
    return ""


def near(wish: float | None, asked: float) -> bool:
    """Whether the pause is about what was asked for."""
    return wish is not None and abs(wish - asked) <= NEAR * asked


def kind_of(error: FarError) -> type[FarError]:
    """The class of connectors.errors that it is; a connector's own subclasses count as what they are made from."""
    return next(kind for kind in type(error).__mro__ if kind in TREE)


def while_opening_a_source(
    desk: Desk, troubled: TroubledBench, trouble: Trouble, config: ConnectorConfig
) -> FarError | None:
    """What open raises."""
    troubled.cause(trouble)
    return raised(lambda: open_and_poll(desk, config, polls=0))


def while_polling(desk: Desk, troubled: TroubledBench, trouble: Trouble, config: ConnectorConfig) -> FarError | None:
    """What a running source raises within the bench's patience; people change something meanwhile."""

    def polled() -> None:
        record = desk.make()
        with desk.source(config=config) as source:
            source.catch_up()
            troubled.cause(trouble)
            desk.people.change(record, desk.text("in trouble"))
            deadline = time.monotonic() + desk.facts.patience_s
            while time.monotonic() < deadline:
                source.poll()

    return raised(polled)


def while_opening_a_sink(
    desk: Desk, troubled: TroubledBench, trouble: Trouble, config: ConnectorConfig
) -> FarError | None:
    """What open raises."""
    troubled.cause(trouble)
    return raised(lambda: open_and_write(desk, config, None))


def while_writing(desk: Desk, troubled: TroubledBench, trouble: Trouble, config: ConnectorConfig) -> FarError | None:
    """What write raises, or the error of its one rejection."""
    document = desk.document()
    found: list[FarError] = []

    def written() -> None:
        with desk.sink(config) as sink:
            troubled.cause(trouble)
            found.extend(each.error for each in sink.write([document]))

    return raised(written) or next(iter(found), None)


def while_receiving(
    desk: Desk, troubled: TroubledBench, trouble: Trouble, config: ConnectorConfig
) -> FarError | None:
    """What receive raises of a genuine push."""
    desk.pusher.pushed()
    desk.make()
    requests = desk.pusher.pushed()
    troubled.cause(trouble)
    return raised(lambda: desk.webhook(config).receive(requests[-1]))


CALLS: Mapping[str, Callable[[Desk, TroubledBench, Trouble, ConnectorConfig], FarError | None]] = {
    "open source": while_opening_a_source,
    "poll": while_polling,
    "open sink": while_opening_a_sink,
    "write": while_writing,
    "receive": while_receiving,
}


def raised(call: Callable[[], object]) -> FarError | None:
    """The far error that a call raises."""
    try:
        call()
    except FarError as error:
        return error
    return None


def check_passing(desk: Desk, who: str, call: Callable[[], None]) -> None:
    """Raises Broken where the call does anything else than to ask for another try."""
    error = raised(call)
    if error is None:
        raise Broken(f"{who} notices nothing while nothing listens at the far system's address")
    if not isinstance(error, TransientError | UnknownOutcome):
        raise Broken(
            f"{who} raises {type(error).__name__} ({error}) while the far system is down: raise TransientError, "
            "which is tried again by itself (connectors.http.send does it)"
        )


def open_and_poll(desk: Desk, config: ConnectorConfig, polls: int = 3) -> None:
    """A source's first calls."""
    with desk.source(config=config) as source:
        for _ in range(polls):
            source.poll(0.2)


def open_and_write(desk: Desk, config: ConnectorConfig, document: Document | None) -> None:
    """A sink's first calls."""
    with desk.sink(config) as sink:
        if document is not None:
            sink.write([document])
