"""The clock of a stand-in: the machine's, off by as much as a test says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from connectors.testing.control import answer
from connectors.testing.store import RecordStore
from schemas.document import from_json

TABLE = "clock"


class Clock:
    """Seconds since 1970 as the far system sees them; the offset is kept on disk. Thread-safe."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        kept = (store.get(TABLE, "offset") or {}).get("offset_s", 0)
        self._offset_s = float(kept) if isinstance(kept, int | Decimal) else 0.0

    def now(self) -> float:
        """What the far system's stamps and its `Date` header say, seconds."""
        return time.time() + self._offset_s

    def now_ms(self) -> int:
        """The same in milliseconds."""
        return int(self.now() * 1000)

    def shift(self, offset_s: int | Decimal) -> None:
        """Be `offset_s` seconds ahead of the machine's clock (behind where negative); 0 is right again."""
        self._store.put(TABLE, "offset", {"offset_s": offset_s})
        self._offset_s = float(offset_s)

    def routes(self) -> Sequence[BaseRoute]:
        """POST clock {"offset_s": seconds}; GET clock {"offset_s": seconds}. To be mounted under /_control."""

        async def change(request: Request) -> Response:
            body = from_json(await request.body())
            offset_s = body.get("offset_s") if isinstance(body, dict) else None
            if isinstance(offset_s, bool) or not isinstance(offset_s, int | Decimal):
                return answer({"error": '{"offset_s": seconds ahead of the machine\'s clock}'}, 400)
            self.shift(offset_s)
            return answer({"offset_s": offset_s})

        async def show(request: Request) -> Response:
            return answer({"offset_s": Decimal(str(self._offset_s))})

        return [Route("/clock", change, methods=["POST"]), Route("/clock", show, methods=["GET"])]


class Dated:
    """An ASGI application whose answers carry the stand-in's own `Date`."""

    def __init__(self, app: Starlette, clock: Clock) -> None:
        self._app, self._clock = app, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, dated."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["date"] = formatdate(self._clock.now(), usegmt=True)
            await send(message)

        await self._app(scope, receive, dated)
