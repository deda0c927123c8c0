"""Many records or many calls at once: sObject Collections, composite and batch (contract section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from connectors.salesforce.simulator.answers import Answer, ApiError
from connectors.salesforce.simulator.api import Api, Call, Service
from connectors.salesforce.simulator.model import ObjectDef
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.sobjects import fields_of, known, lock, matches
from connectors.salesforce.simulator.transaction import Transaction
from schemas.document import Value

ROWS = 200
PARTS = 25
REFERENCE = re.compile(r"@\{(\w+)\.(\w+)\}")
NAME = re.compile(r"^\w+$")
DATA = re.compile(r"^/services/data/(v\d+\.\d)/(.*)$")

Row = Callable[[Transaction, Value], Value]


def create_rows(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    def one(transaction: Transaction, row: Value) -> Value:
        definition = _typed(row)
        record = transaction.create(definition.name, fields_of(service.org, definition, row))
        return {"id": record["Id"], "success": True, "errors": []}

    return _rows(service.org, call, one)


def update_rows(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    def one(transaction: Transaction, row: Value) -> Value:
        definition = _typed(row)
        sent = fields_of(service.org, definition, row)
        record_id = str(sent.pop("Id", sent.pop("id", "")))
        lock(service.org, definition, record_id)
        transaction.update(definition.name, record_id, sent)
        return {"id": record_id, "success": True, "errors": []}

    return _rows(service.org, call, one)


def upsert_rows(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    definition, key = known(parts[0]), parts[1]
    seen: set[Value] = set()

    def one(transaction: Transaction, row: Value) -> Value:
        sent = fields_of(service.org, definition, row)
        value = sent.pop(key, None)
        if value in (None, ""):
            raise ApiError(400, "MISSING_ARGUMENT", f"{key} not specified", (key,))
        if value in seen:
            raise ApiError(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", (key,))
        seen.add(value)
        found = matches(transaction, definition, key, value)
        lock(service.org, definition, str(value))
        if found:
            record = transaction.update(definition.name, str(found[0]["Id"]), sent)
        else:
            record = transaction.create(definition.name, {**sent, key: value})
        return {"id": record["Id"], "success": True, "created": not found, "errors": []}

    with service.org.transaction(call.origin) as transaction:
        matches(transaction, definition, key, "")
    return _rows(service.org, call, one)


def delete_rows(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    def one(transaction: Transaction, row: Value) -> Value:
        for name, table in service.org.tables.items():
            if table.get(row) is not None:
                transaction.delete(name, str(row))
                return {"id": row, "success": True, "errors": []}
        raise ApiError(404, "NOT_FOUND", f"no record {row}")

    ids: list[Value] = [each for each in call.query.get("ids", "").split(",") if each]
    return _each(service.org, call, ids, call.query.get("allOrNone", "").lower() == "true", one)


def composite(api: Api, service: Service, call: Call) -> Answer:
    """Calls in order, each may name results of earlier ones as @{reference.field}."""
    asked, all_or_none = _parts(call, "compositeRequest", "allOrNone")
    results: dict[str, Value] = {}
    responses: list[dict[str, Value]] = []
    with service.org.transaction(call.origin) as transaction:
        mark = transaction.mark()
        failed = None
        for part in asked:
            reference = str(part.get("referenceId", ""))
            if not NAME.match(reference) or reference in results:
                raise ApiError(400, "JSON_PARSER_ERROR", f"referenceId {reference!r} is no unique name")
            answer = _HALTED if failed is not None and all_or_none else _one(api, call, part, results)
            results[reference] = answer.body
            responses.append(_response(answer, reference))
            if answer.status >= 400 and failed is None:
                failed = reference
        if failed is not None and all_or_none:
            transaction.undo(mark)
            for response in responses:
                if response["referenceId"] != failed:
                    response |= {"body": _HALTED.body, "httpStatusCode": _HALTED.status}
    return Answer(200, {"compositeResponse": responses})


def batch(api: Api, service: Service, call: Call) -> Answer:
    """Independent calls; with haltOnError those after a failed one are not made."""
    asked, halt = _parts(call, "batchRequests", "haltOnError")
    results: list[Value] = []
    failed = False
    for part in asked:
        if failed and halt:
            error = ApiError(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            answer = error.answer()
        else:
            renamed = {"url": f"/services/data/{part.get('url')}", "body": part.get("richInput")}
            answer = _one(api, call, {"method": part.get("method"), **renamed}, {})
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(200, {"hasErrors": failed, "results": results})


_HALTED = ApiError(
    400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in it failed."
).answer()


def _response(answer: Answer, reference: str) -> dict[str, Value]:
    return {
        "body": answer.body,
        "httpHeaders": {},
        "httpStatusCode": answer.status,
        "referenceId": reference,
    }


def _one(api: Api, outer: Call, part: Mapping[str, Value], results: Mapping[str, Value]) -> Answer:
    try:
        parts = urlsplit(str(_filled(part.get("url"), results)))
        match = DATA.match(parts.path)
        if match is None:
            raise ApiError(400, "NOT_FOUND", f"the url {parts.path} is not below /services/data/vNN.0/")
        inner = Call(
            str(part.get("method")),
            match[2],
            match[1],
            dict(parse_qsl(parts.query)),
            outer.headers,
            _filled(part.get("body"), results),
        )
    except ApiError as error:
        return error.answer()
    return api.handle(inner)


def _filled(value: Value, results: Mapping[str, Value]) -> Value:
    """The value with every @{reference.field} replaced."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: _result(results, match[1], match[2]), value)
    if isinstance(value, Mapping):
        return {name: _filled(item, results) for name, item in value.items()}
    return [_filled(item, results) for item in value] if isinstance(value, Sequence) else value


def _result(results: Mapping[str, Value], reference: str, field: str) -> str:
    found = results.get(reference)
    if not isinstance(found, Mapping) or field not in found:
        raise ApiError(400, "PROCESSING_HALTED", f"Invalid reference specified: @{{{reference}.{field}}}")
    return str(found[field])


def _parts(call: Call, name: str, flag: str) -> tuple[list[Mapping[str, Value]], bool]:
    body = call.body
    asked = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(asked, list):
        raise ApiError(400, "JSON_PARSER_ERROR", f"the body needs a list {name}")
    if len(asked) > PARTS:
        raise ApiError(400, "LIMIT_EXCEEDED", f"{len(asked)} parts; at most {PARTS}")
    return [part for part in asked if isinstance(part, Mapping)], body.get(flag) is True


def _typed(row: Value) -> ObjectDef:
    own = row.get("attributes") if isinstance(row, Mapping) else None
    if not isinstance(own, Mapping) or "type" not in own:
        raise ApiError(400, "INVALID_TYPE", "a row needs attributes.type")
    return known(str(own["type"]))


def _rows(org: Org, call: Call, one: Row) -> Answer:
    body = call.body
    rows = body.get("records") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(rows, list):
        raise ApiError(400, "JSON_PARSER_ERROR", "the body needs a list records")
    return _each(org, call, rows, body.get("allOrNone") is True, one)


def _each(org: Org, call: Call, rows: Sequence[Value], all_or_none: bool, one: Row) -> Answer:
    if len(rows) > ROWS:
        raise ApiError(
            400, "EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {ROWS} records"
        )
    with org.transaction(call.origin) as transaction:
        start = transaction.mark()
        verdicts = [_verdict(transaction, row, one) for row in rows]
        if all_or_none and not all(_good(verdict) for verdict in verdicts):
            transaction.undo(start)
            verdicts = list(_rolled_back(verdicts))
    return Answer(200, verdicts)


def _verdict(transaction: Transaction, row: Value, one: Row) -> Value:
    mark = transaction.mark()
    try:
        return one(transaction, row)
    except ApiError as error:
        transaction.undo(mark)
        return error.row()


def _good(verdict: Value) -> bool:
    return isinstance(verdict, Mapping) and verdict.get("success") is True


def _rolled_back(verdicts: Iterable[Value]) -> Iterable[Value]:
    innocent = ApiError(
        400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid"
    )
    return [innocent.row() if _good(verdict) else verdict for verdict in verdicts]
