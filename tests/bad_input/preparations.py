"""What has to be true before the command of some cases runs; each is given the case's folder."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from connectors.salesforce.position import FIRST_START
from deploy.demo.login import trust
from deploy.demo.stand_ins import StandInProcess
from deploy.kafka import artifacts
from deploy.kafka.cache import folder as cache_folder
from deploy.project import load_project
from deploy.wiring import activate_new, bus_of
from schemas.document import to_json
from schemas.event import Event, Record
from schemas.wire import Writer, header_texts, headers_of
from streams.incoming import Incoming
from streams.kafka.topics import apply
from streams.kafka.transaction import Outgoing, Transactions
from streams.outcome import Reason
from streams.parking import Parking
from tests.bus_on_kafka import order_event

SHARED = cache_folder()
"""The cache of jars that everybody shares; a case may name one of its own."""


@dataclass
class Scene:
    """The case's folder, the stand-in of Salesforce, and what is to be undone afterwards."""

    folder: Path
    salesforce: Callable[[], StandInProcess]
    undo: ExitStack


def live_bus(scene: Scene) -> None:
    """Topics are made and the definitions are live, as after `lineshaft up`."""
    project = load_project(scene.folder)
    bus = bus_of(project)
    apply(bus.cluster, bus.topics, bus.groups)
    activate_new(bus, project, lambda _: None)


def topics_only(scene: Scene) -> None:
    """Topics are made and nothing is live."""
    bus = bus_of(load_project(scene.folder))
    apply(bus.cluster, bus.topics, bus.groups)


def one_order(scene: Scene) -> None:
    """A live bus that has read one released order of an item that nobody knows."""
    live_bus(scene)
    event = order_event("00000001", reference="WO-1")
    _publish(scene, Outgoing("crm.orders", event.key, Writer("SalesOrder")(event.value), headers_of(event)))


def parked_order(scene: Scene) -> None:
    """A bus whose pipeline has parked one order."""
    topics_only(scene)
    event = order_event("1")
    headers = header_texts(headers_of(event))
    content = Writer("SalesOrder")(event.value)
    came = Incoming("crm:1|crm.orders|7", "crm.orders", 0, 7, event.key, event.subject, "1", "avro", content, headers)
    parking = Parking(bus_of(load_project(scene.folder)).cluster, "pipeline")
    _publish(scene, parking.record(0, came, Reason("no_route", "no route", "administrator"), 1))


def position_of_another_org(scene: Scene) -> None:
    """The position that is stored belongs to another system than the one that is configured."""
    live_bus(scene)
    position, system = to_json(FIRST_START.to_position()), "00Dxx0000000000AAA"
    value: Record = {"source": "crm", "position": position, "system": system, "complete": True, "moved_at": 1}
    event = Event("Position", "crm", "crm", "crm/position/1", "crm", 1, 1, value)
    _publish(scene, Outgoing("bus.positions", "crm", Writer("Position")(value), headers_of(event)))


def _publish(scene: Scene, record: Outgoing) -> None:
    transactions = Transactions(bus_of(load_project(scene.folder)).cluster, "a-test")
    try:
        with transactions.open() as transaction:
            transaction.send(record)
    finally:
        transactions.close()


def other_partitions(scene: Scene) -> None:
    """The topics were made with one partition more than the project says now."""
    live_bus(scene)
    file = scene.folder / "lineshaft.yaml"
    file.write_text(file.read_text().replace("partitions: 2", "partitions: 3"))


def draft_changed(scene: Scene) -> None:
    """A definition was edited after it went live."""
    live_bus(scene)
    file = scene.folder / "routes" / "routes.yaml"
    file.write_text(file.read_text().replace("version: 1", "version: 2"))


def draft_reworded(scene: Scene) -> None:
    """A definition was edited after it went live, and its version was not."""
    live_bus(scene)
    file = scene.folder / "routes" / "routes.yaml"
    file.write_text(f"# a remark\n{file.read_text()}")


def sink_renamed(scene: Scene) -> None:
    """A sink was renamed in the configuration and in the draft of the routes; what is live knows the old name."""
    live_bus(scene)
    for file in (scene.folder / "lineshaft.yaml", scene.folder / "routes" / "routes.yaml"):
        file.write_text(
            file.read_text()
            .replace("  plant-a:", "  plant-b:")
            .replace("destination: plant-a", "destination: plant-b")
        )
    topics_only(scene)


def hidden_field(scene: Scene) -> None:
    """Field-level security hides a field that the configuration names."""
    _setting(scene, "hidden", ["Order.Priority__c"])


def read_only_field(scene: Scene) -> None:
    """The integration user may see a field that is to be written, and not write it."""
    _setting(scene, "read_only", ["MES_Status__c.State__c"])


def _setting(scene: Scene, name: str, value: list[str]) -> None:
    far = scene.salesforce()

    def put(names: list[str]) -> None:
        with httpx.Client(verify=trust(far.login.ca_file)) as client:
            client.post(f"{far.control}/settings", json={name: names}).raise_for_status()

    put(value)
    scene.undo.callback(put, [])


def corrupt_jar(scene: Scene) -> None:
    """A cache of jars in which the bytes of one were changed."""
    ours = scene.folder / "cache" / "maven"
    for each in artifacts.pinned():
        (ours / each.path).parent.mkdir(parents=True, exist_ok=True)
        (ours / each.path).symlink_to(SHARED / "maven" / each.path)
    first = ours / artifacts.pinned()[0].path
    first.unlink()
    first.write_bytes(b"no jar")


def executables(scene: Scene) -> None:
    """What lies in a folder bin may be run."""
    for each in scene.folder.rglob("bin/*"):
        each.chmod(each.stat().st_mode | stat.S_IXUSR)


def unreadable_secret(scene: Scene) -> None:
    """A folder lies where the secret's file should be."""
    (scene.folder / "secret").mkdir()


def not_utf8(scene: Scene) -> None:
    """The project's file was saved in another encoding."""
    (scene.folder / "lineshaft.yaml").write_bytes("data: f\xfcr".encode("latin-1"))


def filled_folder(scene: Scene) -> None:
    """A folder with something in it."""
    (scene.folder / "full").mkdir()
    shutil.copy(scene.folder / "case.yaml", scene.folder / "full")


PREPARATIONS: Mapping[str, Callable[[Scene], None]] = {
    each.__name__: each
    for each in (
        live_bus,
        topics_only,
        parked_order,
        one_order,
        position_of_another_org,
        other_partitions,
        draft_changed,
        draft_reworded,
        sink_renamed,
        hidden_field,
        read_only_field,
        corrupt_jar,
        executables,
        unreadable_secret,
        not_utf8,
        filled_folder,
    )
}
