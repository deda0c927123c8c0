"""The rows of a file as it lies there: cells by column, with the line they stand on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from connectors.files.json_rows import LINES, records
from connectors.files.rows import Cell, Row, Unreadable

LONGEST_SAID = 200
UNCLOSED = "unexpected end of data"


@dataclass(frozen=True)
class Broken:
    """A line that breaks the rules of quoting."""

    problem: str


def rows(name: str, content: bytes, columns: Sequence[str], delimiter: str) -> Iterator[Row]:
    """The rows below the header, empty ones left out. Raises Unreadable, also between two rows."""
    suffix = name.lower().rpartition(".")[2]
    if suffix in ("json", *LINES):
        yield from records(content, columns, lines=suffix in LINES)
        return
    lines: Iterator[tuple[int, Sequence[Cell] | Broken]]
    lines = _excel(content) if suffix in ("xlsx", "xlsm") else _csv(content, delimiter)
    _, header = next(lines, (0, []))
    if isinstance(header, Broken):
        raise Unreadable(header.problem)
    names = ["" if cell is None else str(cell).strip() for cell in header]
    missing = [column for column in columns if column not in names]
    if missing:
        there = ", ".join(filter(None, names)) or "none"
        raise Unreadable(f"it has no column {', '.join(missing)}; its first line has {there}")
    for line, cells in lines:
        if isinstance(cells, Broken):
            yield Row(line, {}, problem=cells.problem)
        elif any(cell not in (None, "") for cell in cells):
            yield Row(line, dict(zip(names, cells, strict=False)), max(0, len(cells) - len(names)))


def _csv(content: bytes, delimiter: str) -> Iterator[tuple[int, Sequence[Cell] | Broken]]:
    """The lines; behind a broken one the next is read."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    start = 1
    while True:
        try:
            yield start, [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            raise Unreadable(f"it is not UTF-8 (after line {reader.line_num}): save it as CSV UTF-8") from error
        except csv.Error as error:
            why = "a quote is opened and never closed" if UNCLOSED in str(error) else str(error)
            yield start, Broken(f"line {start}: {why}")
        start = reader.line_num + 1  # a quoted cell may span lines: the row is where it begins


def _excel(content: bytes) -> Iterator[tuple[int, Sequence[Cell] | Broken]]:
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
