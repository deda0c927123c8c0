"""Which activation a process works with: the newest that fits it, also where the far system must be asked anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from connectors.config import ConnectorConfig
from connectors.contract import Connector
from connectors.errors import TransientError
from mappings import DefinitionError, DefinitionFile, definition, plan_id
from schemas.document import DocumentType, Field
from schemas.wire import Writer
from streams import live_plans
from streams.bus import Attached, Bus
from streams.definitions import NothingLive
from streams.kafka.cluster import Cluster
from streams.live_plans import LivePlans

MAPPING = """
mapping: far-order
version: {version}
from: far.Order
to: lineshaft.SalesOrder
fields:
  number: {{from: No, required: true}}
  type: {{const: sale}}
  released: {{const: true}}
  cancelled: {{const: false}}
  reference: {field}
"""


class Topic:
    """The topic of definitions as a follower of it sees it."""

    def __init__(self) -> None:
        self.added: list[bytes] = []

    def __call__(self, *_: object) -> Topic:
        return self

    def adds(self, field: str, version: int = 1) -> str:
        """An activation of one mapping that reads this field; its id."""
        file = definition(MAPPING.format(field=field, version=version), "far-order.yaml")
        record = _record(file)
        self.added.append(Writer("Definition")(record))
        return str(record["definition"])

    def read_whole(self) -> Iterator[Any]:
        return iter(self.news())

    def news(self) -> list[Any]:
        found, self.added = self.added, []
        return [Message(each) for each in found]

    def close(self) -> None:
        """Nothing is held."""


def _record(file: DefinitionFile) -> dict[str, Any]:
    kept = {name: getattr(file, name) for name in ("kind", "name", "version", "content_hash", "text")}
    return {"definition": plan_id([file]), "activated_at": 1, "activated_by": "anna", "files": [kept]}


class Message:
    """One message of the topic."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def value(self) -> bytes:
        return self._value


class FarSystem:
    """Its documents have the fields that it has now, as long as it can be asked."""

    def __init__(self) -> None:
        self.fields = ["No", "Note"]
        self.away = False

    def documents(self, _: ConnectorConfig) -> Sequence[DocumentType]:
        if self.away:
            raise TransientError("no answer")
        return (DocumentType("Order", tuple(Field(name, required=name == "No") for name in self.fields)),)


@pytest.fixture
def far() -> FarSystem:
    return FarSystem()


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    made = Topic()
    monkeypatch.setattr(live_plans, "Follower", made)
    return made


@pytest.fixture
def plans(topic: Topic, far: FarSystem) -> LivePlans:
    attached = Attached("crm", Connector("far", ConnectorConfig, far.documents), ConnectorConfig())
    return LivePlans(Bus(Cluster("nowhere:1"), 1, {"crm": attached}))


def refused() -> float | None:
    return REGISTRY.get_sample_value("lineshaft_definition_refused")


def test_the_same_plan_is_handed_out_until_something_else_is_activated(plans: LivePlans, topic: Topic) -> None:
    first = topic.adds("Note")
    plan = plans.current()
    assert plans.current() is plan
    second = topic.adds("Note", version=2)
    assert (plan.id, plans.current().id) == (first, second)
    assert REGISTRY.get_sample_value("lineshaft_live_definition_info", {"definition": second}) == 1
    assert REGISTRY.get_sample_value("lineshaft_live_definition_info", {"definition": first}) is None


def test_of_several_at_once_the_last_is_taken(plans: LivePlans, topic: Topic) -> None:
    topic.adds("Note")
    plans.current()
    topic.adds("Nowhere")
    last = topic.adds("No")
    assert plans.current().id == last
    assert plans.says() == {"definition": last}


def test_a_field_that_the_far_system_has_got_meanwhile_needs_no_restart(
    plans: LivePlans, topic: Topic, far: FarSystem
) -> None:
    topic.adds("Note")
    plans.current()
    far.fields.append("Wish")
    wanted = topic.adds("Wish")
    assert plans.current().id == wanted


def test_where_the_far_system_cannot_be_asked_it_is_asked_again_later(
    plans: LivePlans, topic: Topic, far: FarSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = topic.adds("Note")
    plans.current()
    far.fields.append("Wish")
    far.away = True
    wanted = topic.adds("Wish")
    assert plans.current().id == first
    assert "no answer" in plans.says()["definition_refused"]
    far.away = False
    assert plans.current().id == first
    later(plans, monkeypatch)
    assert plans.current().id == wanted
    assert (plans.says(), refused()) == ({"definition": wanted}, 0)


def later(plans: LivePlans, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time has come to ask again."""
    monkeypatch.setattr(plans, "_ask_at", 0.0)


def test_what_does_not_fit_is_refused_and_the_one_before_it_again_ends_the_refusal(
    plans: LivePlans, topic: Topic
) -> None:
    first = topic.adds("Note")
    plan = plans.current()
    topic.adds("Nowhere")
    assert plans.current() is plan
    assert "'Nowhere'" in plans.says()["definition_refused"]
    assert refused() == 1
    topic.adds("Note")
    assert plans.current() is plan
    assert (plans.says(), refused()) == ({"definition": first}, 0)


def test_a_process_that_begins_takes_the_newest_that_fits_and_tells_of_the_newer_one(
    plans: LivePlans, topic: Topic
) -> None:
    topic.adds("No")
    fits = topic.adds("Note")
    topic.adds("Nowhere")
    topic.added.append(b"somebody else's")
    assert plans.current().id == fits
    assert "'Nowhere'" in plans.says()["definition_refused"]


def nothing(topic: Topic) -> None:
    """Nothing was ever activated."""


def only_what_does_not_fit(topic: Topic) -> None:
    topic.adds("Nowhere")


@pytest.mark.parametrize(("activated", "error"), [(nothing, NothingLive), (only_what_does_not_fit, DefinitionError)])
def test_a_process_without_anything_that_fits_does_not_begin(
    plans: LivePlans, topic: Topic, activated: Callable[[Topic], None], error: type[Exception]
) -> None:
    activated(topic)
    with pytest.raises(error):
        plans.current()
