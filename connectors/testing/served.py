"""An ASGI application on a loopback port with TLS, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.testing.certificates import Certificates
from connectors.testing.clock import Clock, Dated
from connectors.testing.ports import LOOPBACK, claim

START_TIMEOUT_S = 30
GRACE_S = 1


class _Server(uvicorn.Server):
    """uvicorn, but one can wait until it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # An idle TLS client does not answer the farewell; waiting for it would cost every stop the whole grace.
        self._abort(idle_only=True)
        await super().shutdown(sockets=sockets)
        self._abort(idle_only=False)
        await asyncio.sleep(0)  # lets the aborted transports close their sockets before the loop ends

    def _abort(self, *, idle_only: bool) -> None:
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            busy = cycle is not None and not cycle.response_complete
            if not (busy and idle_only):
                connection.transport.abort()


class Served:
    """Serves `app` from `start` to `stop`; requests that are still held at the stop are dropped after a second.

    With a `clock` every answer is dated by it.
    """

    def __init__(self, app: Starlette, port: int, certificates: Certificates, clock: Clock | None = None) -> None:
        self._app: Starlette | Dated = app if clock is None else Dated(app, clock)
        self._own_date = clock is not None
        self._port = port
        self._certificates = certificates
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """The base address, without a slash at its end."""
        return f"https://localhost:{self._port}"

    def start(self) -> None:
        """Return once requests are answered. Raises ConfigError where the port is taken."""
        if self._thread is not None:
            raise RuntimeError(f"{self.address} is already served")
        bound = claim(self._port, "the stand-in")
        self._server = _Server(self._config())
        self._thread = threading.Thread(
            target=self._server.run, args=([bound],), name=f"stand-in-{self._port}", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(START_TIMEOUT_S):
            bound.close()
            raise RuntimeError(f"{self.address} did not start within {START_TIMEOUT_S} s")

    def stop(self) -> None:
        """Stop listening and wait for the thread. Safe when not started, also twice."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            host=LOOPBACK,
            port=self._port,
            ssl_certfile=self._certificates.certificate,
            ssl_keyfile=str(self._certificates.key),
            log_config=None,  # the process that hosts the stand-in owns its logging
            log_level="critical",  # a held request that the stop cuts off is no error here
            access_log=False,
            date_header=not self._own_date,
            timeout_graceful_shutdown=GRACE_S,
            ws="none",
        )


class Dropped(Response):
    """An answer that breaks off: the client gets headers that promise a body, then the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers only; uvicorn closes the connection of an answer left incomplete."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
