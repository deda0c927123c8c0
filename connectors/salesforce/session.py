"""The requests session that simple-salesforce is given: bounded in time, verified, marked, and one can abort it."""

from __future__ import annotations

import contextlib
import socket
import weakref
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPSConnectionPool

from connectors.salesforce.config import SalesforceConfig


class BoundedSession(requests.Session):
    """A time-out, a CA bundle and our marker on every call, whoever makes it."""

    def __init__(self, config: SalesforceConfig) -> None:
        super().__init__()
        self._timeout_s = config.timeout_s
        self._verify: bool | str = str(config.ca_file) if config.ca_file else True
        self._aborted = False
        self._adapter = _AbortableAdapter()
        self.mount("https://", self._adapter)
        self.headers["Sforce-Call-Options"] = f"client={config.client_name}"
        self.auth = _leave_as_is

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """One call; its own `timeout` and `verify` win over ours."""
        if self._aborted:
            raise requests.ConnectionError("the session was aborted")
        kwargs.setdefault("timeout", self._timeout_s)
        kwargs.setdefault("verify", self._verify)
        return super().request(method, url, *args, **kwargs)

    def abort(self) -> None:
        """From any thread: calls under way fail at once, and none begins any more."""
        self._aborted = True
        self._adapter.abort()


class _AbortableAdapter(HTTPAdapter):
    """Knows its open connections; requests offers no other way to end a call that waits for its answer."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools note every connection."""
        super().init_poolmanager(*args, **kwargs)
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        noted = self._open

        class Pool(HTTPSConnectionPool):
            def _new_conn(self) -> Any:
                connection = super()._new_conn()
                noted.add(connection)
                return connection

        self.poolmanager.pool_classes_by_scheme = {"https": Pool}

    def abort(self) -> None:
        """Shut every socket down; whoever reads from it sees its end."""
        for connection in list(self._open):
            if connection.sock is not None:
                with contextlib.suppress(OSError):  # it was closed meanwhile
                    # The plain socket's own method: that of TLS sockets takes the TLS state from under the reader.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _leave_as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No authentication of requests' own: it would put a netrc entry in the place of our token."""
    return request
