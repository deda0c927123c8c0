"""A vendor's backup of a stand-in, and its restore: the records go back, the system's identity stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.testing.control import answer


def backup_routes(back_up: Callable[[str], None], restore: Callable[[str], bool]) -> Sequence[BaseRoute]:
    """POST backup/{name} keeps the state; POST restore/{name} brings it back. To be mounted under /_control."""

    async def keep(request: Request) -> Response:
        name = request.path_params["name"]
        await asyncio.to_thread(back_up, name)
        return answer({"kept": name})

    async def bring_back(request: Request) -> Response:
        name = request.path_params["name"]
        if not await asyncio.to_thread(restore, name):
            return answer({"error": f"no backup {name!r}; make one by POST /_control/backup/{name}"}, 404)
        return answer({"restored": name})

    return [
        Route("/backup/{name}", keep, methods=["POST"]),
        Route("/restore/{name}", bring_back, methods=["POST"]),
    ]
