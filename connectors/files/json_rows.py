"""The records of a JSON file, a list or one a line, as rows: cells by the paths that the columns name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from connectors.files.rows import Cell, Row, Unreadable
from connectors.json_path import at
from schemas.document import Value, from_json

LINES = ("jsonl", "ndjson")


def records(content: bytes, columns: Sequence[str], lines: bool) -> Iterator[Row]:
    """One row for each record: its line, or its number in the list. Raises Unreadable."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 ({error.reason} at byte {error.start})") from error
    for number, record in enumerate(_lines(text) if lines else _list(text), start=1):
        if isinstance(record, str):
            yield Row(number, {}, problem=f"line {number}: {record}")
        elif record is not None:
            yield _row(number, record, columns)


def _lines(text: str) -> Iterator[Value]:
    """Each line's record, None where it is empty, a text where it is none."""
    for line in text.split("\n"):
        if not line.strip():
            yield None
            continue
        try:
            record = from_json(line)
        except ValueError as error:
            yield f"it is no JSON ({error})"
            continue
        yield record if isinstance(record, Mapping) else "it is no record: each line holds one {…}"


def _list(text: str) -> Iterator[Value]:
    try:
        found = from_json(text)
    except ValueError as error:
        raise Unreadable(f"it is no JSON ({error})") from error
    if not isinstance(found, list):
        raise Unreadable("it is no list of records: write [{…}, {…}], or one record a line in a .jsonl")
    for record in found:
        yield record if isinstance(record, Mapping) else "it is no record: the list holds one {…} for each"


def _row(number: int, record: Value, columns: Sequence[str]) -> Row:
    cells: dict[str, Cell] = {}
    for name in columns:
        value = at(record, name)
        if value is None or isinstance(value, bool | int | Decimal | str):
            cells[name] = value
        else:
            return Row(number, {}, problem=f"{name} is no single value; name what is inside it, as {name}.id")
    return Row(number, cells)
