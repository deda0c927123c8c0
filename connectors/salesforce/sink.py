"""Production status into Salesforce: sObject Collections upsert by external id (contract section 2).

An answer that never came needs no look-up: the upsert is idempotent, and the org's validation rule refuses an older
`Bus_Version__c`, so the same documents may simply be sent again. A lost answer is therefore a TransientError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from connectors.batching import batches, halved
from connectors.contract import ApiBudget, Rejection
from connectors.errors import AuthError, ConfigError, DataError, Throttled, TransientError
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.outcomes import Failure, SessionExpired, failure_of
from connectors.salesforce.rights import check_writing
from schemas.document import Document, Value

ROWS_PER_CALL = 200
ROUNDS = 4
"""How often rows that Salesforce could not lock are sent, before they are given back to be tried later."""

PAUSE_S = 0.25

OLDER_VERSION = "LINESHAFT_OLDER_VERSION"
"""How the validation rule on the status object begins its message: a newer state stands, so nothing is to be done."""

ALLOW_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}

Row: TypeAlias = tuple[int, Document]
"""A document with its index in the batch."""


class SalesforceSink:
    """Writes documents of the configured status object."""

    def __init__(self, config: SalesforceConfig, sleep: Callable[[float], None] = time.sleep) -> None:
        self._config = config
        self._client = Client(config)
        self._sleep = sleep

    @property
    def api_budget(self) -> ApiBudget | None:
        """Calls used of those allowed per day, as the newest answer said; None before the first."""
        return self._client.api_budget

    def open(self) -> None:
        """Log in and compare what will be written with what the user may write."""
        check_writing(self._client, self._config)

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """Upsert the documents; see `connectors.contract.Sink.write`."""
        rejected: list[Rejection] = []
        rows: list[Row] = []
        for index, document in enumerate(documents):
            problem = unfit(document, self._config.status_object)
            if problem:
                rejected.append(Rejection(index, problem))
            else:
                rows.append((index, document))
        for chunk in batches(rows, ROWS_PER_CALL, lambda row: row[1].id):
            rejected.extend(self._settle(chunk))
        return sorted(rejected, key=lambda rejection: rejection.index)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _settle(self, rows: Sequence[Row]) -> list[Rejection]:
        """Send rows until each is durable or can never be; those still locked after some rounds are to come later."""
        rejected: list[Rejection] = []
        duplicates: set[int] = set()
        failures: list[Failure] = []
        for round_number in range(ROUNDS):
            if round_number:
                self._sleep(PAUSE_S * 2 ** (round_number - 1))
            verdicts = halved(rows, self._send, lambda row, error: (row, Failure(error.code, str(error))))
            again: list[Row] = []
            failures = []
            for row, failure in verdicts:
                if failure is None:
                    continue
                if may_pass(failure, row[0] in duplicates):
                    again.append(row)
                    failures.append(failure)
                    if failure.code == "DUPLICATE_VALUE":
                        duplicates.add(row[0])
                else:
                    rejected.append(Rejection(row[0], failure.error))
            if not again:
                return rejected
            rows = again
        return [*rejected, *(Rejection(row[0], later(why)) for row, why in zip(rows, failures, strict=True))]

    def _send(self, rows: Sequence[Row]) -> list[tuple[Row, Failure | None]]:
        """One call, its verdicts by row. Raises DataError where it is refused as a whole."""
        path = f"composite/sobjects/{self._config.status_object}/{self._config.status_external_id}"
        body: Value = {"allOrNone": False, "records": [self._record(document) for _, document in rows]}
        try:
            answer = self._client.call("PATCH", path, body, ALLOW_DUPLICATES)
        except DataError as error:
            if error.code not in ("NOT_FOUND", "INVALID_TYPE"):
                raise
            remedy = "Check status_object and status_external_id."
            raise ConfigError("status_object", str(error), remedy) from error
        if not isinstance(answer, list) or len(answer) != len(rows):
            raise TransientError(f"PATCH {path}: {len(rows)} rows sent, the answer does not hold as many")
        return [(row, verdict(result)) for row, result in zip(rows, answer, strict=True)]

    def _record(self, document: Document) -> Mapping[str, Value]:
        return {
            "attributes": {"type": self._config.status_object},
            self._config.status_external_id: document.id,
            **document.fields,
        }


def unfit(document: Document, status_object: str) -> DataError | None:
    """Why the sink does not take a document, or None."""
    if document.type != status_object:
        return DataError(f"this sink writes {status_object} only, not {document.type}")
    if document.deleted:
        return DataError(f"{status_object} {document.id}: a production status is never deleted by the bus")
    if not document.id:
        return DataError(f"{status_object}: the external id is empty, so nothing says which record is meant")
    return None


def verdict(result: Value) -> Failure | None:
    """What became of one row: None for done, which a refused older version is as well."""
    if not isinstance(result, Mapping):
        return Failure("UNKNOWN_EXCEPTION", f"the row's result is no object: {result!r:.200}")
    if result.get("success") is True:
        return None
    errors = result.get("errors")
    failures = [failure_of(item) for item in errors if isinstance(item, Mapping)] if isinstance(errors, list) else []
    if not failures:
        return Failure("UNKNOWN_EXCEPTION", "the row failed without an error")
    if any(failure.message.startswith(OLDER_VERSION) for failure in failures):
        return None
    return next((failure for failure in failures if not failure.passes), failures[0])


def may_pass(failure: Failure, was_duplicate: bool) -> bool:
    """Whether the same row is worth sending again now. Raises where the whole batch must wait or stop.

    Two first upserts of one external id at the same time can collide; the second try becomes an update (contract
    section 4).
    """
    error = failure.error
    if isinstance(error, Throttled | AuthError):
        raise error
    if failure.code == "DUPLICATE_VALUE":
        return not was_duplicate
    return isinstance(error, TransientError | SessionExpired)


def later(failure: Failure) -> TransientError:
    """This row could not be written in ROUNDS calls that wrote others: a record that somebody holds for long."""
    return TransientError(f"{failure} (in {ROUNDS} rounds)")
