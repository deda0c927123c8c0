"""Activating on a running bus: between two batches, in every role, there and back; what does not fit is refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from connectors.contract import Batch
from mappings import DefinitionError, DefinitionFile, compile_plan, definition, shipped
from schemas.catalog import ITEMS, ORDERS
from schemas.event import Event
from schemas.identity import revision
from schemas.wire import DEFINITION, REVISION
from streams.audit import AuditLog, NotAudited, entries
from streams.clock import now_us
from streams.definitions import ActivatedMeanwhile, activate, history, live
from streams.ingress import Ingress
from streams.live_plans import LivePlans
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_task import SourceTask
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, order_event, running, until
from tests.integration.scripted_far_system import (
    Http,
    Script,
    ScriptedSink,
    ScriptedSource,
    ScriptedWebhook,
    attached,
    definitions,
    far_bus,
    order,
)
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


def edited(files: Sequence[DefinitionFile], name: str, old: str, new: str) -> list[DefinitionFile]:
    """The files with one text replaced in the file of that name, and its version raised."""
    assert any(each.name == name and old in each.text for each in files)
    return [_edited(each, old, new) if each.name == name else each for each in files]


def _edited(file: DefinitionFile, old: str, new: str) -> DefinitionFile:
    text = file.text.replace(old, new).replace(f"version: {file.version}", f"version: {file.version + 1}")
    return definition(text, file.file)


def jobs(kafka: BusOnKafka) -> list[Event]:
    """The job orders of both lanes by their versions; the lanes may overtake each other."""
    both = [*kafka.events("sink.plant-a", "JobOrder"), *kafka.events("sink.plant-a.bulk", "JobOrder")]
    return sorted(both, key=lambda each: each.version)


def made_with(event: Event) -> str:
    return event.headers[DEFINITION]


def refused() -> float | None:
    return REGISTRY.get_sample_value("lineshaft_definition_refused")


# the three edges: source, ingress and sink, on one bus


class Edges:
    """A source, an ingress and a sink at work, and orders and statuses without end."""

    def __init__(self, kafka: BusOnKafka, script: Script, http: Http) -> None:
        self.kafka, self.script, self.http = kafka, script, http
        self._numbers = itertools.count(1)

    def one_more(self) -> None:
        """One order polled, one pushed, one status to write."""
        number = next(self._numbers)
        self.script.steps.append(Batch([order(f"s{number}")], {"at": number}))
        pushed = json.dumps([{"No": f"p{number}", "Ready": True}])
        answer = self.http.ask("POST", "/webhooks/crm", content=pushed, headers={"X-Signature": "good"})
        assert answer.status_code == 200
        key, at = f"crm:t{number}", now_us()
        zero = dict.fromkeys(("good", "scrap", "rework"), 0)
        value: Any = {"order_key": key, "number": f"t{number}", "state": "running", "percent": number, **zero}
        self.kafka.put("sink.crm", Event("OrderStatus", key, key, f"{key}/{at}", "pipeline", at, at, value))

    def orders(self, first: str) -> list[Event]:
        return [each for each in self.kafka.events(ORDERS, "SalesOrder") if each.subject.startswith(f"crm:{first}")]

    def written(self) -> list[str]:
        return [str(each.fields["Reason"]) for write in self.script.writes for each in write]

    def refuses(self, plans: LivePlans) -> Callable[[], bool]:
        def told() -> bool:
            self.one_more()
            return "definition_refused" in plans.says()

        return told

    def until_all_use(self, plan: str, reason: str) -> None:
        def used() -> bool:
            self.one_more()
            last = [made_with(self.orders(each)[-1]) for each in "sp" if self.orders(each)]
            return last == [plan, plan] and self.written()[-1:] == [reason]

        until(used, f"every role uses {plan}")


def test_the_edges_switch_under_load_there_and_back_and_refuse_what_does_not_fit(
    raw: RawKafka, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script()
    far = {
        "crm": attached(
            "crm",
            source=lambda _: ScriptedSource(script),
            sink=lambda _: ScriptedSink(script),
            webhook=lambda _: ScriptedWebhook(),
        )
    }
    kafka = far_bus(raw, topic_prefix, 1, far)
    cluster, crm = kafka.bus.cluster, kafka.bus.attached["crm"]
    first = live(cluster).definition
    plans, ingress = kafka.plans, Ingress(kafka.bus, kafka.plans)
    ingress.open()
    changed = edited(definitions(), "far-order", "reference: Note", "reference: {const: second}")
    rule = "{from: reason, link: {kind: reason, from: $connector, to: $destination}}"
    changed = edited(changed, "far-status", rule, "{const: second}")
    bad = edited(changed, "far-order", "from: far.Order", "from: far.Nothing")
    edges = Edges(kafka, script, Http(ingress.app()))
    with (
        running(SourceTask(kafka.bus, crm, plans)),
        running(SinkTask(kafka.bus, crm, kafka.plans)),
    ):
        edges.until_all_use(first, "None")
        second = activate(cluster, changed, "anna")
        edges.until_all_use(second, "second")
        activate(cluster, bad, "ben")
        until(edges.refuses(plans), "the bad one is refused")
        assert "'far.Nothing', which there is not" in plans.says()["definition_refused"]
        assert (plans.says()["definition"], refused()) == (second, 1)
        until(lambda: "the one before it stays in force" in caplog.text, "the log")
        edges.until_all_use(second, "second")
        assert kafka.plans.current().id == second  # whoever begins now takes what the others have
        assert activate(cluster, live_before(kafka, first), "anna") == first
        edges.until_all_use(first, "None")
        assert (ingress.says(), plans.says(), refused()) == ({"definition": first}, {"definition": first}, 0)
    ingress.close()
    for kind in "sp":
        found = edges.orders(kind)
        assert [key for key, _ in itertools.groupby(map(made_with, found))] == [first, second, first]
        assert all((each.value["reference"] == "second") is (made_with(each) == second) for each in found)
        subjects = [each.subject for each in found]
        assert len(subjects) == len(set(subjects))
    assert [key for key, _ in itertools.groupby(edges.written())] == ["None", "second", "None"]
    assert script.written == list(dict.fromkeys(script.written))


def live_before(kafka: BusOnKafka, wanted: str) -> Sequence[DefinitionFile]:
    return next(each.files for each in history(kafka.bus.cluster) if each.definition == wanted)


# the pipeline


def test_the_pipeline_switches_under_load_and_makes_no_duplicate_and_a_new_worker_takes_the_newest(
    raw: RawKafka, topic_prefix: str
) -> None:
    kafka = bus_on_kafka(raw, topic_prefix)
    kafka.put(ITEMS, item_event("P-1"))
    kafka.put(ITEMS, item_event("P-2", site="plant-b"))
    cluster, first = kafka.bus.cluster, live(kafka.bus.cluster).definition
    changed = edited(list(shipped()), "job-order", "reference:     reference", "reference:     {const: second}")
    changed = edited(changed, "orders", "to:\n", "to:\n  - {when: {item.site: plant-b}, destination: plant-a}\n")
    events = [order_event(str(number), at_us=1_000_000 + number) for number in range(60)]
    second = ""
    kafka.put(ORDERS, order_event("waits", line={"item": "P-2"}))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: kafka.newest("parked.pipeline"), "the order without a route")
        for number, event in enumerate(events):
            kafka.put(ORDERS, event)
            if number == 30:
                second = activate(cluster, changed, "anna")
        until(lambda: len(jobs(kafka)) == 61, "every order, the parked one too")
        assert kafka.newest("parked.pipeline") == {}
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        for number, event in enumerate(events):
            kafka.put(ORDERS, event)  # a repeat
            kafka.put(ORDERS, restamped(event, 2_000_000 + number, customer="C-7"))
        kafka.put(ORDERS, order_event("last"))
        until(lambda: any(e.key == "crm:last" for e in jobs(kafka)), "the last order")
        until(lambda: all_read(kafka), "everything is read")
    made: dict[str, list[Event]] = {}
    for each in jobs(kafka):
        made.setdefault(each.key, []).append(each)
    for event in events:
        plans = [made_with(each) for each in made[event.key]]
        assert plans in ([first, second], [second])  # what differs by the new mapping is told once, the rest never
        versions = [each.version for each in made[event.key]]
        assert versions == sorted(set(versions))
    assert made_with(made["crm:0"][0]) == first
    assert [made_with(each) for each in made["crm:waits"]] == [second]
    assert [made_with(each) for each in made["crm:last"]] == [second]


def restamped(event: Event, at_us: int, **changes: Any) -> Event:
    """A later revision of an order in which something changed that its job order does not show."""
    value = {**event.value, **changes}
    return replace(event, value=value, headers={REVISION: revision(at_us, {"at": at_us})}, id=f"{event.id}/{at_us}")


def all_read(kafka: BusOnKafka) -> bool:
    topic = kafka.topic(ORDERS)
    return kafka.raw.committed_offsets(kafka.topic("pipeline"), topic) == kafka.raw.end_offsets(topic)


# the activation itself


def test_an_activation_is_audited_first_keeps_the_earlier_ones_and_is_refused_to_who_looked_before_another(
    raw: RawKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = bus_on_kafka(raw, topic_prefix)
    cluster, before = kafka.bus.cluster, live(kafka.bus.cluster)
    changed = edited(before.files, "orders", "plant-a}, destination", "plant-b}, destination")
    second = activate(cluster, changed, "anna", before)
    with pytest.raises(ActivatedMeanwhile, match="anna has activated"):
        activate(cluster, before.files, "ben", before)
    activate(cluster, before.files, "ben", live(cluster))
    monkeypatch.setattr(AuditLog, "append", not_audited)
    with pytest.raises(NotAudited):
        activate(cluster, changed, "dora")  # what is not in the log does not go live
    monkeypatch.undo()
    monkeypatch.setattr("streams.definitions.Outgoing", refuses)
    with pytest.raises(ConnectionError):
        activate(cluster, changed, "carl")
    assert [(each.definition, each.who) for each in history(cluster)] == [
        (second, "anna"),
        (before.definition, "ben"),
    ]
    found: list[Any] = list(entries(cluster))
    assert [(each["action"], each["who"], each["subject"]) for each in found] == [
        ("activate", "a test", before.definition),
        ("activate", "anna", second),
        ("activate", "ben", before.definition),
    ]
    assert json.loads(found[1]["details"])["changes"] == "routes orders: version 1 to 2"


def not_audited(*_: object) -> None:
    raise NotAudited("the log did not take it")


def refuses(*_: object, **__: object) -> None:
    raise ConnectionError("no answer")


def test_a_bus_on_which_nothing_fits_ends_its_roles_with_the_problems(raw: RawKafka, topic_prefix: str) -> None:
    kafka = far_bus(raw, topic_prefix, 1, {"other": attached("other")})
    bad = edited(definitions(), "far-order", "from: far.Order", "from: far.Nothing")
    raw.make_topic(f"{topic_prefix}empty.bus.definitions")
    empty = replace(kafka.bus, cluster=replace(kafka.bus.cluster, prefix=f"{topic_prefix}empty."))
    with pytest.raises(DefinitionError):
        compile_plan(bad, kafka.bus.document_types)
    raw.make_topic(f"{topic_prefix}empty.bus.audit")
    activate(empty.cluster, bad, "a test")
    with pytest.raises(DefinitionError, match=r"far\.Nothing"):
        LivePlans(empty).current()
