"""Transaction ids of batch_create (contract section 4): a repeat within the hour overwrites what the first made."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.testing import RecordStore

TABLE = "transactions"
KEPT_MS = 3_600_000


class Transactions:
    """The transaction ids of the last hour and the records they made, on disk."""

    def __init__(self, store: RecordStore, now_ms: Callable[[], int] | None = None) -> None:
        self._store = store
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)

    def ids(self, token: str, rows: int) -> list[str]:
        """The records that this id made within the hour; none where it is new or old.

        Raises Refusal 17026 where it made another number of records: that is a clash and no repeat.
        """
        kept = self._store.get(TABLE, token)
        if kept is None or self._age_ms(kept["at_ms"]) >= KEPT_MS:
            return []
        ids = kept["ids"]
        if kept["rows"] != rows or not isinstance(ids, list):
            raise Refusal(17026)
        return [str(data_id) for data_id in ids]

    def keep(self, token: str, rows: int, ids: Sequence[str]) -> None:
        """Remember what the id made."""
        self._store.put(TABLE, token, {"at_ms": self._now_ms(), "rows": rows, "ids": list(ids)})

    def _age_ms(self, at_ms: object) -> int:
        return self._now_ms() - at_ms if isinstance(at_ms, int) else KEPT_MS
