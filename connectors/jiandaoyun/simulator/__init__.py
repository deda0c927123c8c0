"""A stand-in of JianDaoYun's open API v5; it shares no module with the connector."""

from connectors.jiandaoyun.simulator.stand_in import Simulator

__all__ = ["Simulator"]
