"""The connection to the database: time-outs that the server keeps, and every failure as a FarError."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from connectors.errors import ConfigError
from connectors.sql.answers import error_of
from connectors.sql.config import SqlConfig


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
            pool_pre_ping=True,
            hide_parameters=True,  # an error shows no customer's data
            connect_args=dict(TIMEOUTS.get(driver, _no_timeouts)(config.timeout_s)),
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
    try:
        with engine.connect() as connection:
            connection.execution_options(**ONE_MOMENT.get(engine.dialect.name, {}))
            with connection.begin():
                yield connection
    except SQLAlchemyError as error:
        raise error_of(error) from error


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction, committed at the end. Raises FarError, UnknownOutcome where the commit got no answer."""
    committing = False
    try:
        with engine.connect() as connection, connection.begin():
            if engine.dialect.name == "postgresql":  # a check that waits for the commit could not name its row
                connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            yield connection
            committing = True
    except SQLAlchemyError as error:
        raise error_of(error, committing) from error


def _no_timeouts(seconds: float) -> Mapping[str, object]:
    return {}


def _libpq(seconds: float) -> Mapping[str, object]:
    """A lock is waited for half as long as a statement may take, so that the error says which of the two it was."""
    whole, ms = max(2, round(seconds)), int(seconds * 1000)
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
