"""Time zones in settings."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone: write one like Europe/Berlin or UTC") from error
    return name


TimezoneName = Annotated[str, AfterValidator(_known)]
"""A pydantic field for the name of a zone that this machine knows."""
