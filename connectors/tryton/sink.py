"""Hands documents to our module inside Tryton, which makes all of a batch true in one transaction or none.

The module finds the record by the bus's own key, keeps the newer version, and says why it refuses what can never be
written; so a repeat changes nothing, and after an unknown outcome the same call asks and tells at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.batching import halved, runs
from connectors.contract import Rejection
from connectors.errors import DataError, UnknownOutcome
from connectors.settling import until_known
from connectors.tryton.checks import check_server
from connectors.tryton.client import Client
from connectors.tryton.roots import DELETIONS
from schemas.document import Document, Fields, Value


@dataclass(frozen=True)
class Writing:
    """One method of the module: of which model, the name of its list of records, and how a document becomes one.

    `batch` is how many go into one call, so that a busy server answers well within the time-out: a production with
    its moves and works took it 0.2 s, a status 7 ms.
    """

    model: str
    action: str
    records: str
    batch: int
    made: Callable[[Document], Fields]
    settings: Mapping[str, Value] = field(default_factory=dict)


class TrytonSink:
    """Writes the documents of one kind."""

    def __init__(self, client: Client, writing: Writing) -> None:
        self._client, self._writing = client, writing

    def open(self) -> None:
        """Check that the server has what is called. Raises ConfigError or AuthError."""
        check_server(self._client, (self._writing.model, DELETIONS))

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        rejected: list[Rejection] = []
        made: list[tuple[int, Fields]] = []
        for index, document in enumerate(documents):
            try:
                made.append((index, self._writing.made(document)))
            except DataError as error:
                rejected.append(Rejection(index, error))
        for run in runs(made, self._writing.batch):
            verdicts = halved(run, self._verdicts, lambda row, error: Rejection(row[0], error))
            rejected += [verdict for verdict in verdicts if verdict is not None]
        return rejected

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._client.close()

    def _verdicts(self, made: Sequence[tuple[int, Fields]]) -> list[Rejection | None]:
        """One call. Where Tryton itself refuses it, nothing was written."""
        reasons = zip(made, self._call([each for _, each in made]), strict=True)
        return [Rejection(index, DataError(why, code="refused")) if why else None for (index, _), why in reasons]

    def _call(self, records: list[Fields]) -> list[str]:
        """The reason of each refusal, "" where there is none; asked again while nobody knows what happened."""
        model, action = self._writing.model, self._writing.action
        arguments: Mapping[str, Value] = {self._writing.records: records, **self._writing.settings}
        return until_known(lambda: _reasons(self._client.call(model, action, arguments), len(records)), action)


def _reasons(answer: Value, count: int) -> list[str]:
    verdicts = answer if isinstance(answer, list) else []
    if len(verdicts) != count:
        raise UnknownOutcome(f"{len(verdicts)} verdicts on {count} records: is our module of another version?")
    return [str(each.get("refused") or "") if isinstance(each, dict) else "" for each in verdicts]
