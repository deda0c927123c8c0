"""How a command tells its result: a table on a terminal, plain columns in a pipe, JSON with --json.

Results go to standard output; anything said on the way goes to standard error, so that a pipe gets results only.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Row: TypeAlias = Mapping[str, object]

Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
"""The option that every command with a result has."""


def note(line: str) -> None:
    """Say something on the way; never part of the result."""
    print(line, file=sys.stderr, flush=True)


def line(text: str) -> None:
    """One plain line of a result."""
    print(text, flush=True)


def rows(found: Sequence[Row], columns: Sequence[str], *, as_json: bool, empty: str = "none") -> None:
    """A list of things with these columns in this order; a missing or None value is an empty cell.

    JSON is a list of objects with every key that a row has, also those that are no column. `empty` is said on
    standard error where there is nothing to list.
    """
    if as_json:
        line(dumps(found))
    elif not found:
        note(empty)
    elif sys.stdout.isatty():
        _table(found, columns)
    else:
        _plain(found, columns)


def record(found: Row, *, as_json: bool) -> None:
    """One thing: JSON, or a line for every value."""
    if as_json:
        line(dumps(found))
        return
    width = max(map(len, found), default=0)
    for name, value in found.items():
        line(f"{name:<{width}}  {_cell(value)}".rstrip())


def dumps(value: object) -> str:
    """JSON in which decimals keep their digits, paths and dates are texts and dataclasses are objects."""
    return json.dumps(value, default=_json, ensure_ascii=False, indent=2)


def _json(value: object) -> object:
    match value:
        case Decimal() | Path():
            return str(value)
        case date():
            return value.isoformat()
        case Mapping():
            return dict(value)
        case set() | frozenset() | tuple():
            return sorted(value, key=str)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"a result of type {type(value).__name__} has no form in JSON")


def _cell(value: object) -> str:
    """One cell of a table: no line break, since a row is a line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(each) for each in value)
    return " ".join(str(value).split())


def _plain(found: Sequence[Row], columns: Sequence[str]) -> None:
    cells = [list(columns), *([_cell(row.get(column)) for column in columns] for row in found)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    for row in cells:
        line("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _table(found: Sequence[Row], columns: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD)
    for row in found:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    Console().print(table)
