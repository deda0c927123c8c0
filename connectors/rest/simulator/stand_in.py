"""The running shop: its parts put together, its address and its control endpoint."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from starlette.applications import Starlette

from connectors.contract import StandIn
from connectors.rest.simulator.declaration import PAGING, declaration, reading
from connectors.rest.simulator.front import KINDS, Front
from connectors.rest.simulator.keys import Keys, made_once
from connectors.rest.simulator.shop import Shop
from connectors.testing import (
    Clock,
    Faults,
    Holds,
    Ledger,
    Parts,
    RecordStore,
    Served,
    control_routes,
    issue,
    kept_port,
)


class Simulator:
    """A shop in a folder. Control, beside what `connectors.testing.control` has, under `/_control`:

    POST person/order        make an order; POST person/order/ID change it (`deleted` is a field)
    GET person/jobs          every job; GET person/statuses/KEY one status
    POST page_size {"size"}  rows in a page from now on, 50 at the start
    POST forget              every token and session has ended; POST forget_deltas: every delta token has
    GET tokens               every token and session that is good now
    POST clock {"offset_s"}  the shop's clock is off by so much
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._parts = folder, Parts(folder)

    def start(self) -> StandIn:
        """See `connectors.contract.Simulator.start`."""
        return self._parts.open(self._start)

    def stop(self) -> None:
        """Stop listening; the state stays on disk. Safe twice."""
        self._parts.close()

    def _start(self, parts: ExitStack) -> StandIn:
        certificates = issue(self._folder / "certificates")
        store = RecordStore(self._folder / "state.db")
        parts.callback(store.close)
        ledger = Ledger(self._folder / "ledger.jsonl")
        parts.callback(ledger.close)
        faults, holds, clock, kept = Faults(), Holds(), Clock(store), made_once(store)
        front = Front(Shop(store, clock.now_ms), Keys(kept, clock.now), faults, holds, ledger)
        control = control_routes(faults, ledger, holds, KINDS, [*front.people(), *clock.routes()])
        app = Starlette(routes=[*front.routes(), control])
        served = Served(app, kept_port(self._folder, "rest"), certificates, clock)
        served.start()
        parts.callback(served.stop)
        parts.callback(holds.release)
        lists = {style: reading(style) for style in PAGING}
        person = {**kept, "url": served.address, "lists": lists}
        config = declaration(served.address, str(certificates.ca), kept)
        return StandIn(config, f"{served.address}/_control", certificates.ca, person)
