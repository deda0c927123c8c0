"""The live plan of one process: what is live, compiled, and changed between two batches when something is activated.

A task asks for the plan at the beginning of each batch and uses it to the end of it. An activation that cannot be
compiled here, as when this process's connector does not know a document, is refused: the plan before it stays in
force, and metric, log and health page say so until another activation fits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from threading import Lock

from connectors.errors import FarError
from mappings import DefinitionError, Plan, compile_plan
from schemas.catalog import DEFINITIONS
from schemas.codec import CodecError
from streams import metrics
from streams.bus import Bus, document_types
from streams.definitions import Activation, NothingLive, activation_of
from streams.kafka.client import Message
from streams.kafka.reading import Follower

log = logging.getLogger(__name__)

ASK_AGAIN_S = 30.0


class LivePlans:
    """Follows `bus.definitions`. May be shared by the threads of a process: each activation is compiled once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._read = bus.cluster.reader("Definition")
        self._follower = Follower(bus.cluster, DEFINITIONS)
        self._plan: Plan | None = None
        self._refused = ""
        self._waiting: Activation | None = None
        self._ask_at = 0.0
        self._one_at_a_time = Lock()

    def current(self) -> Plan:
        """The plan in force from now on: the newest activation that can be compiled here.

        The first call reads the topic whole, later ones take what was activated since, without waiting. Raises
        NothingLive, or DefinitionError where no activation fits the connectors; only on the first call.
        """
        with self._one_at_a_time:
            if self._plan is None:
                return self._first()
            news = self._activations(self._follower.news())
            if news:
                self._switch(self._plan, news[-1])
            elif self._waiting is not None and time.monotonic() > self._ask_at:
                self._switch(self._plan, self._waiting)
            return self._plan

    def says(self) -> Mapping[str, str]:
        """For the health page: the id of the live definition, and why a newer one was refused here."""
        refused = {"definition_refused": self._refused} if self._refused else {}
        return {"definition": "" if self._plan is None else self._plan.id, **refused}

    def close(self) -> None:
        """Release the consumer."""
        self._follower.close()

    def _first(self) -> Plan:
        """Whoever begins takes what the others have: where they refused the newest, the one before it."""
        known = self._activations(self._follower.read_whole())
        if not known:
            raise NothingLive(
                "no mapping is live on this bus: run `lineshaft up`, which activates what has no live version"
            )
        newest = known[-1]
        refusal: DefinitionError | None = None
        for each in reversed(known):
            try:
                plan = compile_plan(each.files, self._bus.document_types)
            except DefinitionError as error:
                refusal = refusal or error
                continue
            self._use(plan)
            if refusal is not None:
                self._refuse(newest, refusal)
            return plan
        assert refusal is not None
        raise refusal

    def _activations(self, messages: Iterable[Message]) -> list[Activation]:
        found = []
        for message in messages:
            try:
                found.append(activation_of(self._read(message.value())))
            except CodecError as error:
                log.error("%s: a record that is no activation was left out: %s", DEFINITIONS, error)
        return found

    def _switch(self, before: Plan, activation: Activation) -> None:
        self._waiting = None
        if activation.definition == before.id:
            self._use(before)
            return
        try:
            self._use(self._compiled(activation))
        except DefinitionError as error:
            self._refuse(activation, error)
        except FarError as error:
            self._refuse(activation, error)
            self._waiting, self._ask_at = activation, time.monotonic() + ASK_AGAIN_S
        else:
            log.info("definition %s of %s is live, before it %s", activation.definition, activation.who, before.id)

    def _compiled(self, activation: Activation) -> Plan:
        """Against the documents as they were; where they do not fit, as the far systems describe them now."""
        try:
            return compile_plan(activation.files, self._bus.document_types)
        except DefinitionError:
            return compile_plan(activation.files, document_types(self._bus.attached))

    def _use(self, plan: Plan) -> None:
        self._plan, self._refused = plan, ""
        metrics.DEFINITION_REFUSED.set(0)
        metrics.LIVE_DEFINITION.clear()
        metrics.LIVE_DEFINITION.labels(plan.id).set(1)

    def _refuse(self, activation: Activation, error: Exception) -> None:
        self._refused = f"definition {activation.definition} of {activation.who} cannot be used here: {error}"
        metrics.DEFINITION_REFUSED.set(1)
        log.error("%s; the one before it stays in force", self._refused)
