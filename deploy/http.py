"""The HTTP side of every role: `/metrics` for Prometheus, `/health` for probes, and the role's own routes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streams.stopping import MustStop

START_S = 15.0
GRACE_S = 3


class PortTaken(MustStop):
    """Something else listens where a role is configured to; the message names the address and the remedy."""

    def __init__(self, role: str, address: str) -> None:
        super().__init__(
            f"{role}: {address} is in use or may not be listened on: "
            "set another port under `http:` in lineshaft.yaml, or end the program that holds it"
        )


class RoleServer:
    """One role's HTTP server in a thread of its own.

    `healthy` says whether the role does its work, `says` what else a person who looks at its health should know:
    which definition is live, how the far systems do that it calls. None of it makes the role ill.
    """

    def __init__(
        self,
        role: str,
        host: str,
        port: int,
        healthy: Callable[[], bool],
        routes: Sequence[Route] = (),
        says: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self._role, self._host, self._port, self._healthy, self._says = role, host, port, healthy, says
        own = [Route("/metrics", _metrics), Route("/health", self._health)]
        config = uvicorn.Config(
            Starlette(routes=[*own, *routes]),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name=f"http-{role}", daemon=True)

    @property
    def address(self) -> str:
        """The base address."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> None:
        """Listen. Raises PortTaken where the address is not free."""
        self._thread.start()
        deadline = time.monotonic() + START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._server.started and self._port == 0:
            self._port = self._server.servers[0].sockets[0].getsockname()[1]
        if not self._server.started:
            raise PortTaken(self._role, self.address)

    def stop(self) -> None:
        """Stop listening after the running requests."""
        self._server.should_exit = True
        self._thread.join(START_S)

    def _serve(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # uvicorn's way of saying that it cannot listen; start() reports it
            self._server.started = False

    async def _health(self, _: Request) -> Response:
        good = self._healthy()
        return JSONResponse({"role": self._role, "healthy": good, **self._says()}, 200 if good else 503)


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
