"""The connection to the database: time-outs that the server keeps, and every failure as a FarError."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from connectors.errors import ConfigError, TransientError, UnknownOutcome
from connectors.sql.answers import error_of
from connectors.sql.config import SqlConfig

WITHIN = "within_s"


def engine_of(config: SqlConfig) -> sa.Engine:
    """An engine with one connection, opened when first needed. Raises ConfigError where no driver fits the url."""
    try:
        url = make_url(config.url)
        if config.password is not None:
            url = url.set(password=config.password.get_secret_value())
        driver = url.get_driver_name()
        return sa.create_engine(
            url,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # an error shows no customer's data
            connect_args=dict(TIMEOUTS.get(driver, _no_timeouts)(config.timeout_s)),
            execution_options={WITHIN: config.timeout_s},
        )
    except (ArgumentError, NoSuchModuleError) as error:
        remedy = "Write dialect+driver://user@host:port/database and install what SQLAlchemy calls that dialect."
        raise ConfigError("url", f"{config.url} is no address of a database ({error}).", remedy) from error
    except ImportError as error:
        remedy = "Install it beside Lineshaft; for PostgreSQL: pip install 'lineshaft[sql]'."
        raise ConfigError("url", f"the driver of {config.url} is not installed ({error}).", remedy) from error


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that sees the database at one moment, where its dialect can. Raises FarError."""
    with _within(engine) as watch:
        connection = watch.connect()
        connection.execution_options(**ONE_MOMENT.get(engine.dialect.name, {}))
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction, committed at the end. Raises FarError, UnknownOutcome where the commit got no answer."""
    with _within(engine) as watch:
        connection = watch.connect()
        with connection.begin():
            if engine.dialect.name == "postgresql":  # a check that waits for the commit could not name its row
                connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            yield connection
            watch.committing = True


class Watch:
    """One transaction's connection, cut after the time-out: a server may say nothing for ever."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self.committing, self.was_cut = engine, False, False
        self.seconds: float = engine.get_execution_options()[WITHIN]
        self._timer = threading.Timer(self.seconds, self._cut)
        self._connection: sa.Connection | None = None

    def connect(self) -> sa.Connection:
        """The connection; from now on its time runs."""
        self._connection = self._engine.connect()
        self._timer.name = "sql-deadline"
        self._timer.start()
        return self._connection

    def end(self) -> None:
        """Give the connection back."""
        self._timer.cancel()
        if self._connection is not None:
            self._timer.join()
            self._connection.close()

    def _cut(self) -> None:
        """End both directions, so that who waits for an answer is told; the driver still closes it."""
        assert self._connection is not None
        fileno = getattr(self._connection.connection.dbapi_connection, "fileno", None)
        if fileno is None:
            return  # a driver that hides its socket has time-outs of its own, in the url
        self.was_cut = True
        with socket.socket(fileno=os.dup(fileno())) as same, suppress(OSError):  # it may have ended by itself
            same.shutdown(socket.SHUT_RDWR)


@contextmanager
def _within(engine: sa.Engine) -> Iterator[Watch]:
    watch = Watch(engine)
    try:
        yield watch
    except SQLAlchemyError as error:
        if watch.was_cut:
            late = UnknownOutcome if watch.committing else TransientError
            raise late(f"{engine.url.host}: no answer within {watch.seconds:g} s") from error
        raise error_of(error, watch.committing) from error
    finally:
        watch.end()


def _no_timeouts(seconds: float) -> Mapping[str, object]:
    return {}


def _libpq(seconds: float) -> Mapping[str, object]:
    """A lock is waited for less long than a statement may take, so that the error says which of the two it was."""
    whole, ms = max(2, round(seconds)), int(seconds * 900)
    return {
        "connect_timeout": whole,
        "options": f"-c statement_timeout={ms} -c lock_timeout={ms // 2}",
        "tcp_user_timeout": ms,
        "keepalives_idle": whole,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }


TIMEOUTS: Mapping[str, Callable[[float], Mapping[str, object]]] = {"psycopg": _libpq, "psycopg2": _libpq}
"""Other drivers take theirs from the url."""

ONE_MOMENT: Mapping[str, dict[str, object]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
}
