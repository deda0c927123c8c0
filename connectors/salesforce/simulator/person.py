"""A person at the org's own screens, behind the bus's back; and what an administrator sets.

POST   /_control/person/{object}            create; the fields as a JSON object
POST   /_control/person/{object}/{id}       edit fields
DELETE /_control/person/{object}/{id}       delete; with ?purge=true from the recycle bin as well
POST   /_control/person/{object}/{id}/undelete
GET    /_control/settings                   POST changes some
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.model import object_of
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.transaction import Transaction
from connectors.testing import Ledger
from connectors.testing.control import answer
from schemas.document import Fields, Value, from_json

ORIGIN = "com/salesforce/ui"


def person_routes(org: Org, ledger: Ledger) -> list[BaseRoute]:
    """The routes, to be mounted under /_control."""

    async def create(request: Request) -> Response:
        fields = await _object(request)
        return await done(request, "create", lambda each, name: each.create(name, fields))

    async def edit(request: Request) -> Response:
        fields, record_id = await _object(request), request.path_params["id"]
        return await done(request, "edit", lambda each, name: each.update(name, record_id, fields))

    async def delete(request: Request) -> Response:
        purge, record_id = request.query_params.get("purge") == "true", request.path_params["id"]

        def act(transaction: Transaction, name: str) -> Value:
            transaction.delete(name, record_id)
            if purge:
                transaction.purge(name, record_id)
            return {}

        return await done(request, "delete", act)

    async def undelete(request: Request) -> Response:
        record_id = request.path_params["id"]
        return await done(request, "undelete", lambda each, name: each.undelete(name, record_id))

    async def done(request: Request, what: str, act: Callable[[Transaction, str], Value]) -> Response:
        definition = object_of(request.path_params["object"])
        if definition is None:
            return answer({"error": f"no object {request.path_params['object']}"}, 404)
        try:
            result = await asyncio.to_thread(committed, definition.name, act)
        except ApiError as error:
            return answer(error.answer().body, error.status)
        ledger.record("person", did=what, object=definition.name, id=request.path_params.get("id"))
        return answer(result if result is not None else {})

    def committed(name: str, act: Callable[[Transaction, str], Value]) -> Value:
        with org.transaction(ORIGIN) as transaction:
            return act(transaction, name)

    async def settings(request: Request) -> Response:
        if request.method == "POST":
            try:
                org.settings.change(await _object(request))
            except ValueError as error:
                return answer({"error": str(error)}, 400)
        return answer(org.settings.all())

    return [
        Route("/person/{object}", create, methods=["POST"]),
        Route("/person/{object}/{id}", edit, methods=["POST"]),
        Route("/person/{object}/{id}", delete, methods=["DELETE"]),
        Route("/person/{object}/{id}/undelete", undelete, methods=["POST"]),
        Route("/settings", settings, methods=["GET", "POST"]),
    ]


async def _object(request: Request) -> Fields:
    try:
        value = from_json(await request.body())
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}
