"""The published heads of the audit chain: lines of JSON outside Kafka, by which a cut or rebuilt chain is found.

`up` appends one at its start and then once a day; on a cluster `lineshaft audit head --publish` does it from cron, or
the line goes to wherever logs go that nobody here can change.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag

from deploy.exits import Refused
from schemas.wire import instant_us, iso_instant
from streams.audit import entries, present_head
from streams.audit_chain import Head, first_flaw
from streams.clock import now_us
from streams.kafka.client import KafkaException
from streams.kafka.cluster import Cluster
from streams.kafka.reading import EndNotReached

log = logging.getLogger(__name__)

FILE = "audit-heads.jsonl"
DAY_S = 24 * 3600.0
AGAIN_S = 60.0


def line_of(head: Head) -> str:
    """A head as one line of JSON."""
    return json.dumps({"number": head.number, "hash": head.hash, "at": iso_instant(head.at_us)})


def publish(path: Path, head: Head) -> str:
    """Append a head to the file, durably; returns the line."""
    line = line_of(head)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")
        out.flush()
        os.fsync(out.fileno())
    return line


def read(path: Path) -> list[Head]:
    """The heads in a file, none where it does not exist. Raises Refused for a line that is no head."""
    if not path.exists():
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: not UTF-8 at byte {error.start}.", _remedy(path)) from error
    return [_head(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _head(path: Path, number: int, line: str) -> Head:
    try:
        said = json.loads(line)
        found = Head(int(said["number"]), str(said["hash"]), instant_us(said["at"]))
        if found.number < 0:
            raise ValueError(f"there is no entry {found.number}")
    except (ValueError, KeyError, TypeError) as error:
        problem = f"{path}:{number}: not a published head ({type(error).__name__}: {error})."
        raise Refused(problem, _remedy(path)) from error
    return found


def _remedy(path: Path) -> str:
    return f"Each line of {path.name} is one that `lineshaft audit head` prints; take the file from a backup."


def head_now(cluster: Cluster) -> Head:
    """The head of the chain, stamped with the time of asking."""
    head = present_head(cluster)
    return Head(head.number, head.hash, now_us())


def keep_publishing(cluster: Cluster, path: Path, stop: Flag) -> None:
    """Publish now and then once a day, until `stop` is set; a chain with a flaw is told in the log each time."""
    while not stop.is_set():
        try:
            _tell_flaw(cluster, read(path))
            log.info("audit head: %s", publish(path, head_now(cluster)))
        except (KafkaException, EndNotReached, OSError, Refused) as error:
            log.error("the audit's head was not published, tried again in %.0f s: %s", AGAIN_S, error)
            stop.wait(AGAIN_S)
        else:
            stop.wait(DAY_S)


def _tell_flaw(cluster: Cluster, heads: Sequence[Head]) -> None:
    flaw = first_flaw(entries(cluster), heads)
    if flaw is not None:
        log.error("the audit log was tampered with (%s): %s; see `lineshaft audit verify`", flaw.kind, flaw.message)
