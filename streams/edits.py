"""A person's new content for a parked record: made from readable JSON, checked where it is sent and where it arrives.

An edit mends what a record says, never which record it is: its keys, its id and its revision stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, cast

from connectors.errors import FarError
from schemas.catalog import record_names
from schemas.codec import CodecError
from schemas.document import DocumentType, Fields, Value, from_json, to_json
from schemas.event import Record
from schemas.identity import order_number
from schemas.written import NotAsDescribed, canonical, check_fields
from streams.incoming import Incoming
from streams.kafka.cluster import Cluster

DocumentTypes: TypeAlias = Callable[[], Sequence[DocumentType]]
"""The documents of the far system that a stage reads; none where it reads a topic."""

IDENTITY: Mapping[str, Callable[[Incoming], Record]] = {
    "SalesOrder": lambda came: {"number": order_number(came.order_key)},
    "JobResponse": lambda came: {"order_key": came.order_key, "job_order_id": came.subject},
    "JobOrder": lambda came: {"order_key": came.order_key, "job_order_id": came.subject},
    "OrderStatus": lambda came: {"order_key": came.order_key},
}
"""What an edit may not change in each record: other partitions and other subjects would be meant."""

PARTS = ("type", "id", "revision", "fields", "deleted")
PROBLEM = "problem"
"""What the connector could not read of the document; who mends that empties it or leaves it out."""


class EditRefused(ValueError):
    """New content that the record cannot take; the message has a line for every field and what was expected."""


def content_of(came: Incoming, written: str | bytes, cluster: Cluster, types: DocumentTypes) -> bytes:
    """The content behind the JSON that a person wrote. Raises EditRefused, and FarError where types are asked."""
    try:
        value = from_json(written)
    except ValueError as error:
        raise EditRefused(f"this is no JSON: {error}") from error
    content = _encoded(came, value, cluster) if came.topic else to_json(_exact(_json(came), value)).encode()
    check(came, content, cluster, types)
    return content


def _exact(before: Value, written: Value) -> Value:
    """What was written, with the numbers that `parked show --json` had to write as texts being numbers again."""
    if isinstance(before, Decimal) and written == str(before):
        return before
    if isinstance(before, Mapping) and isinstance(written, Mapping):
        return {name: _exact(before.get(name), value) for name, value in written.items()}
    if isinstance(before, list) and isinstance(written, list) and len(before) == len(written):
        return [_exact(*pair) for pair in zip(before, written, strict=True)]
    return written


def _json(came: Incoming) -> Value:
    """The document as it is parked; None where it is held by reference or nobody can read it."""
    try:
        return from_json(came.content)
    except ValueError:
        return None


def _encoded(came: Incoming, value: Value, cluster: Cluster) -> bytes:
    record = _record_name(came)
    try:
        return cluster.writer(record)(canonical(record, value))
    except (NotAsDescribed, CodecError) as error:
        raise EditRefused(str(error)) from error


def _record_name(came: Incoming) -> str:
    if came.record not in record_names():
        raise EditRefused(
            f"nobody knows what this is a record of (its header ce_type is {came.headers.get('ce_type', '')!r}), so "
            "nothing can be written in its place: have its producer send it again, then discard it"
        )
    return came.record


def check(came: Incoming, content: bytes, cluster: Cluster, types: DocumentTypes) -> None:
    """Raise EditRefused unless the content may take the place of what came. Raises FarError where types are asked."""
    problems = _record_problems(came, content, cluster) if came.topic else _document_problems(came, content, types)
    if problems:
        raise EditRefused("\n".join(problems))


def _record_problems(came: Incoming, content: bytes, cluster: Cluster) -> list[str]:
    record = _record_name(came)
    try:
        value = cluster.reader(record)(content)
    except CodecError as error:
        return [str(error)]
    fixed = IDENTITY[record](came) if record in IDENTITY else {}
    return [_kept(name, fixed[name], value[name]) for name in fixed if value[name] != fixed[name]]


def _kept(name: str, before: object, now: object) -> str:
    return f"{name}: an edit may not change it; {before!r} was expected, not {now!r}"


def _document_problems(came: Incoming, content: bytes, types: DocumentTypes) -> list[str]:
    try:
        document = from_json(content)
    except ValueError as error:
        return [f"this is no JSON: {error}"]
    if not isinstance(document, Mapping) or set(document) - {PROBLEM} != set(PARTS):
        return [f"an object with exactly {', '.join(PARTS)} was expected"]
    named = f"{document['type']}/{document['id']}"
    problems = [] if named == came.subject else [_kept("type, id", came.subject, named)]
    if document["revision"] != came.revision:
        problems.append(_kept("revision", came.revision, document["revision"]))
    if not isinstance(document["deleted"], bool):
        problems.append("deleted: true or false was expected")
    if not isinstance(document.get(PROBLEM, ""), str):
        problems.append("problem: a text was expected, empty where it is mended")
    if not isinstance(document["fields"], Mapping):
        return [*problems, "fields: an object was expected"]
    return problems or _field_problems(str(document["type"]), document["fields"], _fields_before(came), types)


def _fields_before(came: Incoming) -> Fields:
    before = _json(came)
    return cast("Fields", before["fields"]) if isinstance(before, Mapping) and "fields" in before else {}


def _field_problems(type_name: str, fields: Fields, before: Fields, types: DocumentTypes) -> list[str]:
    """What is wrong with the fields that were changed; the others stand as the far system gave them."""
    try:
        found = [each for each in types() if each.name == type_name]
    except FarError as error:
        return [f"fields: the far system could not be asked which there are ({error}); try again later"]
    if not found:
        return [f"type: the connector has no documents {type_name!r}"]
    known = {field.name for field in found[0].fields}
    changed = {name: value for name, value in fields.items() if name not in before or before[name] != value}
    strange = [f"fields.{name}: there is no such field; there are {', '.join(sorted(known))}"
               for name in changed if name not in known and name not in before]  # fmt: skip
    return [*strange, *(f"fields.{problem}" for problem in check_fields(found[0].fields, changed))]
