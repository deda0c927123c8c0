"""The ingress: far systems push to `POST /webhooks/<connector>`; what is mapped is on the bus before the answer.

Any number of replicas; an idempotent producer and no transaction. A repeat falls to the revision, and the poll of the
same system closes every gap.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from threading import Lock

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.contract import Request, Webhook
from connectors.errors import AuthError, DataError, FarError
from schemas.catalog import IN_SEQUENCE
from schemas.document import Document
from streams import metrics, shares
from streams.bus import Bus
from streams.clock import next_version, now_us
from streams.intake import Intake, Refused, stage_of
from streams.kafka.client import KafkaError, KafkaException, Producer
from streams.kafka.transaction import Outgoing, produce
from streams.live_plans import LivePlans
from streams.parked_pushes import ParkedPushes
from streams.parking import Parking
from streams.references import ReferenceTables

log = logging.getLogger(__name__)

DELIVERY_S = 20.0
LONGEST_BODY = 10 * 1024 * 1024


class Ingress:
    """Takes pushes for every connector that has a webhook."""

    def __init__(self, bus: Bus, plans: LivePlans) -> None:
        self._bus, self._plans = bus, plans
        self._producer: Producer = bus.cluster.producer()
        self._references = ReferenceTables(bus.cluster)
        self._webhooks: dict[str, Webhook] = {}
        self._intakes: dict[str, Intake] = {}
        self._parked = {name: ParkedPushes(bus.cluster, name) for name in bus.webhooks}
        for name in bus.webhooks:
            attached = bus.attached[name]
            self._webhooks[name] = self._webhook(name)
            self._intakes[name] = Intake(
                name, attached.connector.name, bus.partitions, plans.current(), self._references, bus.cluster.ids
            )
        self._version = 0
        self._one_at_a_time = Lock()

    def _webhook(self, name: str) -> Webhook:
        attached = self._bus.attached[name]
        assert attached.connector.webhook is not None
        webhook = attached.connector.webhook(attached.config)
        shares.take(webhook, shares.PARTS["ingress"])
        return webhook

    def open(self) -> None:
        """Read the reference data, and what is parked."""
        self._references.load()
        for each in self._parked.values():
            each.load()

    def close(self) -> None:
        """Let go of Kafka."""
        self._producer.flush(DELIVERY_S)
        self._references.close()
        for each in self._parked.values():
            each.close()

    def says(self) -> Mapping[str, str]:
        """What is live, for the health page, also where nothing was pushed since it was activated."""
        self._plans.current()
        return self._plans.says()

    def routes(self) -> list[Route]:
        """The HTTP routes."""
        return [Route("/webhooks/{name}", self._receive, methods=["POST"])]

    def app(self) -> Starlette:
        """The application without anything else."""
        return Starlette(routes=self.routes())

    async def _receive(self, http: HttpRequest) -> Response:
        name = http.path_params["name"]
        if name not in self._webhooks:
            return JSONResponse({"error": f"no webhook {name!r}; there are {sorted(self._webhooks)}"}, 404)
        body = await _body(http)
        if body is None:
            return JSONResponse({"error": f"longer than {LONGEST_BODY} bytes"}, 413)
        request = Request(http.method, http.url.path, dict(http.query_params), dict(http.headers), body)
        return await run_in_threadpool(self._answer, name, request)

    def _answer(self, name: str, request: Request) -> Response:
        try:
            with self._one_at_a_time:
                self._publish(name, self._webhooks[name].receive(request))
        except AuthError as error:
            metrics.FAR_ERRORS.labels(f"ingress.{name}", "AuthError").inc()
            return JSONResponse({"error": str(error)}, 401)
        except DataError as error:
            metrics.FAR_ERRORS.labels(f"ingress.{name}", "DataError").inc()
            return JSONResponse({"error": str(error)}, 400)
        except (KafkaException, FarError) as error:
            self._webhooks[name] = self._webhook(name)  # what it remembers as taken was not
            log.error("ingress %s: not delivered, the far system will push again: %s", name, error)
            return JSONResponse({"error": "not stored; push it again"}, 503)
        return JSONResponse({"status": "success"})

    def _publish(self, name: str, documents: Sequence[Document]) -> None:
        """Make all of them durable, then close what they supersede. Raises KafkaException where that is not sure."""
        self._references.news()
        intake, parked = self._intakes[name], self._parked[name]
        intake.plan = self._plans.current()
        parked.news()
        outcomes = [(document, self._taken(intake, document)) for document in documents]
        self._deliver([record for _, taken in outcomes for record in self._records(name, intake, taken)])
        for _, taken in outcomes:
            if isinstance(taken, Refused):
                parked.add(intake.partition(taken.incoming), taken.incoming)
        through = [each for each, taken in outcomes if not isinstance(taken, Refused)]
        alone = [each for each in through if intake.record_of(each) not in IN_SEQUENCE]
        self._deliver([record for each in alone for record in parked.superseded(intake.named(each))])

    def _deliver(self, records: Sequence[Outgoing]) -> None:
        """Produce all of them and wait for every delivery report."""
        failed: list[KafkaError] = []
        for record in records:
            produce(
                self._producer,
                self._bus.cluster,
                record,
                lambda error, _: failed.append(error) if error is not None else None,
            )
        if self._producer.flush(DELIVERY_S):
            raise KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))
        if failed:
            raise KafkaException(failed[0])

    def _taken(self, intake: Intake, document: Document) -> Outgoing | Refused | None:
        self._version = next_version(self._version, now_us())
        return intake.take(document, self._version)

    def _records(self, name: str, intake: Intake, taken: Outgoing | Refused | None) -> list[Outgoing]:
        if taken is None:
            return []
        if isinstance(taken, Refused):
            return [self._to_park(name, intake, taken)]
        metrics.PUBLISHED.labels(f"ingress.{name}", taken.topic).inc()
        return [taken]

    def _to_park(self, name: str, intake: Intake, refused: Refused) -> Outgoing:
        """Park for the source's task, which owns what it finds there; the same record takes the same place."""
        metrics.PARKED.labels(f"ingress.{name}", refused.reason.cause).inc()
        log.warning("ingress %s: parked %s: %s", name, refused.incoming.parked_id, refused.reason.message)
        parking = Parking(self._bus.cluster, stage_of(name), intake.plan.id)
        return parking.record(intake.partition(refused.incoming), refused.incoming, refused.reason, now_us())


async def _body(http: HttpRequest) -> bytes | None:
    """The body; None as soon as it is longer than is taken."""
    body = bytearray()
    async for part in http.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)
