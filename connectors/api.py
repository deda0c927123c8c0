"""A JSON API over HTTP as a configuration names it, and its calls: paced, logged in, read by its table of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx
from pydantic import Field

from connectors.answer_settings import Errors
from connectors.config import BaseAddress, CaFile, ConnectorConfig, TimeoutS, UrlPath
from connectors.errors import ConfigError, DataError, TransientError
from connectors.far_clock import FarClock
from connectors.http import Effect, connect
from connectors.json_calls import Answer, JsonCalls
from connectors.json_path import at
from connectors.login_settings import Login
from connectors.pace import Pace
from schemas.document import Value, to_json

ANY = "any"


class ApiConfig(ConnectorConfig):
    """How a JSON API is reached; a connector's own configuration adds what is read and written."""

    url: BaseAddress = Field(description="Base address, which every path comes behind.")
    login: Login | None = Field(default=None, description="How to log in; `type` says which way. Nothing without.")
    probe: UrlPath = Field(default="", description="A path that is read at the start.")
    errors: Errors = Field(default=Errors(), description="What answers mean, beside what is usual.")
    requests_per_second: int = Field(default=10, ge=1, description="Calls that this connector makes in one second.")
    ca_file: CaFile = None
    timeout_s: TimeoutS = 10.0


class Api:
    """One API. Logs in on the first call. Raises FarError."""

    def __init__(self, config: ApiConfig, transport: httpx.BaseTransport | None = None) -> None:
        self._config = config
        self._login = connect(config.timeout_s, config.ca_file, transport=transport)
        auth = config.login.auth(self._login) if config.login else None
        http = connect(config.timeout_s, config.ca_file, auth=auth, transport=transport)
        self.clock = FarClock(config.url)
        self._pace = Pace(config.requests_per_second, {ANY: config.requests_per_second})
        self._calls = JsonCalls(http, config.errors.answers().read, self.clock)

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._pace.take_share(share)

    def probe(self) -> None:
        """Read the path that is there for it. Raises AuthError, or ConfigError where url or path are wrong."""
        if self._config.probe:
            try:
                self.call("reads", "GET", self._config.probe)
            except DataError as error:
                raise ConfigError("probe", f"{error}.", "Name a path that answers GET, behind url.") from error

    def call(
        self,
        effect: Effect,
        method: str,
        place: str,
        query: Mapping[str, str] | None = None,
        body: Value = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call of a path behind the base address, or of a whole address."""
        self._pace.wait(ANY)
        url = f"{self._config.url}{place}" if place.startswith("/") else place
        return self._calls.call(effect, method, url, list((query or {}).items()), body, headers)

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._calls.close()
        self._login.close()


def rows_at(answer: Answer, path: str) -> Sequence[Value]:
    """The list in an answer. Raises TransientError where there is none."""
    found = at(answer.body, path)
    if not isinstance(found, list):
        raise TransientError(f"the answer has no list at {path or 'its top'}: {to_json(answer.body)[:200]}")
    return found
