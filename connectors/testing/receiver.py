"""An address on loopback that a far system pushes to; what arrives is kept as the bus's ingress would see it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Request

PATH = "/push"


class Receiver:
    """Takes every request with 200. Plain HTTP: it is reached from this machine only."""

    def __init__(self) -> None:
        self._taken: list[Request] = []
        self._lock = threading.Lock()
        self._server: http.server.ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Listen; the address to push to."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._take(Request("POST", parts.path, dict(parse_qsl(parts.query)), headers, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="push-receiver", daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def stop(self) -> None:
        """Stop listening. Safe twice."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def taken(self) -> Sequence[Request]:
        """What arrived since the last call."""
        with self._lock:
            found, self._taken = self._taken, []
        return found

    def _take(self, request: Request) -> None:
        with self._lock:
            self._taken.append(request)
