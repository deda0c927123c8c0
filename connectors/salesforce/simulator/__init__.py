"""A stand-in of a Salesforce org; it shares no module with the connector but the generated proto."""

from connectors.salesforce.simulator.service import Simulator

__all__ = ["Simulator"]
