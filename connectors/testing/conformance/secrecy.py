"""Secrets are used and never shown: not by printing, not in logs, not in an error's text."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from pydantic import BaseModel, SecretStr

from connectors.config import ConnectorConfig
from connectors.errors import FarError
from connectors.testing.abilities import TroubledBench
from connectors.testing.conformance.classification import CALLS
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from schemas.document import to_json

SHORTEST = 6
"""A shorter one may stand in a text by chance."""


@rule("connector", "Configurations are printed in reports and tracebacks: a secret in one is a secret in a ticket.")
def a_printed_configuration_shows_no_secret(desk: Desk) -> None:
    """repr, str and JSON of the configuration mask every secret."""
    config = desk.config()
    secrets = secrets_in(config)
    if not secrets:
        raise DoesNotApply("the configuration has no secret")
    for how, text in (("repr", repr(config)), ("str", str(config)), ("model_dump_json", config.model_dump_json())):
        check_absent(secrets, text, f"{how} of the configuration")


@rule("connector", "Logs are read by many and kept for long.")
def logs_and_errors_show_no_secret(desk: Desk) -> None:
    """At DEBUG level, in work and in documented troubles, no secret is in a log, an error or a printed object."""
    config = desk.config()
    said: list[str] = []
    with logged(said):
        said += list(in_work(desk, config))
        said += list(in_trouble(desk))
    secrets = {*secrets_in(config), *desk.bench.secrets()}
    for text in said:
        check_absent(secrets, text, "a log, an error or a printed object")


def in_work(desk: Desk, config: ConnectorConfig) -> Iterator[str]:
    """What instances at work look like when they are printed."""
    if desk.connector.source is not None:
        desk.make()
        with desk.source(config=config) as source:
            source.catch_up()
            yield repr(source.raw)
            yield to_json(source.position)
    if desk.connector.sink is not None:
        with desk.sink(config) as sink:
            sink.write([desk.document()])
            yield repr(sink.raw)


def in_trouble(desk: Desk) -> Iterator[str]:
    """The text of every error that the bench can cause in no time, with what is chained to it."""
    if not isinstance(desk.bench, TroubledBench):
        return
    first = {(each.during, each.error): each for each in reversed(desk.bench.troubles) if each.during != "poll"}
    for trouble in first.values():  # one of a kind; those of poll take their time and come from the same client
        config = desk.config(**trouble.settings)
        error = CALLS[trouble.during](desk, desk.bench, trouble, config)
        desk.bench.mend()
        if isinstance(error, FarError):
            yield "".join(traceback.format_exception(error))


def secrets_in(config: ConnectorConfig) -> Collection[str]:
    """The secrets of a configuration in clear."""
    return {line for text in _in_clear(config) for line in text.splitlines() if not line.startswith("-----")}


def _in_clear(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        yield from (text for name in type(value).model_fields for text in _in_clear(getattr(value, name)))
    elif isinstance(value, Mapping):
        yield from (text for each in value.values() for text in _in_clear(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _in_clear(each))


def check_absent(secrets: Collection[str], text: str, where: str) -> None:
    """Raises Broken, which shows where and not what."""
    for secret in secrets:
        place = text.find(secret) if len(secret) >= SHORTEST else -1
        if place >= 0:
            around = f"{text[max(0, place - 60) : place]}<secret>{text[place + len(secret) :][:60]}"
            raise Broken(f"a secret stands in {where}: …{around}…. Keep secrets as SecretStr, and out of messages")


@contextmanager
def logged(said: list[str]) -> Iterator[None]:
    """Take every log record of the process, at every level."""
    handler = Listening(said.append)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


class Listening(logging.Handler):
    """Tells each record as the text a log would hold, with its traceback."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        self._tell(self.format(record))
