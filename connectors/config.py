"""The base of every connector's configuration, settings that many share, and secrets that are never printed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from connectors.windows import Window

REFERENCE = re.compile(r"^\$\{(env|file):([^}]+)\}$")


def resolve_secret(text: object) -> object:
    """The secret that `${env:NAME}` or `${file:path}` refers to. Raises ValueError with the remedy."""
    if not isinstance(text, str):
        raise ValueError("a secret is a reference: write ${env:NAME} or ${file:path}")
    match = REFERENCE.match(text)
    if match is None:
        raise ValueError("a secret is never written down here: write ${env:NAME} or ${file:path}")
    kind, name = match.groups()
    return _from_environment(name) if kind == "env" else _from_file(Path(name))


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ValueError(f"the environment variable {name} is not set: export it before the start")
    return value


def _from_file(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise ValueError(
            f"the secret's file {path} cannot be read ({error.strerror}): create it or fix its rights"
        ) from error
    if not text:
        raise ValueError(f"the secret's file {path} is empty")
    return text


Secret = Annotated[SecretStr, BeforeValidator(resolve_secret)]
"""A pydantic field for a secret: written as a reference, resolved once, masked wherever it is printed."""


def _address(text: str) -> str:
    if not re.match(r"^https?://[^\s/]\S*$", text):
        raise ValueError(f"{text!r} is no address: write it like https://host/path")
    return text


def _path(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is no path behind url: begin it with a slash")
    return text


Address = Annotated[str, AfterValidator(_address)]
"""A pydantic field for an http or https address."""

BaseAddress = Annotated[str, AfterValidator(_address), AfterValidator(lambda text: text.rstrip("/"))]
"""The same for one that paths come behind; a slash at its end is taken off."""

UrlPath = Annotated[str, AfterValidator(_path)]
"""A pydantic field for a path behind a base address."""

CaFile = Annotated[
    Path | None,
    Field(description="PEM file of the authority that signed the server; the system's own by default."),
]
"""A pydantic field for who is trusted to sign the far system's certificate."""

TimeoutS = Annotated[
    float,
    Field(gt=0, le=12, description="Seconds to wait for an answer; below the bus's session time-out of 15."),
]
"""A pydantic field for the longest wait for one answer."""


class Settings(BaseModel):
    """A part of a configuration: unknown keys are errors, values never change. Every field has a `description`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectorConfig(BaseModel):
    """What every connector's configuration shares: unknown keys are errors, values never change.

    Every field has a `description`; validation, reference pages and the example file follow from it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    windows: tuple[Window, ...] = Field(
        default=(),
        description="Planned downtimes, in which the system is not called and its records wait: a list of "
        '{days: [sat, sun], from: "22:00", to: "02:00", timezone: Europe/Berlin}.',
    )


Narrow = TypeVar("Narrow", bound=ConnectorConfig)


def narrowed(config: ConnectorConfig, to: type[Narrow]) -> Narrow:
    """A configuration as its own connector's kind. Raises TypeError on another's, which is a defect of the caller."""
    if not isinstance(config, to):
        raise TypeError(f"a {to.__name__} is needed, not {type(config).__name__}")
    return config
