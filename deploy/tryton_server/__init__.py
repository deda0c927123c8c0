"""A real Tryton server for tests and demonstrations: its own environment, its own process, nothing of it imported."""

from deploy.tryton_server.environment import EnvironmentFailed
from deploy.tryton_server.server import ServerFailed, TrytonServer

__all__ = ["EnvironmentFailed", "ServerFailed", "TrytonServer"]
