"""Writing to a far system that fails: bounded repeats, the breaker, one probe, and the record that is the cause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from connectors.config import ConnectorConfig
from connectors.contract import Connector, Rejection
from connectors.errors import AuthError, DataError, FarError, Throttled, TransientError, UnknownOutcome
from schemas.document import Document
from streams.breaker import FIRST_COOL_DOWN_S, OPENS_AFTER
from streams.bus import Attached
from streams.far_gate import Gate
from streams.far_writer import GIVE_UP_AFTER, FarAway, FarWriter
from streams.outcome import PERSON_PAUSE_S

STAGE = "sink.breaking"


@dataclass
class Far:
    """A far system, its clock, and the lease on it: waiting lets the clock go on."""

    fails: Callable[[Sequence[Document]], FarError | None] = lambda _: None
    calls: list[list[str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    now: float = 1000.0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        self.calls.append([each.id for each in documents])
        error = self.fails(documents)
        if error is not None:
            raise error
        return ()

    def check(self) -> None: ...

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def gate(far: Far) -> Gate:
    return Gate(STAGE, (), far.clock, lambda: 0.5)


@pytest.fixture
def writer(far: Far, gate: Gate) -> FarWriter:
    connector = Connector("far", ConnectorConfig, lambda _: (), sink=lambda _: far)
    return FarWriter(STAGE, Attached("breaking", connector, ConnectorConfig()), gate)


def documents(*ids: str) -> list[Document]:
    return [Document("Status", each, "1", {}) for each in ids]


def shown() -> float | None:
    return REGISTRY.get_sample_value("lineshaft_breaker_state", {"stage": STAGE})


def test_a_far_system_that_is_away_is_called_a_few_times_and_then_left_alone(
    far: Far, gate: Gate, writer: FarWriter, caplog: pytest.LogCaptureFixture
) -> None:
    far.fails = lambda _: TransientError("not reachable")
    with caplog.at_level(logging.WARNING), pytest.raises(FarAway, match="not reachable") as away:
        writer.write(documents(*"abcdefgh"), far)
    assert len(far.calls) == OPENS_AFTER
    assert far.waits == sorted(far.waits)
    assert 0 < away.value.wait_s <= FIRST_COOL_DOWN_S
    assert shown() == 2
    assert gate.says() == "open: not reachable (TransientError)"
    assert [each.message for each in caplog.records if "the breaker is" in each.message] == [
        f"{STAGE}: the breaker is open (not reachable (TransientError))"
    ]
    with pytest.raises(FarAway):
        writer.write(documents("a"), far)
    assert len(far.calls) == OPENS_AFTER  # nothing is called before the cool-down is over


def test_after_the_cool_down_one_document_probes_and_the_rest_follows_its_success(
    far: Far, writer: FarWriter
) -> None:
    far.fails = lambda _: UnknownOutcome("timed out")
    with pytest.raises(FarAway) as away:
        writer.write(documents("a", "b", "c"), far)
    far.calls.clear()
    far.now += away.value.wait_s
    with pytest.raises(FarAway) as away:
        writer.write(documents("a", "b", "c"), far)
    [[_]] = far.calls  # one probe of one document
    assert shown() == 2

    far.calls.clear()
    far.now += away.value.wait_s
    far.fails = lambda _: None
    assert writer.write(documents("a", "b", "c"), far) == []
    assert [len(each) for each in far.calls] == [1, 2]
    assert sorted(each for call in far.calls for each in call) == ["a", "b", "c"]
    assert shown() == 0


def test_a_throttle_is_obeyed_as_often_as_it_comes_and_never_opens_the_breaker(far: Far, writer: FarWriter) -> None:
    answers: list[FarError | None] = [*[Throttled("slow down", 7.0)] * (3 * OPENS_AFTER), None]
    far.fails = lambda _: answers.pop(0)
    writer.write(documents("a", "b"), far)
    assert len(far.waits) == 3 * OPENS_AFTER
    assert min(far.waits) >= 7.0
    assert shown() == 0


def test_a_refused_login_pauses_for_a_person_and_does_not_open_the_breaker(far: Far, writer: FarWriter) -> None:
    answers: list[FarError | None] = [*[AuthError("refused")] * (2 * OPENS_AFTER), None]
    far.fails = lambda _: answers.pop(0)
    writer.write(documents("a"), far)
    assert far.waits == [PERSON_PAUSE_S] * 2 * OPENS_AFTER
    assert shown() == 0


def never(bad: str, error: FarError) -> Callable[[Sequence[Document]], FarError | None]:
    return lambda documents: error if any(each.id == bad for each in documents) else None


def written(far: Far, writer: FarWriter, ids: str) -> list[tuple[str, str]]:
    """Write until the writer gives an answer, as the sink task does; what it refused, with the error's kind."""
    for _ in range(20):
        batch = documents(*ids)
        try:
            rejections = writer.write(batch, far)
        except FarAway as away:
            far.now += away.wait_s
            continue
        return [(batch[each.index].id, type(each.error).__name__) for each in rejections]
    raise AssertionError("no answer")


@pytest.mark.parametrize("bad", "ahp")
@pytest.mark.parametrize("error", [TransientError("locked"), UnknownOutcome("gateway gave up")])
def test_a_record_that_keeps_failing_while_others_are_written_is_given_back_and_blocks_nobody(
    far: Far, writer: FarWriter, bad: str, error: FarError
) -> None:
    far.fails = never(bad, error)
    assert written(far, writer, "abcdefghijklmnop") == [(bad, type(error).__name__)]
    through = {each for call in far.calls if bad not in call for each in call}
    assert through == set("abcdefghijklmnop") - {bad}
    assert sum(bad in call for call in far.calls) >= GIVE_UP_AFTER
    assert shown() == 0 or len(far.calls[-1]) == 1


def test_of_several_documents_exactly_the_impossible_one_is_refused_at_once(far: Far, writer: FarWriter) -> None:
    far.fails = never("c", DataError("no such field"))
    assert written(far, writer, "abcd") == [("c", "DataError")]
    assert far.waits == []


def test_one_record_alone_is_never_given_up_for_nothing_shows_that_the_far_system_takes_others(
    far: Far, writer: FarWriter
) -> None:
    far.fails = lambda _: TransientError("down")
    for _ in range(3 * GIVE_UP_AFTER):
        with pytest.raises(FarAway) as away:
            writer.write(documents("a"), far)
        far.now += away.value.wait_s
