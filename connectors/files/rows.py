"""A row of a file, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

Cell: TypeAlias = "bool | int | Decimal | str | date | datetime | None"


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True)
class Row:
    """One row: `line` as a person counts it in the file, its cells by column, and how many cells are too many.

    `problem` says why the line cannot be read at all, "" where it can. In a list of JSON it is the record's number.
    """

    line: int
    cells: Mapping[str, Cell]
    surplus: int = 0
    problem: str = ""
