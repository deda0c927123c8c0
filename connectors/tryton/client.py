"""The calls of Tryton's REST protocol that the connectors make (contract section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from connectors.errors import TransientError
from connectors.far_clock import FarClock
from connectors.http import connect
from connectors.json_calls import JsonCalls
from connectors.logins import Key
from connectors.tryton.answers import ANSWERS
from connectors.tryton.config import TrytonConfig
from connectors.tryton.wire import encoded, plain, plain_record
from schemas.document import Fields, Value, to_json

CONTEXT = "X-Tryton-Context"


class Client:
    """One company of one database, one connection pool. Raises FarError; see answers.py for what an answer means."""

    def __init__(self, config: TrytonConfig, transport: httpx.BaseTransport | None = None) -> None:
        self._base = f"{config.url}/{config.database}/rest/model"
        self.company = config.company
        company: Fields = {"company": config.company, "companies": [config.company]}
        http = connect(
            config.timeout_s,
            config.ca_file,
            auth=Key.bearer(config.key.get_secret_value()),
            headers={CONTEXT: encoded(company)},
            transport=transport,
        )
        self.clock = FarClock(config.url)
        self._calls = JsonCalls(http, ANSWERS.read, self.clock)

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._calls.close()

    def search(
        self,
        model: str,
        domain: Sequence[Value],
        paths: Sequence[str],
        order: Sequence[str] = ("id",),
        limit: int | None = None,
    ) -> list[Fields]:
        """Records with plain values in the fields at `paths`, the id always among them."""
        return [plain_record(each) for each in self.search_typed(model, domain, paths, order, limit)]

    def search_typed(
        self, model: str, domain: Sequence[Value], paths: Sequence[str], order: Sequence[str], limit: int | None
    ) -> list[Fields]:
        """The same as Tryton writes them: making values plain takes longer than reading the JSON."""
        query = [("d", encoded(domain)), ("o", encoded([[name, "ASC"] for name in order]))]
        query += [("f", path) for path in paths]
        query += [] if limit is None else [("s", str(limit))]
        found = self._calls.call("reads", "GET", f"{self._base}/{model}", query).body
        if not isinstance(found, list):
            raise TransientError(f"{self._base}/{model} answered no list: {to_json(found)[:200]}")
        return [record for record in found if isinstance(record, dict)]

    def preferences(self) -> Fields:
        """What the bus's user has set, asked for without naming the company; see checks.py for why."""
        url, body, nowhere = f"{self._base}/res.user/get_preferences", {"context_only": True}, encoded({})
        found = plain(self._calls.call("reads", "POST", url, body=body, headers={CONTEXT: nowhere}).body)
        return found if isinstance(found, dict) else {}

    def call(self, model: str, action: str, arguments: Mapping[str, Value]) -> Value:
        """Call a method of a model that writes."""
        return plain(self._calls.call("writes", "POST", f"{self._base}/{model}/{action}", body=arguments).body)
