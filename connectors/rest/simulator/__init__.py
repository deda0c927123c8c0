"""A stand-in of a small shop's REST API, with every way of paging and of logging in; docs/rest.md is its contract."""

from connectors.rest.simulator.stand_in import Simulator

__all__ = ["Simulator"]
