"""Parked records in memory: ids, indexes, superseding; what Kafka has of them is tested in tests/integration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from schemas.codec import CodecError
from schemas.wire import Reader, header_texts
from streams.incoming import Incoming
from streams.kafka.cluster import Cluster
from streams.outcome import Reason
from streams.parking import Parking

UNKNOWN = Reason("unknown_reference", "no item", "administrator", "items/P-9")
REFUSED = Reason("refused", "no", "administrator")


def incoming(offset: int = 7, subject: str = "crm:1/L1", **changes: Any) -> Incoming:
    made: Mapping[str, Any] = {
        "parked_id": f"crm:1|sink.plant-a|{offset}",
        "topic": "sink.plant-a",
        "partition": 0,
        "offset": offset,
        "order_key": "crm:1",
        "subject": subject,
        "revision": str(offset),
        "content_type": "avro",
        "content": b"\0content",
        "headers": {"ce_id": "x", "ce_time": "y"},
        **changes,
    }
    return Incoming(**made)


@pytest.fixture
def parking(monkeypatch: pytest.MonkeyPatch) -> Parking:
    """Partition 0 of an empty parked topic."""
    monkeypatch.setattr("streams.state.read_to_end", lambda cluster, begin, take: dict(begin))
    made = Parking(Cluster("127.0.0.1:1"), "sink.plant-a")
    made.restore([0])
    return made


def test_a_parked_record_comes_back_as_it_came(parking: Parking) -> None:
    parking.park(0, incoming(), UNKNOWN, 100)
    [entry] = parking.entries()
    assert entry.incoming == incoming()
    assert (entry.value["cause"], entry.value["owner"], entry.value["attempts"]) == (
        "unknown_reference",
        "administrator",
        1,
    )


def test_parking_the_same_record_again_counts_and_keeps_its_first_time(parking: Parking) -> None:
    parking.park(0, incoming(), UNKNOWN, 100)
    parking.park(0, incoming(), REFUSED, 200)
    [entry] = parking.entries()
    assert {name: entry.value[name] for name in ("attempts", "first_at", "last_at", "cause")} == {
        "attempts": 2,
        "first_at": 100,
        "last_at": 200,
        "cause": "refused",
    }
    assert parking.references() == frozenset()


def test_a_record_that_waits_is_found_by_its_reference_until_it_is_resolved(parking: Parking) -> None:
    parking.park(0, incoming(), UNKNOWN, 100)
    [entry] = parking.waiting_for({"items/P-9", "items/P-1"})
    parking.resolve(entry)
    assert (parking.waiting_for({"items/P-9"}), parking.entries()) == ([], [])
    assert [each.value for each in parking.outgoing()] == [None]


def test_a_later_record_of_the_subject_closes_the_earlier_ones_and_only_those(parking: Parking) -> None:
    for each in (incoming(3), incoming(9), incoming(4, subject="crm:1/L2"), incoming(5)):
        parking.park(0, each, REFUSED, 100)
    parking.supersede(0, incoming(5))
    assert sorted(each.incoming.offset for each in parking.entries()) == [4, 9]


def test_a_later_document_of_a_source_is_told_by_its_revision(parking: Parking) -> None:
    def document(stamp: int) -> Incoming:
        revision = f"{stamp:017d}-aaaa"
        return incoming(0, topic="", content_type="json", revision=revision, parked_id=f"crm:1|Order|{stamp}")

    for stamp in (1, 3):
        parking.park(0, document(stamp), REFUSED, 100)
    parking.supersede(0, document(2))
    assert [each.value["revision"] for each in parking.entries()] == [f"{3:017d}-aaaa"]


def test_an_aborted_batch_parks_nothing(parking: Parking) -> None:
    parking.park(0, incoming(3), UNKNOWN, 100)
    parking.table.merge()
    parking.resolve(parking.entries()[0])
    parking.park(0, incoming(4), UNKNOWN, 100)
    parking.drop()
    assert [each.value["offset"] for each in parking.waiting_for({"items/P-9"})] == [3]


def test_a_partition_that_is_not_owned_is_refused(parking: Parking) -> None:
    with pytest.raises(KeyError, match=r"partition 1 of parked.sink.plant-a is not owned here"):
        parking.park(1, incoming(), REFUSED, 100)
    parking.restore([])
    with pytest.raises(KeyError, match="partition 0"):
        parking.entry(0, "x")
    assert parking.waiting_for({"items/P-9"}) == []


def test_a_parked_record_has_the_envelope_of_an_event(parking: Parking) -> None:
    parking.park(0, incoming(), UNKNOWN, 1_000_000)
    [out] = parking.outgoing()
    headers = header_texts(out.headers)
    assert (out.topic, out.key, out.partition) == ("parked.sink.plant-a", "crm:1|sink.plant-a|7", 0)
    assert (headers["ce_id"], headers["ce_partitionkey"]) == ("sink.plant-a/crm:1|sink.plant-a|7/1", "crm:1")
    assert Reader("Parked")(out.value)["content"] == b"\0content"


def test_a_record_too_large_to_be_parked_is_held_by_reference(parking: Parking) -> None:
    parking.park(0, incoming(content=b"x" * 2_000_000), REFUSED, 100)
    [entry] = parking.entries()
    assert (entry.value["content"], entry.value["topic"], entry.value["offset"]) == (b"", "sink.plant-a", 7)
    assert "2,000,000 bytes" in str(entry.value["message"])
    [out] = parking.outgoing()
    assert out.value is not None
    assert len(out.value) < 10_000


def test_headers_and_reasons_of_any_length_still_fit(parking: Parking) -> None:
    long = Reason("refused", "m" * 2_000_000, "administrator")
    parking.park(0, incoming(headers={"big": "h" * 2_000_000, "ce_id": "x"}), long, 100)
    [out] = parking.outgoing()
    assert out.value is not None
    assert len(out.value) < 100_000
    with pytest.raises(CodecError):
        Reader("Parked")(out.value[:-1])


def versioned(version: int, topic: str, offset: int) -> Incoming:
    return incoming(offset, topic=topic, revision=str(version), parked_id=f"crm:1|{topic}|{offset}")


def test_what_is_newer_is_told_by_the_version_across_the_topics_of_a_sink(parking: Parking) -> None:
    urgent, bulk = "sink.plant-a", "sink.plant-a.bulk"
    parking.park(0, versioned(100, urgent, 900), REFUSED, 1)
    parking.park(0, versioned(300, urgent, 901), REFUSED, 1)
    parking.supersede(0, versioned(200, bulk, 5))
    assert [each.value["revision"] for each in parking.entries()] == ["300"]


def test_an_older_revision_that_arrives_later_does_not_close_a_newer_parked_one(parking: Parking) -> None:
    parking.park(0, versioned(300, "crm.orders", 10), REFUSED, 1)
    parking.supersede(0, versioned(200, "crm.orders", 11))
    assert len(parking.entries()) == 1
    parking.supersede(0, versioned(300, "crm.orders", 12))
    assert parking.entries() == []


def test_what_was_read_later_closes_a_parked_one_of_a_later_stamp(parking: Parking) -> None:
    def read(stamp: int, at: int) -> Incoming:
        parked_id = f"crm:1|Order|{stamp}"
        return incoming(0, topic="", revision=f"{stamp:017d}-a", parked_id=parked_id, headers={"ce_fetched": str(at)})

    parking.park(0, read(900, 1_000), REFUSED, 1)
    parking.supersede(0, read(100, 500))
    assert len(parking.entries()) == 1
    parking.supersede(0, read(100, 2_000))
    assert parking.entries() == []


def test_what_has_no_version_is_told_by_its_place_in_the_topic(parking: Parking) -> None:
    for offset in (3, 9):
        parking.park(0, incoming(offset, revision=""), REFUSED, 1)
    parking.supersede(0, incoming(5))
    assert [each.incoming.offset for each in parking.entries()] == [9]
