"""What a rule works with: the bench, the connector's instances, and records that no other rule uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from connectors.config import ConnectorConfig
from connectors.contract import Connector, Position, Webhook
from connectors.testing.bench import Bench, Facts, Held, SinkBench, SourceBench, WebhookBench
from connectors.testing.conformance.driven import DrivenSink, DrivenSource
from connectors.testing.conformance.rule import Broken, DoesNotApply
from schemas.document import Document, Fields

Ability = TypeVar("Ability")
T = TypeVar("T")


class Desk:
    """One running far system. `numbers` makes its records differ from those of the rules before."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._numbers = itertools.count(1)
        self._made: dict[str, object] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What several rules look at and only the first one has to make."""
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])

    @property
    def connector(self) -> Connector:
        """The connector under test."""
        return self.bench.connector

    @property
    def facts(self) -> Facts:
        """What the bench says of it."""
        return self.bench.facts

    def ability(self, kind: type[Ability]) -> Ability:
        """The bench as one that can do this. Raises DoesNotApply where it cannot."""
        return able(self.bench, kind)

    @property
    def people(self) -> SourceBench:
        """Who works in the far system."""
        return cast("SourceBench", self.bench)

    @property
    def far(self) -> SinkBench:
        """What the far system holds of the bus's writing."""
        return cast("SinkBench", self.bench)

    @property
    def pusher(self) -> WebhookBench:
        """What the far system pushes."""
        return cast("WebhookBench", self.bench)

    def config(self, **changes: object) -> ConnectorConfig:
        """The validated configuration for the running far system."""
        return self.connector.config.model_validate(self.bench.settings(**changes))

    def hurried(self) -> ConnectorConfig:
        """The same for an instance that will meet silence."""
        return self.config(**self.facts.hurry)

    # ── source ──

    def new_source(self, config: ConnectorConfig | None = None) -> DrivenSource:
        """An instance that is not open."""
        factory = self.connector.source
        assert factory is not None  # the rule's side says so
        return DrivenSource(factory(config or self.config()), self.facts)

    @contextmanager
    def source(
        self, position: Position | None = None, config: ConnectorConfig | None = None
    ) -> Iterator[DrivenSource]:
        """An open source behind a position, closed at the end."""
        driven = self.new_source(config)
        try:
            driven.open(position)
            yield driven
        finally:
            driven.close()
            driven.lane.close()

    def text(self, said: str = "pump") -> Fields:
        """Values with a text that no other record has."""
        return {self.facts.text_field: f"{said} {next(self._numbers)}"}

    def make(self, said: str = "pump") -> str:
        """A record that a person makes; its document's id."""
        return self.people.make(self.text(said))

    def make_many(self, count: int) -> list[str]:
        """So many records."""
        return [self.make() for _ in range(count)]

    # ── sink ──

    @contextmanager
    def sink(self, config: ConnectorConfig | None = None) -> Iterator[DrivenSink]:
        """An open sink, closed at the end."""
        driven = self.new_sink(config)
        try:
            driven.open()
            yield driven
        finally:
            driven.close()
            driven.lane.close()

    def new_sink(self, config: ConnectorConfig | None = None) -> DrivenSink:
        """An instance that is not open."""
        factory = self.connector.sink
        assert factory is not None  # the rule's side says so
        return DrivenSink(factory(config or self.config()), self.facts)

    def number(self) -> int:
        """The number of a document that no other rule writes."""
        return next(self._numbers)

    def document(self, number: int | None = None, version: int = 1, text: str = "") -> Document:
        """A document to write; the same number is the same record."""
        chosen = self.number() if number is None else number
        values = {self.facts.sink_text_field: text or f"bolt {chosen}"}
        return self.far.document(chosen, version, values)

    def documents(self, count: int) -> list[Document]:
        """So many, each about another record."""
        return [self.document() for _ in range(count)]

    def held(self, document: Document, after: str) -> Held:
        """The one record that the far system holds for a document. Raises Broken for none and for several."""
        found = self.far.held(document.id)
        if len(found) > 1:
            raise Broken(
                f"the far system holds {document.id} {len(found)} times after {after}: find the record by the bus's "
                "own key before making it, and send the key with it"
            )
        if not found:
            raise Broken(
                f"the far system does not hold {document.id} after {after}: a document that is not rejected must be "
                "durable when write returns"
            )
        return found[0]

    def check_held(self, documents: Sequence[Document], version: int, after: str) -> None:
        """Each is held once, in that version. Raises Broken for the first that is not."""
        for document in documents:
            held = self.held(document, after)
            if held.version != version:
                raise Broken(
                    f"the far system holds version {held.version} of {document.id} after {after}, not {version}"
                )

    # ── webhook ──

    def webhook(self, config: ConnectorConfig | None = None) -> Webhook:
        """A new instance."""
        factory = self.connector.webhook
        assert factory is not None  # the rule's side says so
        return factory(config or self.config())


def able(bench: Bench, kind: type[Ability]) -> Ability:
    """The bench as one that can do this, whether it runs or not. Raises DoesNotApply where it cannot."""
    if isinstance(bench, kind):
        return bench
    needed = sorted(name for name in vars(kind) if not name.startswith("_"))
    raise DoesNotApply(f"the bench has no {', '.join(needed)} ({kind.__name__}: {(kind.__doc__ or '').strip()})")
