"""The data push of the form (contract section 6): signed, and sent again until it is taken."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import httpx
from pydantic import TypeAdapter

from connectors.jiandaoyun.simulator.form import Widget
from connectors.jiandaoyun.simulator.records import with_widget_ids
from connectors.testing import Faults, Ledger, RecordStore
from schemas.document import Fields, to_json

TABLE = "pushes"
SETTINGS = "settings"
LONGEST_PAUSE_MS = 30_000
TRIES = 20
TIMEOUT_S = 5
HELD_BACK_MS = 10_000


@dataclass(frozen=True)
class Target:
    """Where the form pushes to. `keys` is the form's setting: `alias` or `widget`; `ca_file` verifies the URL."""

    url: str
    secret: str
    keys: str = "alias"
    ca_file: str = ""


@dataclass(frozen=True)
class Push:
    """One push that is not yet taken; `behind` waits for another one to go first."""

    key: str
    delivery: str
    body: str
    due_ms: int
    tries: int = 0
    behind: bool = False


PUSH = TypeAdapter(Push)
TARGET = TypeAdapter(Target)


class Pusher:
    """Sends pushes one by one in a thread of its own; those not yet taken are on disk and survive a restart."""

    def __init__(
        self,
        store: RecordStore,
        form: Sequence[Widget],
        faults: Faults,
        ledger: Ledger,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._form = form
        self._faults = faults
        self._ledger = ledger
        self._now = now
        self._change = threading.Condition()
        self._stopping = False
        self._order = itertools.count(time.time_ns())
        self._thread = threading.Thread(target=self._run, name="jiandaoyun-push", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending and wait for the thread; what was not taken is sent after the next start."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        self._thread.join()

    def aim(self, target: Target | None) -> None:
        """Set the form's push, or switch it off."""
        with self._change:
            if target is None:
                self._store.delete(SETTINGS, "push")
            else:
                self._store.put(SETTINGS, "push", asdict(target))
            self._change.notify_all()

    def push(self, operation: str, data: Fields) -> None:
        """Queue one push, on disk when this returns. Nothing happens where the form pushes to nobody."""
        target = self._target()
        if target is None:
            return
        shown = with_widget_ids(data, self._form) if target.keys == "widget" else data
        body = to_json({"op": operation, "data": shown})
        push = Push(f"{next(self._order):020d}", secrets.token_hex(12), body, _now_ms())
        if self._faults.take("lost_webhook", operation=operation):
            self._ledger.record("push_lost", delivery=push.delivery, body=body)
            return
        if self._faults.take("reordered_webhook", operation=operation):
            push = replace(push, behind=True, due_ms=push.due_ms + HELD_BACK_MS)
        self._keep(push)

    def waiting(self) -> int:
        """How many pushes are not yet taken."""
        return len(self._store.all(TABLE))

    def _target(self) -> Target | None:
        kept = self._store.get(SETTINGS, "push")
        return TARGET.validate_python(kept) if kept else None

    def _keep(self, push: Push) -> None:
        with self._change:
            self._store.put(TABLE, push.key, asdict(push))
            self._change.notify_all()

    def _run(self) -> None:
        while (due := self._next()) is not None:
            push, target = due
            if self._send(push, target):
                self._taken(push, target)
            else:
                self._again(push)

    def _next(self) -> tuple[Push, Target] | None:
        """Wait for the push that is due first; None when stopping."""
        with self._change:
            while not self._stopping:
                pushes = [PUSH.validate_python(kept) for kept in self._store.all(TABLE)]
                first = min(pushes, key=lambda push: (push.due_ms, push.key), default=None)
                target = self._target()
                if first is not None and target is not None and first.due_ms <= _now_ms():
                    return first, target
                self._change.wait((first.due_ms - _now_ms()) / 1000 if first and target else None)
        return None

    def _taken(self, push: Push, target: Target) -> None:
        if self._faults.take("duplicate_webhook"):
            self._send(push, target)
        self._store.delete(TABLE, push.key)
        for kept in self._store.all(TABLE):
            behind = PUSH.validate_python(kept)
            if behind.behind:
                self._keep(replace(behind, behind=False, due_ms=_now_ms()))

    def _again(self, push: Push) -> None:
        if push.tries + 1 >= TRIES:
            self._ledger.record("push_given_up", delivery=push.delivery, body=push.body)
            self._store.delete(TABLE, push.key)
            return
        pause_ms = min(LONGEST_PAUSE_MS, 500 * 2**push.tries)
        self._keep(replace(push, tries=push.tries + 1, due_ms=_now_ms() + pause_ms))

    def _send(self, push: Push, target: Target) -> bool:
        """Post once, with a fresh nonce and timestamp and the same DeliverId; says whether it was taken."""
        timestamp, nonce = str(int(self._now())), secrets.token_hex(6)
        signed = f"{nonce}:{push.body}:{target.secret}:{timestamp}".encode()
        headers = {
            "Content-Type": "application/json",
            "X-JDY-DeliverId": push.delivery,
            "X-JDY-Signature": hashlib.sha1(signed).hexdigest(),  # noqa: S324 - the vendor's choice
        }
        query = {"timestamp": timestamp, "nonce": nonce}
        secure = target.url.startswith("https:")  # making a context takes longer than a push
        verify = ssl.create_default_context(cafile=target.ca_file or None) if secure else False
        try:
            with httpx.Client(verify=verify, timeout=TIMEOUT_S, trust_env=False) as client:
                answer = client.post(target.url, params=query, content=push.body.encode(), headers=headers)
            status = answer.status_code
        except httpx.HTTPError as error:
            self._ledger.record("push", delivery=push.delivery, body=push.body, error=str(error))
            return False
        self._ledger.record("push", delivery=push.delivery, body=push.body, status=status)
        return 200 <= status < 300


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
