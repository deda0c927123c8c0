"""Declared lists as a source."""

from __future__ import annotations

from connectors.api import Api
from connectors.contract import Batch, Position
from connectors.lists import Pages
from connectors.polling import Polling
from connectors.rest.config import RestConfig


class RestSource:
    """Documents of every declared kind, by polling."""

    def __init__(self, config: RestConfig) -> None:
        self._api = Api(config)
        lists = {kind: Pages(self._api, config.url, kind, each, config.times) for kind, each in config.reads.items()}
        interval_s, overlap_us = config.poll_interval_s, int(config.overlap_s * 1_000_000)
        self._polling = Polling(lists, config.url, "REST", interval_s, overlap_us, self._api.clock)

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._api.take_share(share)

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`."""
        self._polling.open(position)
        self._api.probe()

    def poll(self, timeout: float) -> Batch | None:
        """See `connectors.contract.Source.poll`."""
        return self._polling.poll(timeout)

    def close(self) -> None:
        """Interrupt a waiting poll and close all connections. Safe twice."""
        self._polling.close()
        self._api.close()
