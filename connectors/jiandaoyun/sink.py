"""Makes work orders in JianDaoYun what the bus wants of them, with a look-up by our key before every write."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connectors.contract import Rejection
from connectors.errors import Conflict, DataError, FarError, TransientError
from connectors.jiandaoyun import form
from connectors.jiandaoyun.answers import SUBMIT_FAILED, TRANSACTION_USED
from connectors.jiandaoyun.client import Client
from connectors.jiandaoyun.commands import Create, Update, plan
from connectors.jiandaoyun.documents import Reader, has_id
from connectors.settling import one_by_one, until_known
from schemas.document import Document, Fields, Value, to_json

KEY = "job_order_id"
REMEMBERED = 100_000
"""Work orders whose records one instance remembers."""

TRANSACTIONS = uuid.UUID("5f0b6b0e-6f4b-5d0a-9d38-6c1a3f6f2f10")
"""Namespace of the transaction ids: one per job order, so that a repeat within the hour makes no second record."""


class JianDaoYunSink:
    """Writes documents `work_order`; their id is the job order id, their `state` what is wanted.

    The vendor has no conditional write: the stored version is read just before each update, and the race that
    is left is the time of one call.
    """

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader
        self._record_ids: OrderedDict[str, str] = OrderedDict()

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._client.take_share(share)

    def open(self) -> None:
        """Check that the form has every field. Raises ConfigError or AuthError."""
        form.check(self._client.widgets())

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        found: dict[str, Sequence[Fields]] = dict(self._look_up(document.id for document in documents))

        def settle(index: int, document: Document) -> None:
            records = found.pop(document.id, None)
            self._settle(document, records if records or index == 0 else None)

        return one_by_one(documents, settle, _later)

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._client.close()

    def _settle(self, document: Document, found: Sequence[Fields] | None) -> None:
        """Look up, write, and where nobody knows whether that happened look up again before another write.

        Without `found` it is looked up first; so is what the batch's look-up missed some calls ago: a creation
        overwrites what another sink made of the same work order meanwhile, with all that people reported on it.
        """
        known = [] if found is None else [found]

        def attempt() -> None:
            records = known.pop() if known else self._look_up([document.id])[document.id]
            self._bring_about(document, records)

        until_known(attempt, f"work order {document.id}")

    def _bring_about(self, document: Document, records: Sequence[Fields]) -> None:
        if len(records) > 1:
            ids = ", ".join(str(record["_id"]) for record in records)
            raise DataError(f"work order {document.id} exists {len(records)} times ({ids}): delete all but one")
        record = records[0] if records else self._remembered(document.id)
        if record is not None:
            self._remember(document.id, str(record["_id"]))
        step = self._plan(document, record)
        if isinstance(step, Create):
            self._create(document, step)
        elif isinstance(step, Update):
            self._update(document, step)

    def _remember(self, job_order_id: str, data_id: str) -> None:
        self._record_ids[job_order_id] = data_id
        self._record_ids.move_to_end(job_order_id)
        if len(self._record_ids) > REMEMBERED:
            self._record_ids.popitem(last=False)

    def _remembered(self, job_order_id: str) -> Fields | None:
        """The record that was there before and that the look-up misses now, as while a person recovers it."""
        data_id = self._record_ids.get(job_order_id)
        return None if data_id is None else self._client.record(data_id)

    def _update(self, document: Document, step: Update) -> None:
        """Plan again on what is stored at this moment: since the look-up a person may have started the order."""
        record = self._client.record(step.data_id)
        if record is None:
            raise DataError(f"work order {document.id} ({step.data_id}) was deleted while it was being written")
        fresh = self._plan(document, record)
        if isinstance(fresh, Update):
            self._client.update(fresh.data_id, _wire(fresh.values))

    def _create(self, document: Document, step: Create) -> None:
        try:
            data_id = self._client.create(_wire(step.values), str(uuid.uuid5(TRANSACTIONS, document.id)))
        except DataError as error:
            if error.code != TRANSACTION_USED:
                raise
            raise DataError(
                f"work order {document.id} was made within the last hour and is gone: somebody deleted it, "
                "and it is not made again by itself",
                code=error.code,
            ) from error
        self._remember(document.id, data_id)

    def _plan(self, document: Document, record: Fields | None) -> Create | Update | None:
        if record is None and document.id in self._record_ids:
            return plan(replace(document, fields={**document.fields, "known": True}), None)
        if record is None:
            return plan(document, None)
        return plan(document, self._reader.content(record), str(record["_id"]))

    def _look_up(self, ids: Iterable[str]) -> Mapping[str, Sequence[Fields]]:
        found: dict[str, list[Fields]] = {key: [] for key in ids}
        for record in self._client.by_text(KEY, list(found)):
            if not has_id(record):
                raise TransientError(f"data/list answered a record without its _id: {to_json(record)[:200]}")
            found.setdefault(str(record.get(KEY)), []).append(record)
        return found


def _later(error: DataError | Conflict) -> FarError:
    """A submission that failed twice says nothing about the record (contract 5): worth another try, but later."""
    failed = isinstance(error, DataError) and error.code == SUBMIT_FAILED
    return TransientError(str(error)) if failed else error


def _wire(values: Fields) -> Fields:
    """Values as the API takes them: a date as midnight UTC (contract 4), an empty text as ''."""
    types = {field.alias: field.type for field in form.work_order().fields}
    return {alias: _wire_value(types[alias], value) for alias, value in values.items()}


def _wire_value(kind: form.WidgetType, value: Value) -> Value:
    if kind == "date" and value is not None:
        return f"{value}T00:00:00.000Z"
    return "" if kind in ("text", "combo") and value is None else value
