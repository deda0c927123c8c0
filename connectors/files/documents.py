"""Rows as documents: their types, and cells by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from connectors.config import ConnectorConfig, narrowed
from connectors.files.config import FilesConfig, FilesOutConfig, Table
from connectors.files.rows import Cell, Row
from connectors.record_fields import declared
from schemas.document import Document, DocumentType, Field, Kind, Value
from schemas.identity import revision

KEY_SEPARATOR = "|"

PLACE = (
    Field("_file", required=True, writable=False, doc="Name of the file."),
    Field("_line", Kind.INTEGER, required=True, writable=False, doc="Line of the row; 0 stands for the whole file."),
    Field("_problem", writable=False, doc="What is wrong with the row; empty for a good one."),
)


def documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    """One document type per table of the configuration; no column is certain to be filled."""
    tables = {table.document: table for table in narrowed(config, FilesConfig).tables}
    return [_type(table) for table in tables.values()]


def handed_over(config: ConnectorConfig) -> Sequence[DocumentType]:
    """One document type for each kind that is handed over."""
    written = narrowed(config, FilesOutConfig).write
    return [DocumentType(each.document, declared(each.fields, writable=True)) for each in written]


def document_of(table: Table, file: str, mtime_us: int, row: Row) -> Document:
    """The document of a row.

    A cell that is not of its column's kind stays the text it is, and `_problem` says so: a mapping that reads the
    column fails on it and is parked with file and line. Of two rows with one key the later one is the newer.
    """
    if row.problem:
        return _unread(table, file, row.line, mtime_us, row.problem)
    values, problems = _values(table, row)
    key = KEY_SEPARATOR.join(_plain(values[name]) for name in table.key)
    if any(values[name] is None for name in table.key):
        problems.append(f"{' and '.join(table.key)} must be filled")
        key = f"{file}:{row.line}"
    place: dict[str, Value] = {"_file": file, "_line": row.line, "_problem": "; ".join(problems) or None}
    return Document(table.document, key, revision(mtime_us + row.line, values), {**values, **place})


def unreadable(table: Table, file: str, mtime_us: int, problem: str) -> Document:
    """A document that stands for a file that cannot be read, so that it is parked."""
    return _unread(table, file, 0, mtime_us, problem)


def _unread(table: Table, file: str, line: int, mtime_us: int, problem: str) -> Document:
    values: dict[str, Value] = dict.fromkeys(table.columns)
    fields: dict[str, Value] = {**values, "_file": file, "_line": line, "_problem": problem}
    known_as = f"{file}:{line}" if line else file
    return Document(table.document, known_as, revision(mtime_us + line, fields), fields, problem=problem)


def _type(table: Table) -> DocumentType:
    columns = (Field(name, kind, writable=False) for name, kind in table.kinds().items())
    return DocumentType(table.document, (*columns, *PLACE), doc=f"A row of {table.pattern}.")


def _values(table: Table, row: Row) -> tuple[dict[str, Value], list[str]]:
    values: dict[str, Value] = {}
    problems: list[str] = []
    places = table.places()
    for name, kind in table.kinds().items():
        cell = row.cells.get(places[name])
        try:
            values[name] = None if cell is None or cell == "" else KINDS[kind](cell)
        except (ValueError, InvalidOperation):
            values[name] = _plain(cell)
            problems.append(f"{name} is {_plain(cell)!r}, which is no {kind.value}")
    if row.surplus:
        problems.append(f"{row.surplus} cells more than the first line has")
    return values, problems


def _plain(value: Cell | Value) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(cell: Cell) -> Value:
    """Excel keeps a code of digits as a number: 4711 and 4711.0 are the text 4711."""
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return _plain(cell)


def _integer(cell: Cell) -> Value:
    number = _decimal(cell)
    if number != number.to_integral_value():
        raise ValueError(f"{cell} has a fraction")
    return int(number)


def _decimal(cell: Cell) -> Decimal:
    number = Decimal(str(cell))
    if not number.is_finite():
        raise ValueError(f"{cell} is not finite")
    return number


def _boolean(cell: Cell) -> Value:
    word = str(cell).lower()
    if word not in BOOLEANS:
        raise ValueError(f"{cell} is neither yes nor no")
    return BOOLEANS[word]


def _date(cell: Cell) -> Value:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return date.fromisoformat(_plain(cell)).isoformat()


def _instant(cell: Cell) -> Value:
    moment = cell if isinstance(cell, datetime) else datetime.fromisoformat(_plain(cell))
    if moment.tzinfo is None:
        raise ValueError(f"{cell} has no offset from UTC")
    return moment.isoformat()


BOOLEANS: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

KINDS: Mapping[Kind, Callable[[Cell], Value]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.INSTANT: _instant,
}
