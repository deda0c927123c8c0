"""A person at work in Tryton, by the protocol of its own clients: JSON-RPC, with a login and a password.

Imports httpx and the standard library only. Source: Tryton's JSON-RPC as its desktop client speaks it.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TypeAlias, cast

import httpx

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Table: TypeAlias = "dict[str, Json]"

TIMEOUT_S = 120.0
BUSY_WAIT_S = 0.2
PATIENCE_S = 60.0


class Refused(Exception):
    """Tryton said no; the message holds its words."""


class Person:
    """One login in one database, for one company; does one thing at a time, whoever asks."""

    def __init__(self, url: str, database: str, company: int, login: str, password: str) -> None:
        self._path = f"{url}/{database}/rpc/"
        self._context: Table = {"company": company, "companies": [company]}
        self._one_at_a_time = Lock()
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        user, session, *_ = cast("list[Json]", self._ask("common.db.login", [login, {"password": password}, "en"]))
        token = base64.b64encode(f"{login}:{user}:{session}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {token}"

    def close(self) -> None:
        """Let go of the connections. Safe twice."""
        self._http.close()

    def call(self, model: str, method: str, *arguments: Json) -> Json:
        """Call a method of a model, as a button does. Raises Refused, or httpx.HTTPError without an answer."""
        return self._ask(f"model.{model}.{method}", [*arguments, self._context])

    def create(self, model: str, records: Sequence[Mapping[str, Json]]) -> list[int]:
        """New records; their ids."""
        return [int(str(each)) for each in cast("list[Json]", self.call(model, "create", [dict(r) for r in records]))]

    def find(self, model: str, domain: list[Json], *fields: str) -> list[Table]:
        """All records of a domain with these fields, dotted, by their ids. What is nested stands under `field.`."""
        order: list[Json] = [["id", "ASC"]]
        found = self.call(model, "search_read", domain, 0, None, order, list(fields))
        return cast("list[Table]", found)

    def _ask(self, method: str, parameters: list[Json]) -> Json:
        """One question, asked again while the database is busy: then nothing was done."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with self._one_at_a_time:
                answer = self._http.post(self._path, json={"id": 1, "method": method, "params": parameters})
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                break
            time.sleep(BUSY_WAIT_S)
        if answer.is_error:
            raise Refused(f"{method}: HTTP {answer.status_code} {answer.text[:300]}")
        said = answer.json()
        if "error" in said:
            raise Refused(f"{method}: {said['error'][0]} {str(said['error'][1:])[:500]}")
        return cast("Json", said["result"])
