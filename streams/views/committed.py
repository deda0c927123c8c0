"""Faust's Kafka driver, made to read committed records only, and from where the view's own store stands.

Faust (0.15) reads uncommitted data unless it runs exactly once, under which its workers died and miscounted, and it
has no setting for the isolation. So three classes of its aiokafka driver are subclassed, each for a few lines;
aiokafka itself knows isolation levels well and only has to be told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT

log = logging.getLogger(__name__)

ISOLATION_LEVEL = "read_committed"

Positions = Callable[[tuple[str, int]], int]
"""The offset to go on from in a partition of a topic (its name on the cluster)."""


class CommittedThread(driver.AIOKafkaConsumerThread):
    """Makes the consumer and sets its isolation before it is started."""

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = ISOLATION_LEVEL
        return consumer


class CommittedConsumer(driver.Consumer):
    """Reads committed records, from the positions of its transport instead of the group's committed offsets."""

    def _new_consumer_thread(self) -> CommittedThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to where the store stands in every assigned partition; where that is gone, to the first record."""
        assigned = list(self.assignment())
        first = await self.earliest_offsets(*assigned)
        stored = cast("CommittedTransport", self.transport).positions
        wanted = {each: max(stored((each.topic, each.partition)), first[each]) for each in assigned}
        for each in assigned:
            missed = wanted[each] - stored((each.topic, each.partition))
            if missed and stored((each.topic, each.partition)):
                log.warning("%s[%d]: %d offsets were deleted unseen by the view", each.topic, each.partition, missed)
        await self.seek_wait(wanted)
        return wanted


class CommittedTransport(driver.Transport):
    """The driver with that consumer. `positions` is asked on every assignment, in Faust's thread."""

    Consumer = CommittedConsumer

    def __init__(self, app: AppT, positions: Positions) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.positions = positions
