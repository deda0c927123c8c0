"""A stand-in of a system that speaks Standard Webhooks, both ways; it shares no module with the connector."""

from connectors.webhook.simulator.stand_in import Simulator

__all__ = ["Simulator"]
