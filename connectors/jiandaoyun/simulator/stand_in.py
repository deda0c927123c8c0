"""The running stand-in: its parts put together, its addresses and its control endpoint."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from connectors.contract import StandIn
from connectors.jiandaoyun.simulator.api import Api
from connectors.jiandaoyun.simulator.form import build
from connectors.jiandaoyun.simulator.gate import KINDS, Gate
from connectors.jiandaoyun.simulator.limits import Limits
from connectors.jiandaoyun.simulator.people import BIN, People
from connectors.jiandaoyun.simulator.push import Pusher, Target
from connectors.jiandaoyun.simulator.records import TABLE, Ids, Records
from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.jiandaoyun.simulator.transactions import TABLE as TRANSACTIONS
from connectors.jiandaoyun.simulator.transactions import Transactions
from connectors.testing import (
    Clock,
    Faults,
    Holds,
    Ledger,
    Parts,
    RecordStore,
    Served,
    backup_routes,
    control_routes,
    issue,
    kept_port,
)
from connectors.testing.control import answer
from schemas.document import Fields, from_json

SETTINGS = "settings"
TARGET = TypeAdapter(Target)
RESTORED = (TABLE, BIN, TRANSACTIONS)


class Simulator:
    """JianDaoYun in a folder. Control, beside what `connectors.testing.control` has, under `/_control`:

    POST person/...   a person's edits, see people.py
    POST push         {"url", "secret"?, "keys"?: alias|widget, "ca_file"?}; DELETE push switches it off
    GET push          {"waiting": n}
    POST limits       {"enforced": bool}; the rate limits are enforced at the start
    POST clock        {"offset_s": 3600}: the vendor's clock is an hour ahead (negative: behind, 0: right again);
                      every stamp, the pushes' timestamp and the header `Date` follow; GET clock tells it
    POST backup/NAME  the vendor backs up the records; POST restore/NAME brings them back as they were then: records,
                      recycle bin and transaction ids, not the company's ids, keys and push target. Nothing is pushed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._parts = folder, Parts(folder)

    def start(self) -> StandIn:
        """See `connectors.contract.Simulator.start`."""
        return self._parts.open(self._start)

    def stop(self) -> None:
        """Stop listening and pushing; the state stays on disk. Safe twice."""
        self._parts.close()

    def _start(self, parts: ExitStack) -> StandIn:
        certificates = issue(self._folder / "certificates")
        port = kept_port(self._folder, "jiandaoyun")
        store = RecordStore(self._folder / "state.db")
        parts.callback(store.close)
        ledger = Ledger(self._folder / "ledger.jsonl")
        parts.callback(ledger.close)
        settings = _settings(store)
        holds = Holds()
        clock = Clock(store)
        app = Starlette(routes=_assemble(parts, store, ledger, holds, settings, clock))
        served = Served(app, port, certificates, clock)
        served.start()
        parts.callback(served.stop)
        parts.callback(holds.release)
        config = {**settings, "base_url": f"{served.address}/api", "ca_file": str(certificates.ca)}
        person = {name: config[name] for name in ("base_url", "api_key", "app_id", "entry_id")}
        return StandIn(config, f"{served.address}/_control", certificates.ca, person)


def _settings(store: RecordStore) -> Fields:
    """Ids and secrets of this company, made once."""
    kept = store.get(SETTINGS, "company")
    if kept is None:
        kept = {
            "app_id": secrets.token_hex(12),
            "entry_id": secrets.token_hex(12),
            "api_key": secrets.token_urlsafe(24),
            "webhook_secret": secrets.token_urlsafe(18),
        }
        store.put(SETTINGS, "company", kept)
    return kept


def _assemble(
    parts: ExitStack, store: RecordStore, ledger: Ledger, holds: Holds, settings: Fields, clock: Clock
) -> list[BaseRoute]:
    form, faults, limits = build(), Faults(), Limits(enforced=True)
    ids = Ids(str(settings["app_id"]), str(settings["entry_id"]))
    records = Records(store, form, ids, clock.now_ms)
    pusher = Pusher(store, form, faults, ledger, clock.now)
    pusher.start()
    parts.callback(pusher.stop)
    api = Api(form, ids, records, Transactions(store, clock.now_ms), ledger, faults)

    def job_of(body: Fields) -> str:
        """The job order id that a call is about, as far as one can tell."""
        return _job_in(body) or _job_of_record(records, body)

    gate = Gate(api.endpoints(), str(settings["api_key"]), limits, faults, holds, ledger, job_of)
    people = People(form, ids, records, store, pusher, ledger)
    extra = [
        *people.routes(),
        *_push_routes(pusher, str(settings["webhook_secret"])),
        _limits_route(limits),
        *clock.routes(),
        *backup_routes(lambda name: store.back_up(name, RESTORED), lambda name: store.restore(name, RESTORED)),
    ]
    return [Mount("/api", routes=gate.routes()), control_routes(faults, ledger, holds, KINDS, extra)]


def _push_routes(pusher: Pusher, secret: str) -> list[BaseRoute]:
    async def aim(request: Request) -> Response:
        try:
            body = from_json(await request.body())
            given = {"secret": secret, **body} if isinstance(body, dict) else body
            pusher.aim(TARGET.validate_python(given, extra="forbid"))
        except (ValueError, ValidationError) as error:
            return answer({"error": str(error)}, 400)
        return answer({})

    async def switch_off(request: Request) -> Response:
        pusher.aim(None)
        return answer({})

    async def show(request: Request) -> Response:
        return answer({"waiting": pusher.waiting()})

    return [
        Route("/push", aim, methods=["POST"]),
        Route("/push", switch_off, methods=["DELETE"]),
        Route("/push", show, methods=["GET"]),
    ]


def _limits_route(limits: Limits) -> Route:
    async def switch(request: Request) -> Response:
        body = from_json(await request.body())
        if not isinstance(body, dict) or not isinstance(body.get("enforced"), bool):
            return answer({"error": '{"enforced": true or false}'}, 400)
        limits.enforced = body["enforced"] is True
        return answer({})

    return Route("/limits", switch, methods=["POST"])


def _job_in(body: Fields) -> str:
    rows = body.get("data_list")
    data = rows[0] if isinstance(rows, list) and rows else body.get("data")
    field = data.get("job_order_id") if isinstance(data, dict) else None
    return str(field.get("value") or "") if isinstance(field, dict) else ""


def _job_of_record(records: Records, body: Fields) -> str:
    data_id = body.get("data_id")
    if not isinstance(data_id, str) or not data_id:
        return ""
    try:
        return str(records.get(data_id)["job_order_id"])
    except Refusal:
        return ""
