"""TCP proxies between any two parts of the bus, which can cut, stall and reset what runs through them.

Bytes are passed on as they are, so TLS stays whole. One event loop in a thread of its own carries every link.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tests.chaos.ports import LOOPBACK, free_ports
from tests.chaos.sockets import FRESH_S

READ = 65536
RESET_AT_CLOSE = struct.pack("ii", 1, 0)

Mode = Literal["pass", "cut", "stall"]
Whose: TypeAlias = Callable[[int], bool]
"""Tells by a client's port whether a connection is meant."""


def everybody(_: int) -> bool:
    """Every connection is meant."""
    return True


@dataclass(eq=False)
class Connection:
    """One client's connection and its way on; `open` is cleared while it stands still."""

    port: int
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        """End both sides with a reset, what is under way is lost."""
        for side in (self.near, self.far):
            _abort(side)


def _abort(side: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        plain = side.get_extra_info("socket")
        if plain is not None and plain.fileno() >= 0:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    side.transport.abort()


class Link:
    """One way between two parts: listens on `port` and connects on to `target`, which may be set later."""

    def __init__(self, name: str, target: tuple[str, int]) -> None:
        self.name, self.target, self.port = name, target, free_ports(1)[0]
        self.cuts = 0
        self.held = 0
        self._mode: Mode = "pass"
        self._whose: Whose = everybody
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._client, LOOPBACK, self.port)

    def close(self) -> None:
        """Take no connections any more."""
        if self._server is not None:
            self._server.close()

    async def change(self, mode: Mode, whose: Whose) -> None:
        """Pass on, refuse, or hold everything that belongs to `whose`; a cut ends what is open now."""
        self._mode, self._whose = mode, whose
        for connection in list(self._connections):
            if mode == "cut" and whose(connection.port):
                self.cuts += 1
                connection.reset()
            elif mode == "stall" and whose(connection.port):
                connection.open.clear()
            else:
                connection.open.set()

    async def reset(self, whose: Whose) -> None:
        """End what is open now; new connections are let through."""
        for connection in [each for each in self._connections if whose(each.port)]:
            self.cuts += 1
            connection.reset()

    async def _client(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        port = int(near.get_extra_info("peername")[1])
        if self._mode != "pass" and self._whose is not everybody:
            await asyncio.sleep(FRESH_S)  # until a new connection can be seen to be somebody's
        meant = self._mode != "pass" and self._whose(port)
        if meant and self._mode == "cut":
            self.cuts += 1
            return _abort(near)
        try:
            back, far = await asyncio.open_connection(*self.target)
        except OSError:
            return _abort(near)
        connection = Connection(port, near, far)
        if not (meant and self._mode == "stall"):
            connection.open.set()
        self._connections.add(connection)
        try:
            await asyncio.gather(self._pump(connection, reader, far), self._pump(connection, back, near))
        finally:
            self._connections.discard(connection)
            near.close()
            far.close()
        return None

    async def _pump(self, connection: Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(READ):
                if not connection.open.is_set():
                    self.held += 1
                    await connection.open.wait()
                sink.write(data)
                await sink.drain()
            sink.write_eof()


class Proxies:
    """All links of one world. Use as a context manager; every method may be called from any thread."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)

    def __enter__(self) -> Proxies:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def add(self, name: str, host: str, port: int) -> Link:
        """A new link to host:port, which listens when this returns."""
        link = Link(name, (host, port))
        self._do(link.listen())
        self.links[name] = link
        return link

    def cut(self, name: str, whose: Whose = everybody) -> None:
        """Reset what is open and refuse what comes, until `let`."""
        self._do(self.links[name].change("cut", whose))

    def stall(self, name: str, whose: Whose = everybody) -> None:
        """Keep connections open and pass nothing on, until `let`."""
        self._do(self.links[name].change("stall", whose))

    def reset(self, name: str, whose: Whose = everybody) -> None:
        """Reset what is open now."""
        self._do(self.links[name].reset(whose))

    def let(self, name: str) -> None:
        """Pass everything on again."""
        self._do(self.links[name].change("pass", everybody))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _end(self) -> None:
        for link in self.links.values():
            link.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
