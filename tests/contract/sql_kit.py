"""A real PostgreSQL as its application's people use it: by psycopg alone, never through the connector."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from connectors.contract import Batch, Position, Source
from connectors.sql import SqlConfig, connector
from connectors.sql.postgres import PASSWORD, USER, PostgresServer
from schemas.document import Document

NUMBERS = itertools.count(1)
QUIET_POLLS = 8
VARIABLE = "SQL_TEST_PASSWORD"


class Database:
    """One database of a running server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server, self.name = server, f"plant{os.getpid()}_{next(NUMBERS)}"
        os.environ[VARIABLE] = PASSWORD
        with self.session("postgres") as people:
            people.execute(f"create database {self.name}")

    @property
    def port(self) -> int:
        return self._server.port

    @contextmanager
    def session(self, name: str = "", autocommit: bool = True) -> Iterator[psycopg.Connection[Any]]:
        """A person's connection."""
        address = make_conninfo(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=name or self.name
        )
        with closing(psycopg.connect(address, autocommit=autocommit)) as session:
            yield session

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one statement, committed."""
        with self.session() as session:
            cursor = session.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    @property
    def address(self) -> dict[str, object]:
        """Where it is, and the password, as settings."""
        url = f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{self.name}"
        return {"url": url, "password": f"${{env:{VARIABLE}}}"}

    def config(self, **changes: object) -> SqlConfig:
        return SqlConfig.model_validate({**self.address, "poll_interval_s": 0.001, **changes})


@contextmanager
def running(folder: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")


@contextmanager
def opened(config: SqlConfig, position: Position | None = None) -> Iterator[Source]:
    assert connector.source is not None
    source = connector.source(config)
    with closing(source):
        source.open(position)
        yield source


def batches(source: Source) -> list[Batch]:
    """What comes until it is quiet."""
    found: list[Batch] = []
    quiet = 0
    while quiet < QUIET_POLLS:
        batch = source.poll(0.01)
        quiet = 0 if batch is not None and batch.documents else quiet + 1
        found += [] if batch is None else [batch]
    return found


def read(source: Source) -> list[Document]:
    return [document for batch in batches(source) for document in batch.documents]


def ids(documents: Sequence[Document]) -> list[str]:
    return [document.id for document in documents]


class CutAtCommit:
    """A network that carries everything up to the first COMMIT and its answer no more."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts, self.armed = 0, False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, False), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket, asks: bool) -> None:
        try:
            while data := near.recv(65536):
                if asks and self.armed and b"COMMIT\0" in data:
                    self.cuts += 1
                    near.shutdown(socket.SHUT_RDWR)  # before the COMMIT goes on: its answer could overtake the cut
                far.sendall(data)
        except OSError:
            return
        finally:
            near.close()
