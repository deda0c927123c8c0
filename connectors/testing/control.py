"""The control endpoint of a stand-in: scripted faults, the ledger, and answers that are held back."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from connectors.testing.faults import Fault, Faults
from connectors.testing.ledger import Ledger
from schemas.document import Fields, Value, from_json, to_json

LOOK_EVERY_S = 0.02


class Holds:
    """Answers that are held back until somebody lets them go. Thread-safe."""

    def __init__(self) -> None:
        self._released = 0
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many answers are held at this moment."""
        return self._waiting

    def release(self) -> None:
        """Let every answer go that is held now."""
        self._released += 1

    async def hold(self, request: Request) -> bool:
        """Wait until released (True) or until the client has hung up (False). The body must have been read."""
        mark = self._released
        self._waiting += 1
        try:
            while self._released == mark:
                if await request.is_disconnected():
                    return False
                await asyncio.sleep(LOOK_EVERY_S)
            return True
        finally:
            self._waiting -= 1


def control_routes(
    faults: Faults, ledger: Ledger, holds: Holds, kinds: Collection[str], extra: Sequence[BaseRoute] = ()
) -> Mount:
    """Everything under `/_control`: the routes named here and those that a stand-in adds for a person's edits.

    POST faults        one Fault as a JSON object, or a list of them; `kind` is one of `kinds`
    GET faults         {"pending": [...], "held": n}
    DELETE faults      forget the script and release what is held
    POST release       release what is held, keep the script
    GET ledger?kind=   {"entries": [...]}
    """

    async def add(request: Request) -> Response:
        try:
            script = parse_faults(from_json(await request.body()), kinds)
        except ValueError as error:
            return answer({"error": str(error)}, 400)
        for fault in script:
            faults.add(fault)
        return answer({"added": len(script)})

    async def show(request: Request) -> Response:
        return answer({"pending": [_shown(fault) for fault in faults.pending()], "held": holds.waiting})

    async def forget(request: Request) -> Response:
        faults.clear()
        holds.release()
        return answer({})

    async def let_go(request: Request) -> Response:
        holds.release()
        return answer({})

    async def read(request: Request) -> Response:
        entries = await asyncio.to_thread(ledger.entries, request.query_params.get("kind"))
        return answer({"entries": entries})

    routes: list[BaseRoute] = [
        Route("/faults", add, methods=["POST"]),
        Route("/faults", show, methods=["GET"]),
        Route("/faults", forget, methods=["DELETE"]),
        Route("/release", let_go, methods=["POST"]),
        Route("/ledger", read, methods=["GET"]),
    ]
    return Mount("/_control", routes=[*routes, *extra])


def answer(value: Value, status: int = 200) -> Response:
    """A JSON answer with exact decimals."""
    return Response(to_json(value), status, media_type="application/json")


def parse_faults(value: Value, kinds: Collection[str]) -> list[Fault]:
    """The faults of a control request's body. Raises ValueError that says what is wrong."""
    items = value if isinstance(value, list) else [value]
    return [_fault(item, kinds) for item in items]


def _fault(item: Value, kinds: Collection[str]) -> Fault:
    if not isinstance(item, dict) or item.keys() - {"kind", "times", "match", "arguments"}:
        raise ValueError(f"a fault is an object of kind, times, match and arguments, not {to_json(item)}")
    kind, times = item.get("kind"), item.get("times", 1)
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"no fault {to_json(kind)}; there are {', '.join(sorted(kinds))}")
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        raise ValueError(f"times of {kind} is a whole number from 1, not {to_json(times)}")
    return Fault(kind, times, _mapping(item, "match"), _mapping(item, "arguments"))


def _mapping(item: Fields, name: str) -> Fields:
    value = item.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} of a fault is an object, not {to_json(value)}")
    return value


def _shown(fault: Fault) -> Fields:
    return {
        "kind": fault.kind,
        "times": fault.times,
        "match": fault.match,
        "arguments": fault.arguments,
    }
