"""The embedded broker, through real processes: what it keeps, who may hold it, and when it is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.kafka import EmbeddedKafka, FolderBusy, StartFailed, status, stop
from deploy.kafka.layout import Layout, is_held, take
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka

PARENT = """
import os, sys, time
from pathlib import Path
from deploy.kafka import EmbeddedKafka
broker = EmbeddedKafka(Path(sys.argv[1]))
broker.start()
if sys.argv[2] == "with-a-fork" and os.fork() == 0:
    time.sleep(600)
print(broker.bootstrap, flush=True)
time.sleep(600)
"""


def wait_until_free(folder: Path) -> None:
    """Block until guard and broker have both let go of the folder; the test's own time-out is the limit."""
    import fcntl

    with (folder / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


@contextmanager
def another_process(folder: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has started a broker on `folder`; it, its forks and the broker are gone afterwards."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), how], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("127.0.0.1:")
        yield parent
    finally:
        with suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.communicate()
        stop(folder)


def test_it_takes_and_returns_records(raw: RawKafka, names: Callable[[str], str]) -> None:
    topic = raw.make_topic(names("orders"), partitions=3)
    raw.produce(topic, b"one", key=b"crm:1", headers=[("ce_id", b"x")])
    records = raw.read_committed(topic)
    assert [(record.key, record.value, record.header("ce_id")) for record in records] == [(b"crm:1", b"one", b"x")]


def test_a_topic_that_nobody_made_is_not_made_by_using_it(raw: RawKafka, names: Callable[[str], str]) -> None:
    with pytest.raises(Exception, match=r"UNKNOWN_TOPIC|Unknown topic"):
        raw.produce(names("typo"), b"x")
    assert names("typo") not in raw.topics()


def test_records_and_address_survive_a_restart(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as first:
        before = first.bootstrap
        client = RawKafka(before)
        client.produce(client.make_topic("kept"), b"still here")
    with EmbeddedKafka(tmp_path) as second:
        assert second.bootstrap == before
        assert [record.value for record in RawKafka(second.bootstrap).read_committed("kept")] == [b"still here"]


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as first:
        before = first.bootstrap
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(before.split(":")[1])))
        squatter.listen()
        with EmbeddedKafka(tmp_path) as second:
            assert second.bootstrap != before
            assert RawKafka(second.bootstrap).topics() == set()


def test_it_listens_on_loopback_only(broker: EmbeddedKafka) -> None:
    assert broker.bootstrap.startswith("127.0.0.1:")
    port = int(broker.bootstrap.split(":")[1])
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    bound = [row.split()[1] for row in listening.splitlines() if f":{port:04X} " in row and row.split()[3] == "0A"]
    assert bound
    assert all(address.startswith(("0100007F:", "0000000000000000FFFF00000100007F:")) for address in bound)


def test_a_second_start_on_the_same_folder_says_who_holds_it(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as first, pytest.raises(FolderBusy) as refused:
        EmbeddedKafka(tmp_path).start()
    assert first.log == tmp_path / "broker.log"
    assert f"started by process {os.getpid()}" in str(refused.value)
    assert "lineshaft kafka stop" in refused.value.remedy


def test_the_status_tells_stopped_from_starting_from_running(tmp_path: Path) -> None:
    assert status(tmp_path / "never").state == "stopped"
    with EmbeddedKafka(tmp_path) as broker:
        seen = status(tmp_path)
        assert (seen.state, seen.bootstrap, seen.owner_pid) == ("running", broker.bootstrap, os.getpid())
    assert status(tmp_path).state == "stopped"
    layout = Layout(tmp_path)
    layout.record.unlink()
    lock = take(layout)
    assert lock is not None
    with lock:
        assert status(tmp_path).state == "starting"


@pytest.mark.parametrize("how", ["alone", "with-a-fork"])
def test_it_is_gone_when_its_parent_is_killed(tmp_path: Path, how: str) -> None:
    with another_process(tmp_path, how) as parent:
        assert status(tmp_path).state == "running"
        parent.send_signal(signal.SIGKILL)
        wait_until_free(tmp_path)
        assert status(tmp_path).state == "stopped"


def test_it_is_gone_when_its_guard_is_killed(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path):
        guard = status(tmp_path).pid
        assert guard is not None
        os.kill(guard, signal.SIGKILL)
        wait_until_free(tmp_path)
        assert status(tmp_path).state == "stopped"


def test_a_detached_broker_outlives_its_parent_until_it_is_stopped(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, deploy.kafka as k; k.EmbeddedKafka(pathlib.Path(sys.argv[1]), detached=True).start()"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    try:
        assert status(tmp_path).state == "running"
    finally:
        assert stop(tmp_path) is True
    assert not is_held(Layout(tmp_path))
    assert stop(tmp_path) is False


def test_a_start_that_fails_ends_with_the_brokers_last_words_and_frees_the_folder(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path):
        pass
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=other\nnode.id=7\n")
    with pytest.raises(StartFailed) as failed:
        EmbeddedKafka(tmp_path).start()
    assert "Stored node id 7 doesn't match" in str(failed.value)
    assert str(tmp_path / "broker.log") in str(failed.value)
    assert not is_held(Layout(tmp_path))
