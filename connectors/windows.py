"""Planned downtimes of a far system: hours of the week in its own time zone in which it is not called.

A window belongs to the day on which it begins and may end on the next one. Hours are those of the clock on the wall:
an hour that a change to summer time leaves out begins when it would have, and one that comes twice counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.timezones import TimezoneName

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _hour(value: object) -> object:
    """An hour of the day as `HH:MM` in quotes: without them some YAML readers see a number."""
    if isinstance(value, time):
        return value
    try:
        if isinstance(value, str) and len(value) == 5:
            return time.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f'{value!r} is no time of day: write it in quotes with two digits each, like "22:00"')


Hour = Annotated[time, BeforeValidator(_hour)]


class Window(BaseModel):
    """One planned downtime, every week."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: tuple[Day, ...] = Field(
        default=WEEK, min_length=1, description="Days on which it begins: mon … sun; all without."
    )
    start: Hour = Field(alias="from", description='When it begins, like "22:00".')
    end: Hour = Field(alias="to", description='When it ends, like "02:00"; at or before `from` it is the next day.')
    timezone: TimezoneName = Field(description="Whose clock is meant, like Europe/Berlin.")

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("from and to are the same: a whole day is from 00:00 to 23:59, or two windows")
        return self

    def until(self, now: datetime) -> datetime | None:
        """When the window that is open at `now` (with a zone) ends, UTC; None where none is open."""
        local = now.astimezone(ZoneInfo(self.timezone)).date()
        found = [self._of(day) for day in (local - timedelta(days=1), local) if WEEK[day.weekday()] in self.days]
        ends = [end for start, end in found if start <= now < end]
        return max(ends, default=None)

    def _of(self, day: date) -> tuple[datetime, datetime]:
        last = day if self.end > self.start else day + timedelta(days=1)
        zone = ZoneInfo(self.timezone)
        start = datetime.combine(day, self.start, zone)
        end = datetime.combine(last, self.end, zone).replace(fold=1)
        return start.astimezone(UTC), end.astimezone(UTC)


def open_until(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the latest of the windows that are open at `now` ends; None where none is open."""
    return max((end for each in windows if (end := each.until(now)) is not None), default=None)
