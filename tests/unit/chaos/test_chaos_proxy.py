"""The proxies of the chaos runs: what they cut is cut, what they hold arrives later, and only whom it concerns."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.chaos.ports import LOOPBACK
from tests.chaos.proxy import Proxies


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that answers what it hears."""
    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client,), daemon=True).start()


def _answer(client: socket.socket) -> None:
    with client:
        try:
            while heard := client.recv(100):
                client.sendall(heard)
        except OSError:
            return


@pytest.fixture
def proxies(echo: int) -> Iterator[Proxies]:
    with Proxies() as made:
        made.add("link", LOOPBACK, echo)
        yield made


def client_of(proxies: Proxies) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxies.links["link"].port), timeout=10)


def asked(client: socket.socket, words: bytes) -> bytes:
    client.sendall(words)
    return client.recv(100)


def test_a_cut_ends_what_is_open_and_refuses_what_comes_until_it_is_mended(proxies: Proxies) -> None:
    with client_of(proxies) as before:
        assert asked(before, b"one") == b"one"
        proxies.cut("link")
        with pytest.raises(ConnectionError):
            asked(before, b"two")
    with pytest.raises(ConnectionError), client_of(proxies) as during:
        asked(during, b"three")
    proxies.let("link")
    with client_of(proxies) as after:
        assert asked(after, b"four") == b"four"
    assert proxies.links["link"].cuts == 2


def test_a_stall_loses_nothing(proxies: Proxies) -> None:
    with client_of(proxies) as client:
        assert asked(client, b"one") == b"one"
        proxies.stall("link")
        client.sendall(b"two")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(100)
        client.settimeout(10)
        proxies.let("link")
        assert client.recv(100) == b"two"


def test_only_those_that_are_meant_are_cut(proxies: Proxies) -> None:
    with client_of(proxies) as meant, client_of(proxies) as other:
        assert asked(meant, b"one") == asked(other, b"one")
        port = meant.getsockname()[1]
        proxies.cut("link", lambda each: each == port)
        assert asked(other, b"two") == b"two"
        with pytest.raises(ConnectionError):
            asked(meant, b"two")
