"""Our registry client against a real Apicurio Registry, and against confluent-kafka's own client beside it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastavro.schema import to_parsing_canonical_form

from schemas.catalog import NAMESPACE, record_names, schema
from schemas.codec import CodecError
from schemas.registry import Registry, RegistryAway, RegistryError
from schemas.wire import FRAME, Reader, Writer, fingerprint_id
from tests.services.apicurio import Apicurio, answers

with warnings.catch_warnings(record=True):  # authlib announces the successor of httpx, whatever the filters say
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

NewRegistry = Callable[[], Registry]

LINK = {"kind": "item", "system": "erp", "id": "10", "to_system": "mes", "to_id": "P-10"}
ITEM = {"item": "P-1", "unit": "pcs"}


@pytest.fixture
def confluent(apicurio: Apicurio) -> Iterator[SchemaRegistryClient]:
    """confluent-kafka's own client."""
    with SchemaRegistryClient({"url": apicurio.url}) as client:
        yield client


def evolved(record: str, *fields: Mapping[str, Any]) -> dict[str, Any]:
    """Today's schema of a record with more fields."""
    today: dict[str, Any] = dict(schema(record))
    return {**today, "fields": [*today["fields"], *fields]}


def canonical(text: Mapping[str, Any]) -> str:
    """Avro's parsing canonical form: the same for all texts that mean the same bytes."""
    return to_parsing_canonical_form(dict(text))


NOTE = {"name": "note", "type": ["null", "string"], "default": None}
WITHOUT_DEFAULT = {"name": "colour", "type": "string"}


def published(far_side: httpx.Client, subject: str, text: Mapping[str, Any]) -> int:
    """The id of a schema that somebody else has registered."""
    answer = far_side.post(f"/subjects/{subject}/versions", json={"schema": json.dumps(text)})
    return int(answer.raise_for_status().json()["id"])


@pytest.mark.parametrize("record", record_names())
def test_every_shipped_record_is_registered_under_full_transitive(
    record: str, registry: NewRegistry, far_side: httpx.Client
) -> None:
    schema_id = registry().register(record, [f"topic.of.{record}"])
    for subject in (f"{NAMESPACE}.{record}", f"topic.of.{record}-value"):
        assert far_side.get(f"/config/{subject}").json() == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert far_side.get(f"/subjects/topic.of.{record}-value/versions").json() == [1]
    # the registry leaves out a namespace that is the outer one's already
    assert canonical(registry().schema_of(schema_id)) == canonical(schema(record))


def test_registering_again_changes_nothing(registry: NewRegistry, far_side: httpx.Client) -> None:
    first = registry().register("Position", ["again"])
    assert registry().register("Position", ["again"]) == first
    assert far_side.get("/subjects/again-value/versions").json() == [1]


def test_a_record_has_one_id_in_all_its_topics_and_every_process_finds_it(registry: NewRegistry) -> None:
    ids = {registry().register("Parked", [topic]) for topic in ("parked.pipeline", "parked.sink.crm")}
    assert ids == {registry().id_of("Parked")}


def test_a_message_carries_the_registrys_id_and_another_process_reads_it(registry: NewRegistry) -> None:
    schema_id = registry().register("Link")
    data = Writer("Link", registry())(LINK)
    assert FRAME.unpack_from(data) == (0, schema_id)
    assert schema_id != fingerprint_id("Link")
    assert Reader("Link", ids=registry())(data) == LINK


def test_what_was_written_before_there_was_a_registry_is_still_read(registry: NewRegistry) -> None:
    assert Reader("Link", ids=registry())(Writer("Link")(LINK)) == LINK


def test_a_message_of_a_newer_version_is_read_by_todays_program(
    registry: NewRegistry, far_side: httpx.Client
) -> None:
    registry().register("Link")
    newer = published(far_side, "lineshaft.Link", evolved("Link", NOTE))
    written = FRAME.pack(0, newer) + Writer("Link")(LINK)[FRAME.size :] + b"\x00"  # the note is null
    assert Reader("Link", set(LINK), registry())(written) == LINK


def test_an_incompatible_schema_is_refused_with_the_subject_and_the_registrys_reason(
    registry: NewRegistry, far_side: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry().register("Item", ["refused"])
    monkeypatch.setattr("schemas.registry.schema", lambda record: evolved(record, WITHOUT_DEFAULT))
    with pytest.raises(RegistryError) as refused:
        registry().register("Item", ["refused"])
    for part in ("POST", "/subjects/refused-value/versions", "HTTP 409", "colour"):
        assert part in str(refused.value)
    assert not isinstance(refused.value, RegistryAway)
    assert far_side.get("/subjects/refused-value/versions").json() == [1]


def test_a_record_that_was_never_registered_is_told_with_the_command_that_registers_it(
    registry: NewRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry().register("Item")
    monkeypatch.setattr("schemas.registry.schema", lambda record: evolved(record, NOTE))
    with pytest.raises(RegistryError, match=r"today's Item was not registered .*lineshaft topics apply"):
        registry().id_of("Item")


def test_an_id_that_nobody_knows_is_an_undecodable_record(registry: NewRegistry) -> None:
    with pytest.raises(CodecError, match=r"schema id 999999 is not shipped .*40403"):
        Reader("Link", ids=registry())(FRAME.pack(0, 999_999) + b"\x00")


def test_an_id_of_another_record_is_an_undecodable_record(registry: NewRegistry) -> None:
    registry().register("Link")
    with pytest.raises(CodecError, match=r"no Item: schema id .* is a Link"):
        Reader("Item", ids=registry())(Writer("Link", registry())(LINK))


def test_an_address_without_the_confluent_api_is_named(apicurio: Apicurio) -> None:
    elsewhere = apicurio.url.removesuffix("/apis/ccompat/v7")
    with httpx.Client(timeout=30.0) as client, pytest.raises(RegistryError, match=elsewhere):
        Registry(elsewhere, client).schema_of(1)


def test_confluents_own_client_reads_our_messages(confluent: SchemaRegistryClient, registry: NewRegistry) -> None:
    registry().register("Item", ["ref.items"])
    read = AvroDeserializer(confluent)(
        Writer("Item", registry())(ITEM), SerializationContext("ref.items", MessageField.VALUE)
    )
    assert isinstance(read, dict)
    assert (read["item"], read["unit"], read["alternate_units"]) == ("P-1", "pcs", [])


def test_we_read_what_confluents_own_serializer_writes(
    confluent: SchemaRegistryClient, registry: NewRegistry
) -> None:
    registry().register("Link", ["ref.links"])
    text = json.dumps(evolved("Link", NOTE))
    write = AvroSerializer(confluent, text, conf={"auto.register.schemas": True})
    data = write({**LINK, "note": "theirs"}, SerializationContext("ref.links", MessageField.VALUE))
    assert data is not None
    assert Reader("Link", {"kind", "to_id"}, registry())(data) == {"kind": "item", "to_id": "P-10"}


def test_a_registry_that_is_gone_is_told_from_an_id_that_nobody_knows(tmp_path: Path) -> None:
    with Apicurio(tmp_path) as short_lived, httpx.Client(timeout=30.0) as client:
        known = Registry(short_lived.url, client)
        known.register("Link")
        data = Writer("Link", known)(LINK)
        short_lived.stop()
        assert Reader("Link", ids=known)(Writer("Link", known)(LINK))  # what is known stays known
        fresh = Registry(short_lived.url, client)
        for ask in (
            lambda: fresh.id_of("Link"),
            lambda: Reader("Link", ids=fresh)(data),
            lambda: fresh.register("Link"),
        ):
            with pytest.raises(RegistryAway, match=r"127\.0\.0\.1.* not reachable"):
                ask()


PARENT = """
import sys, time
from pathlib import Path
from tests.services.apicurio import Apicurio
registry = Apicurio(Path(sys.argv[1]))
registry.start()
print(registry.url, flush=True)
time.sleep(600)
"""


def test_it_is_gone_when_whoever_started_it_was_killed(tmp_path: Path) -> None:
    import fcntl

    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert answers(url)
        parent.send_signal(signal.SIGKILL)
    with (tmp_path / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # waits until guard and registry have both let go
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", httpx.URL(url).port or 0)) != 0
