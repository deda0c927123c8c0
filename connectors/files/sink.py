"""Hands documents over as files, one for each version of each: whole when they appear, named for what they hold.

A repeat has the same name and the same content. An older version is not written where a newer one still lies there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import quote

from connectors.contract import Rejection
from connectors.errors import DataError
from connectors.files.config import Handover
from connectors.files.places import Place
from connectors.record_fields import wire
from schemas.document import Document, Fields, Value, to_json

LONGEST_NAME = 200
VERSION_DIGITS = 20


class FilesSink:
    """See `connectors.contract.Sink`."""

    def __init__(self, place: Place, handovers: Sequence[Handover]) -> None:
        self._place = place
        self._handovers = {each.document: each for each in handovers}

    def open(self) -> None:
        """Raise ConfigError where there is no folder."""
        self._place.check("")

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        there = set(self._place.looks()) if documents else set()
        rejected: list[Rejection] = []
        for index, document in enumerate(documents):
            try:
                name, content = self._file(document)
            except DataError as error:
                rejected.append(Rejection(index, error))
                continue
            if not _has_newer(there, name):
                self._place.write(name, content)
                there.add(name)
        return rejected

    def close(self) -> None:
        """Let go of the folder. Safe twice."""
        self._place.close()

    def _file(self, document: Document) -> tuple[str, bytes]:
        """The name and the content. Raises DataError for a document that is no file of ours."""
        handover = self._handovers.get(document.type)
        if handover is None:
            there = ", ".join(self._handovers)
            raise DataError(f"nothing says how {document.type} is handed over; there are {there}")
        if not document.revision.isdecimal():
            raise DataError(f"{document.id}: version {document.revision!r} is no number")
        known_as = quote(document.id.encode("utf-8", "backslashreplace"), safe="")
        name = f"{document.type}-{known_as}-{int(document.revision):0{VERSION_DIGITS}d}.{handover.format}"
        if len(name) > LONGEST_NAME:
            raise DataError(f"{document.id[:100]}…: its file's name would have {len(name)} characters")
        values = wire(handover.fields, document.fields, "iso")
        content = {"id": document.id, "version": int(document.revision), **values}
        text = to_json(content) + "\n" if handover.format == "json" else _csv(handover, content)
        return name, text.encode()


def _has_newer(there: set[str], name: str) -> bool:
    """Whether this version, or a later one of the same document, lies there; names sort as versions do."""
    stem, _, last = name.rpartition("-")
    return any(each.startswith(f"{stem}-") and each.rpartition("-")[2] >= last for each in there)


def _csv(handover: Handover, content: Fields) -> str:
    columns = ["id", "version", *((each.at or name) for name, each in handover.fields.items())]
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=handover.delimiter, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerow([_cell(content.get(name)) for name in columns])
    return lines.getvalue()


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)
