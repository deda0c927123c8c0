"""The far system's rate limits are kept on our side, and shared out where several call it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from connectors.contract import Paced
from connectors.errors import Throttled
from connectors.testing.abilities import CountingBench
from connectors.testing.bench import Rate
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule

WORK_S = 2.5


@rule("sink", "A far system that is called too often shuts out everybody who uses the same account.")
def the_rate_limit_is_kept(desk: Desk) -> None:
    """However much there is to write, no more calls go out than the far system allows, and none is refused."""
    rate = declared(desk)
    calls = written_calls(desk, share=None)
    check_rate(calls, rate, rate.calls)


@rule("sink", "Several workers call one account: each must keep to its part, or together they break the limit.")
def a_share_of_the_rate_limit_is_kept(desk: Desk) -> None:
    """After take_share(0.5) no more than half as many calls go out."""
    rate = declared(desk)
    calls = written_calls(desk, share=0.5)
    check_rate(calls, rate, max(1, rate.calls // 2))


def declared(desk: Desk) -> Rate:
    """The limit that the bench declares."""
    if desk.facts.rate is None:
        raise DoesNotApply("the bench says that the far system has no rate limit (Facts.rate)")
    return desk.facts.rate


def written_calls(desk: Desk, share: float | None) -> Sequence[float]:
    """When calls arrived while a sink had more to write than it could."""
    counting = desk.ability(CountingBench)
    with desk.sink() as sink:
        if share is not None:
            if not isinstance(sink.raw, Paced):
                raise Broken(
                    "the far system has a rate limit, and the sink has no take_share (connectors.contract.Paced)"
                )
            sink.raw.take_share(share)
            time.sleep(rate_seconds(desk))
        begun, deadline = time.time(), time.monotonic() + WORK_S
        try:
            while time.monotonic() < deadline:
                sink.write([desk.document()])
        except Throttled as error:
            raise Broken(
                f"the far system refused a call as one too many: {error}. Wait before calling (connectors.pace)"
            ) from error
    return [at for at in counting.calls() if at >= begun]


def rate_seconds(desk: Desk) -> float:
    """The span that the limit counts in."""
    return declared(desk).seconds


def check_rate(calls: Sequence[float], rate: Rate, most: int) -> None:
    """No span of the rate's length holds more than so many calls."""
    for first, last in zip(calls, itertools.islice(calls, most, None), strict=False):
        if last - first < rate.seconds:
            raise Broken(
                f"{most + 1} calls arrived within {last - first:.2f} s, and {most} in {rate.seconds:g} s are "
                "allowed: let each call wait for its turn (connectors.pace.Pace)"
            )
