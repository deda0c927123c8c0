"""A person at the org's own screens, behind the bus's back; and what an administrator sets.

POST   /_control/person/{object}            create; the fields as a JSON object
POST   /_control/person/{object}/{id}       edit fields
DELETE /_control/person/{object}/{id}       delete; with ?purge=true from the recycle bin as well
POST   /_control/person/{object}/{id}/undelete
GET    /_control/settings                   POST changes some
POST   /_control/clock                      {"offset_s": 3600}: the org's clock is an hour ahead (negative: behind, 0:
                                            right again); every stamp, commit time and `Date` follows, the login does
                                            not; GET tells it
POST   /_control/backup/{name}              the vendor backs the org up
POST   /_control/restore/{name}             ... and brings it back as it was then: records, numbers, event log and
                                            replay ids, not settings and sessions; every subscription breaks off
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.model import object_of
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.transaction import Transaction
from connectors.testing import Ledger, backup_routes
from connectors.testing.control import answer
from schemas.document import Fields, Value, from_json

ORIGIN = "com/salesforce/ui"

Act: TypeAlias = Callable[[Transaction, str], Value]


class Person:
    """The control endpoint's hands in one org."""

    def __init__(self, org: Org, ledger: Ledger) -> None:
        self._org = org
        self._ledger = ledger

    def routes(self) -> list[BaseRoute]:
        """The routes, to be mounted under /_control."""
        return [
            Route("/person/{object}", self._create, methods=["POST"]),
            Route("/person/{object}/{id}", self._edit, methods=["POST"]),
            Route("/person/{object}/{id}", self._delete, methods=["DELETE"]),
            Route("/person/{object}/{id}/undelete", self._undelete, methods=["POST"]),
            Route("/settings", self._show_settings, methods=["GET"]),
            Route("/settings", self._change_settings, methods=["POST"]),
            *self._org.clock.routes(),
            *backup_routes(self._org.back_up, self._org.restore),
        ]

    async def _create(self, request: Request) -> Response:
        fields = fields_in(await request.body())
        return await self._done(request, "create", lambda each, name: each.create(name, fields))

    async def _edit(self, request: Request) -> Response:
        fields, record_id = fields_in(await request.body()), request.path_params["id"]
        return await self._done(request, "edit", lambda each, name: each.update(name, record_id, fields))

    async def _delete(self, request: Request) -> Response:
        purge, record_id = request.query_params.get("purge") == "true", request.path_params["id"]

        def act(transaction: Transaction, name: str) -> Value:
            transaction.delete(name, record_id)
            if purge:
                transaction.purge(name, record_id)
            return {}

        return await self._done(request, "delete", act)

    async def _undelete(self, request: Request) -> Response:
        record_id = request.path_params["id"]

        def act(transaction: Transaction, name: str) -> Value:
            transaction.undelete(name, record_id)
            return {}

        return await self._done(request, "undelete", act)

    async def _done(self, request: Request, what: str, act: Act) -> Response:
        definition = object_of(request.path_params["object"])
        if definition is None:
            return answer({"error": f"no object {request.path_params['object']}"}, 404)
        try:
            result = await asyncio.to_thread(self._committed, definition.name, act)
        except ApiError as error:
            return answer(error.answer().body, error.status)
        self._ledger.record("person", did=what, object=definition.name, id=request.path_params.get("id"))
        return answer(result)

    def _committed(self, name: str, act: Act) -> Value:
        with self._org.transaction(ORIGIN) as transaction:
            return act(transaction, name)

    async def _show_settings(self, request: Request) -> Response:
        return answer(self._org.settings.all())

    async def _change_settings(self, request: Request) -> Response:
        try:
            self._org.settings.change(fields_in(await request.body()))
        except ValueError as error:
            return answer({"error": str(error)}, 400)
        return answer(self._org.settings.all())


def fields_in(body: bytes) -> Fields:
    """The JSON object of a control request; an empty body is an empty one. Raises HTTPException 400 for others."""
    try:
        value = from_json(body) if body else {}
    except ValueError as error:
        raise HTTPException(400, f"the body is no JSON ({error})") from error
    if not isinstance(value, Mapping):
        raise HTTPException(400, "the body is no JSON object of fields")
    return value
