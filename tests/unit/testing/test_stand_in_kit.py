import ssl
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509

from connectors.testing import Fault, Faults, Ledger, RecordStore, issue


def test_a_certificate_is_made_once_and_kept(tmp_path: Path) -> None:
    first = issue(tmp_path)
    made = first.certificate.read_bytes()

    assert issue(tmp_path) == first
    assert first.certificate.read_bytes() == made


def test_a_certificate_names_both_loopback_addresses_and_is_signed_by_its_own_authority(tmp_path: Path) -> None:
    made = issue(tmp_path)
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca.read_bytes()))
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_certificate_passes_strict_verification(tmp_path: Path) -> None:
    made = issue(tmp_path)
    context = ssl.create_default_context(cafile=str(made.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT

    assert context.cert_store_stats()["x509_ca"] == 1


def test_the_private_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    assert issue(tmp_path).key.stat().st_mode & 0o077 == 0


def test_the_ledger_survives_a_restart_and_goes_on_counting(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger.jsonl")
    first.record("write", id="a", quantity=Decimal("1.50"))
    first.close()
    second = Ledger(tmp_path / "ledger.jsonl")
    second.record("request", path="/x")

    assert [(entry["number"], entry["kind"]) for entry in second.entries()] == [(1, "write"), (2, "request")]
    assert second.entries("write")[0]["quantity"] == Decimal("1.50")
    second.close()


def test_a_ledger_entry_is_in_the_file_before_record_returns(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.record("write", id="a")

    assert (tmp_path / "ledger.jsonl").read_bytes().count(b"\n") == 1
    ledger.close()


def test_a_line_that_a_kill_left_half_written_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b'{"kind":"write","number":1,"at_us":1}\n{"kind":"wri')
    ledger = Ledger(path)
    ledger.record("write", id="b")

    assert [entry["number"] for entry in ledger.entries()] == [1, 2]
    ledger.close()


def test_threads_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")

    def record_fifty() -> None:
        for _ in range(50):
            ledger.record("x")

    threads = [threading.Thread(target=record_fifty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [entry["number"] for entry in ledger.entries()] == list(range(1, 201))
    ledger.close()


def test_a_fault_shows_as_often_as_it_says() -> None:
    faults = Faults()
    faults.add(Fault("throttle", times=2))

    assert [faults.take("throttle") is not None for _ in range(3)] == [True, True, False]


def test_a_fault_waits_for_the_occasion_it_names() -> None:
    faults = Faults()
    faults.add(Fault("hang", match={"path": "/create"}))

    assert faults.take("hang", path="/list") is None
    assert faults.take("hang") is None
    assert faults.take("hang", path="/create", attempt=1) is not None


def test_the_oldest_matching_fault_goes_first() -> None:
    faults = Faults()
    faults.add(Fault("throttle", arguments={"code": 8303}))
    faults.add(Fault("throttle", arguments={"code": 8304}))

    assert [fault.arguments["code"] for fault in (faults.take("throttle"), faults.take("throttle")) if fault] == [
        8303,
        8304,
    ]


def test_pending_faults_show_what_is_left_and_can_be_cleared() -> None:
    faults = Faults()
    faults.add(Fault("lock", times=3))
    faults.take("lock")

    assert faults.pending() == [Fault("lock", times=2)]
    faults.clear()
    assert faults.pending() == []


def test_a_fault_that_never_happens_is_refused() -> None:
    with pytest.raises(ValueError, match="at least once, not 0 times"):
        Faults().add(Fault("lock", times=0))


def test_records_survive_a_restart_with_exact_decimals(tmp_path: Path) -> None:
    first = RecordStore(tmp_path / "state.db")
    first.put("orders", "1", {"quantity": Decimal("0.10")})
    first.close()
    second = RecordStore(tmp_path / "state.db")

    assert second.get("orders", "1") == {"quantity": Decimal("0.10")}
    second.close()


def test_records_of_one_table_come_out_by_id(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "state.db")
    store.put_all("orders", {"b": {"n": 2}, "a": {"n": 1}, "c": {"n": 3}})
    store.put("other", "a", {"n": 9})

    assert store.all("orders") == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert store.all("orders", after="a") == [{"n": 2}, {"n": 3}]
    store.close()


def test_a_deleted_record_is_gone_and_a_missing_one_is_no_error(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "state.db")
    store.put("orders", "a", {})

    assert store.delete("orders", "a") is True
    assert store.delete("orders", "a") is False
    assert store.get("orders", "a") is None
    store.close()
