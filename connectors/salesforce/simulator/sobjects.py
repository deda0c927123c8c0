"""Single records: create, read, change, delete, upsert by external id, and what changed in a span of time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from urllib.parse import quote

from connectors.salesforce.simulator.answers import Answer, ApiError, lock_error, not_found
from connectors.salesforce.simulator.api import Call, Service
from connectors.salesforce.simulator.model import ObjectDef, object_of
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.tables import Record
from connectors.salesforce.simulator.transaction import Transaction
from connectors.salesforce.simulator.values import moment_of, stamp
from schemas.document import Fields, Value

LONGEST_SPAN = datetime.timedelta(days=30)


def known(name: str) -> ObjectDef:
    """The object of that name. Raises ApiError NOT_FOUND."""
    definition = object_of(name)
    if definition is None:
        raise not_found()
    return definition


def fields_of(org: Org, definition: ObjectDef, body: Value) -> Record:
    """The fields that a body sets. Raises ApiError for hidden and read-only ones."""
    if not isinstance(body, Mapping):
        raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object")
    visible, locked = org.visible(definition.name), org.settings.names("read_only")
    for name in body:
        if name in definition.fields and name not in visible:
            raise ApiError(
                400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {definition.name}", (name,)
            )
        if f"{definition.name}.{name}" in locked:
            raise ApiError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {name}. Please check the security settings of this field",
                (name,),
            )
    return {name: value for name, value in body.items() if name != "attributes"}


def create(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    with service.org.transaction(call.origin) as transaction:
        lock(service.org, definition, "")
        record = transaction.create(definition.name, fields_of(service.org, definition, call.body))
    return Answer(201, {"id": record["Id"], "success": True, "errors": []})


def read(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    with service.org.lock:
        record = Transaction.find(service.org.tables, definition.name, parts[1])
        return Answer(200, _shown(service, call, definition, record))


def update(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    with service.org.transaction(call.origin) as transaction:
        lock(service.org, definition, parts[1])
        transaction.update(definition.name, parts[1], fields_of(service.org, definition, call.body))
    return Answer(204)


def delete(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    with service.org.transaction(call.origin) as transaction:
        lock(service.org, definition, parts[1])
        transaction.delete(definition.name, parts[1])
    return Answer(204)


def read_by_external_id(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    with service.org.transaction(call.origin) as transaction:
        found = matches(transaction, definition, parts[1], parts[2])
        if not found:
            raise not_found()
        if len(found) > 1:
            return Answer(300, _addresses(call, definition, found))
        return Answer(200, _shown(service, call, definition, found[0]))


def upsert(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    """PATCH by external id (section 2): 201 created, 200 updated, 300 ambiguous, 404 for a wrong field."""
    definition = known(parts[0])
    with service.org.transaction(call.origin) as transaction:
        found = matches(transaction, definition, parts[1], parts[2])
        if len(found) > 1:
            return Answer(300, _addresses(call, definition, found))
        if not found and call.query.get("updateOnly", "").lower() == "true":
            raise not_found()
        lock(service.org, definition, parts[2])
        sent = fields_of(service.org, definition, call.body)
        if parts[1] in sent or "Id" in sent:
            raise ApiError(
                400,
                "INVALID_FIELD",
                f"The {parts[1]} field should not be specified in the sobject data.",
                (parts[1],),
            )
        if found:
            record = transaction.update(definition.name, str(found[0]["Id"]), sent)
        else:
            record = transaction.create(definition.name, {**sent, parts[1]: parts[2]})
    if found and call.version < "v46.0":
        return Answer(204)
    done: Value = {"id": record["Id"], "success": True, "errors": [], "created": not found}
    return Answer(200 if found else 201, done)


def updated(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    start, end = _span(service.org, call)
    with service.org.lock:
        records = [r for r in service.org.tables[definition.name] if not r["IsDeleted"] and _within(r, start, end)]
        return Answer(200, {"ids": [record["Id"] for record in records], "latestDateCovered": stamp(end)})


def deleted(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition = known(parts[0])
    start, end = _span(service.org, call)
    with service.org.lock:
        gone = [r for r in service.org.tables[definition.name] if r["IsDeleted"] and _within(r, start, end)]
    rows: list[Value] = [{"id": record["Id"], "deletedDate": record["SystemModstamp"]} for record in gone]
    return Answer(
        200,
        {"deletedRecords": rows, "earliestDateAvailable": stamp(end - LONGEST_SPAN), "latestDateCovered": stamp(end)},
    )


def lock(org: Org, definition: ObjectDef, key: str) -> None:
    """Raises UNABLE_TO_LOCK_ROW where the script says that somebody else holds the record."""
    if org.faults.take("row_lock", object=definition.name, key=key):
        raise lock_error()
    if org.faults.take("duplicate_value", object=definition.name, key=key):
        raise ApiError(400, "DUPLICATE_VALUE", "duplicate value found: created by somebody else a moment ago")


def matches(transaction: Transaction, definition: ObjectDef, field: str, value: Value) -> list[Record]:
    """The live records under an external id. Raises NOT_FOUND where the field is none."""
    known_field = definition.fields.get(field)
    if field != "Id" and (known_field is None or not known_field.external_id):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {field}")
    return transaction.by_external_id(definition.name, field, value)


def _shown(service: Service, call: Call, definition: ObjectDef, record: Record) -> Value:
    visible = service.org.visible(definition.name)
    asked = [name for name in call.query.get("fields", "").split(",") if name] or list(visible)
    unknown = [name for name in asked if name not in visible]
    if unknown:
        raise ApiError(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on entity '{definition.name}'")
    return service.queries.show(definition.name, record, asked, call.version)


def _addresses(call: Call, definition: ObjectDef, found: list[Record]) -> Value:
    base = f"/services/data/{call.version}/sobjects/{quote(definition.name)}"
    return [f"{base}/{record['Id']}" for record in found]


def _span(org: Org, call: Call) -> tuple[datetime.datetime, datetime.datetime]:
    try:
        start, end = moment_of(call.query["start"]), moment_of(call.query["end"])
    except (KeyError, ValueError) as error:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "start and end are needed as ISO 8601 datetimes") from error
    now = datetime.datetime.fromtimestamp(org.now(), datetime.UTC)
    if start >= end or start < now - LONGEST_SPAN:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must lie before endDate, at most 30 days back")
    return start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)


def _within(record: Fields, start: datetime.datetime, end: datetime.datetime) -> bool:
    return start <= moment_of(str(record["SystemModstamp"])) < end
