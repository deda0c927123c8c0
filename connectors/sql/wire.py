"""The network between a connector and a database, which can fall silent or lose one answer: for the bench."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from connectors.testing.ports import LOOPBACK, claim

BEGIN, READ_ONLY, COMMIT = b"BEGIN", b"READ ONLY", b"COMMIT\x00"
"""PostgreSQL's simple query, as psycopg sends it."""
CHUNK = 65536


class Wire:
    """Carries every connection from its own port to the server's."""

    def __init__(self, port: int, to_port: int) -> None:
        self.port, self._to_port = port, to_port
        self._listener = claim(port, "the wire")
        self._speaks = threading.Event()
        self._speaks.set()
        self._loses_answer = False
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, name=f"wire-{port}", daemon=True).start()

    def silence(self) -> None:
        """Take everything and carry nothing."""
        self._speaks.clear()

    def speak(self) -> None:
        """Carry again, what was held back as well."""
        self._speaks.set()

    def lose_answer(self) -> None:
        """The next COMMIT of a transaction that writes arrives, and its connection breaks before the answer."""
        self._loses_answer = True

    def close(self) -> None:
        """Break every connection and take no more."""
        self.speak()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _break(each)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection((LOOPBACK, self._to_port))
                except OSError:
                    near.close()
                    continue
                self._open |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, name=f"wire-{self.port}", daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # the other direction has broken both
            reads = False
            while data := source.recv(CHUNK):
                self._speaks.wait()
                target.sendall(data)
                reads = READ_ONLY in data or (reads and BEGIN not in data)
                if self._loses_answer and COMMIT in data and not reads:
                    self._loses_answer = False
                    break
        _break(source)
        _break(target)
        self._open -= {source, target}


def _break(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
