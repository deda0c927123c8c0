"""The audit log on the real Kafka: several writers, one chain; what was killed in between is entered once."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from schemas.catalog import AUDIT
from streams.audit import TRANSACTIONAL_ID, AuditLog, NotAudited, entries, present_head
from streams.audit_chain import Deed, first_flaw
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.transaction import Transaction, Transactions
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka

WRITER = """
    import os, signal, sys
    from streams.audit import AuditLog
    from streams.audit_chain import Deed
    from streams.kafka.cluster import Cluster
    from streams.kafka.transaction import Transaction

    bootstrap, prefix, name, dies = sys.argv[1:]
    log = AuditLog(Cluster(bootstrap, prefix))
    for number in range(4):
        if dies == "dies" and number == 2:
            sent = Transaction.check_delivered
            def killed(self):
                sent(self)
                os.kill(os.getpid(), signal.SIGKILL)
            Transaction.check_delivered = killed
        log.append([Deed(f"{name}/{number}/{part}", "redrive", name, "pipeline", "s", "") for part in (0, 1)])
"""


@pytest.fixture
def cluster(raw: RawKafka, topic_prefix: str) -> Cluster:
    made = Cluster(raw.bootstrap, topic_prefix)
    topics.apply(made, [each for each in topics.needed(1, [], []) if each.name == AUDIT], [])
    return made


def deeds(name: str, count: int) -> list[Deed]:
    return [Deed(f"{name}/{n}", "redrive", name, "pipeline", "crm:1|crm.orders|7", "mended") for n in range(count)]


def ids(cluster: Cluster) -> list[str]:
    found: list[Any] = list(entries(cluster))
    return [each["deed_id"] for each in found]


def test_many_writers_at_once_and_one_killed_in_between_leave_one_chain_with_every_deed_once(
    cluster: Cluster,
) -> None:
    def written(name: str, dies: str = "") -> int:
        arguments = [sys.executable, "-c", textwrap.dedent(WRITER), cluster.bootstrap, cluster.prefix, name, dies]
        return subprocess.run(arguments, check=False, timeout=120).returncode

    with ThreadPoolExecutor(4) as pool:
        killed, other = pool.submit(written, "killed", "dies"), pool.submit(written, "other")
        threads = [pool.submit(_one_by_one, cluster, f"thread-{n}") for n in range(2)]
        assert (killed.result(), other.result()) == (-signal.SIGKILL, 0)
        assert [each.result() for each in threads] == [None, None]
    assert written("killed") == 0
    found = ids(cluster)
    wanted = {f"{name}/{n}/{part}" for name in ("killed", "other") for n in range(4) for part in (0, 1)}
    assert set(found) == wanted | {f"thread-{n}/{m}" for n in range(2) for m in range(4)}
    assert len(found) == len(set(found))
    assert first_flaw(entries(cluster), [present_head(cluster)]) is None


def _one_by_one(cluster: Cluster, name: str) -> None:
    log = AuditLog(cluster)
    for each in deeds(name, 4):
        log.append([each])
    log.close()


def test_a_repeat_adds_nothing_not_even_by_another_writer_or_after_a_commit_that_nobody_answered(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(cluster)
    log.append([*deeds("a", 2), *deeds("a", 3)])
    log.append(deeds("a", 3))
    AuditLog(cluster).append(deeds("a", 2))  # fences the first one
    log.append([*deeds("a", 3), *deeds("b", 1)])
    committed = Transactions._commit

    def unanswered(self: Transactions) -> None:
        from streams.kafka.transaction import Unsettled

        committed(self)
        monkeypatch.setattr(Transactions, "_commit", committed)
        raise Unsettled("no answer")

    monkeypatch.setattr(Transactions, "_commit", unanswered)
    log.append(deeds("c", 1))
    assert ids(cluster) == ["a/0", "a/1", "a/2", "b/0", "c/0"]
    assert first_flaw(entries(cluster)) is None


def test_an_append_that_cannot_be_had_is_told_in_time_and_opens_nothing_for_no_deeds(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(cluster)
    log.append([])
    assert log._transactions is None
    monkeypatch.setattr("streams.audit.DEADLINE_S", 0.0)
    refused = Transactions(cluster, TRANSACTIONAL_ID)

    def fenced(self: Transaction) -> None:
        Transactions(cluster, TRANSACTIONAL_ID)
        sent(self)

    sent = Transaction.check_delivered
    monkeypatch.setattr(Transaction, "check_delivered", fenced)
    with pytest.raises(NotAudited, match=r"bus\.audit did not take 1 entries"):
        log.append(deeds("a", 1))
    refused.close()
    assert ids(cluster) == []


def test_the_chain_goes_on_past_what_somebody_else_wrote_and_the_check_tells_it(
    cluster: Cluster, raw: RawKafka
) -> None:
    AuditLog(cluster).append(deeds("a", 1))
    raw.produce(cluster.name(AUDIT), b"garbage", b"a/1")
    AuditLog(cluster).append(deeds("a", 2))
    flaw = first_flaw(entries(cluster))
    assert flaw is not None
    assert (flaw.kind, flaw.number) == ("unreadable", 2)
    assert present_head(cluster).number == 2
