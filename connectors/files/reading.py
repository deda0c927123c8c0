"""The rows of a CSV or Excel file as it lies there: cells by column, with the line they stand on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

Cell: TypeAlias = "bool | int | Decimal | str | date | datetime | None"


LONGEST_SAID = 200


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True)
class Row:
    """One row: `line` as a person counts it in the file, its cells by column, and how many cells are too many."""

    line: int
    cells: Mapping[str, Cell]
    surplus: int = 0


def rows(name: str, content: bytes, columns: Sequence[str], delimiter: str) -> Iterator[Row]:
    """The rows below the header, empty ones left out. Raises Unreadable, also between two rows."""
    lines = _excel(content) if name.lower().endswith((".xlsx", ".xlsm")) else _csv(content, delimiter)
    _, header = next(lines, (0, []))
    names = ["" if cell is None else str(cell).strip() for cell in header]
    missing = [column for column in columns if column not in names]
    if missing:
        there = ", ".join(filter(None, names)) or "none"
        raise Unreadable(f"it has no column {', '.join(missing)}; its first line has {there}")
    for line, cells in lines:
        if any(cell not in (None, "") for cell in cells):
            yield Row(line, dict(zip(names, cells, strict=False)), max(0, len(cells) - len(names)))


def _csv(content: bytes, delimiter: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            yield start, [cell.strip() for cell in cells]
            start = reader.line_num + 1  # a quoted cell may span lines: the row is where it begins
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 (after line {reader.line_num}): save it as CSV UTF-8") from error
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: {error}") from error


def _excel(content: bytes) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The first sheet; formulas by the values they had when the file was saved."""
    from openpyxl import load_workbook  # slow to load, and seldom needed

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Exception as error:  # openpyxl meets a damaged archive, XML or style in as many ways as there are parsers
        raise Unreadable(f"it is no Excel workbook ({_said(error)})") from error
    try:
        if not book.worksheets:
            raise Unreadable("it has no sheet")
        for line, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield line, [_cell(cell) for cell in cells]
    except Unreadable:
        raise
    except Exception as error:  # likewise
        raise Unreadable(f"its first sheet cannot be read ({_said(error)}): save it again as .xlsx") from error
    finally:
        book.close()


def _said(error: Exception) -> str:
    return str(error)[:LONGEST_SAID] or type(error).__name__


def _cell(value: object) -> Cell:
    if isinstance(value, float):
        return Decimal(repr(value))
    if value is None or isinstance(value, bool | int | Decimal | date):
        return value
    return value.isoformat() if isinstance(value, time) else str(value).strip()
