"""Orders out of Salesforce: change events tell which, whole orders are read, the position holds both."""

from __future__ import annotations

import queue

from connectors.contract import ApiBudget, Batch, Position
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.engine import Engine
from connectors.salesforce.position import FIRST_START, standing_of
from connectors.salesforce.pubsub import PubSub
from connectors.salesforce.rights import check_reading


class SalesforceSource:
    """Documents of type Order. The first start subscribes, then reads every order in keyset order."""

    def __init__(self, config: SalesforceConfig) -> None:
        self._config = config
        self._client = Client(config)
        self._pubsub: PubSub | None = None
        self._engine: Engine | None = None
        self._failure: Exception | None = None

    @property
    def api_budget(self) -> ApiBudget | None:
        """Calls used of those allowed per day, as the newest answer said; None before the first."""
        return self._client.api_budget

    def open(self, position: Position | None) -> None:
        """Log in, check rights and topics, subscribe; see `connectors.contract.Source.open`."""
        standing = FIRST_START if position is None else standing_of(position)
        check_reading(self._client, self._config)
        self._pubsub = PubSub(self._client, self._config)
        for topic in self._config.topics:
            self._pubsub.check_topic(topic)
        self._engine = Engine(self._client, self._pubsub, self._config, standing)
        self._engine.start()

    def poll(self, timeout: float) -> Batch | None:
        """The next batch; see `connectors.contract.Source.poll`. What ended the source is raised every time."""
        if self._engine is None:
            raise RuntimeError("poll comes after open")
        if self._failure is not None:
            raise self._failure
        try:
            outcome = self._engine.outbox.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if outcome is None or isinstance(outcome, Batch):
            return outcome
        self._failure = outcome
        raise outcome

    def close(self) -> None:
        """End every stream, thread and connection; a read or a poll that is under way ends."""
        if self._engine is not None:
            self._engine.close()
            self._engine.wake()
        if self._pubsub is not None:
            self._pubsub.close()
        self._client.close()
