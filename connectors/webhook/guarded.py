"""The way to an address that somebody else wrote down: never into our own network, and never shown.

The name is looked up once per push, what it means is compared, and that very machine is called: a name that points
elsewhere a moment later helps nobody. The client that uses this sees the host only, so neither its log nor its errors
can tell the rest of an address that is a secret.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

import httpx

from connectors.errors import ConfigError
from connectors.http import trusted

HTTPS = 443


class GuardedWay(httpx.BaseTransport):
    """Sends every request to one address. Raises ConfigError where that is inside a network that is not allowed."""

    def __init__(self, address: str, allow: Sequence[IPv4Network | IPv6Network], ca_file: Path | None) -> None:
        self._address = httpx.URL(address)
        self._allow = allow
        self._inner = httpx.HTTPTransport(verify=trusted(ca_file), trust_env=False)

    @property
    def shown(self) -> str:
        """The address as anybody may see it."""
        return str(self._address.copy_with(raw_path=b"/", userinfo=b""))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the machine that the name means now; its certificate still has to be the name's."""
        machine = self._machine()
        pinned = httpx.Request(
            request.method,
            self._address.copy_with(host=str(machine)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": self._address.host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()

    def _machine(self) -> IPv4Address | IPv6Address:
        host, port = self._address.host, self._address.port or HTTPS
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError(f"{host} has no address ({error.strerror})") from error
        machines = [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]
        good = [each for each in machines if self._may_be_called(each)]
        if not good:
            problem = f"{host} is {machines[0]}, which is inside a network that is not for the public."
            raise ConfigError("url", problem, "Correct it, or name the network in `allow`.")
        return good[0]

    def _may_be_called(self, machine: IPv4Address | IPv6Address) -> bool:
        inner = _inner_of(machine)
        if any(inner in network for network in self._allow if network.version == inner.version):
            return True
        return inner.is_global and not inner.is_multicast


def _inner_of(machine: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as one of IPv6 reaches the machine that it names."""
    if isinstance(machine, IPv6Address):
        return machine.ipv4_mapped or machine.sixtofour or machine
    return machine
