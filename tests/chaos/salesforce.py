"""Salesforce as its people and scripts use it: placing, changing, cancelling, loading many rows, deleting.

Everything goes to the stand-in's public REST API, straight and not through a proxy, except what a person does on the
screens. A call that fails leaves an unknown outcome, which `settle` resolves by looking the order up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from deploy.demo.login import Login, trust

VERSION = "/services/data/v62.0"
TIMEOUT_S = 60.0


class Refused(RuntimeError):
    """Salesforce said no to the generator; the message holds its answer."""


class Org:
    """One login. Thread-safe as far as httpx is."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._client = httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S)
        self._address = login.values["address"]
        self._sign_in()

    def _sign_in(self) -> None:
        answer = self._client.post(
            f"{self._address}/services/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(self._login.values["consumer_key"], self._login.values["client_secret"]),
        ).raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call under /services/data; its JSON, None where there is none. Raises Refused or httpx.HTTPError."""
        answer = self._client.request(method, f"{self._address}{VERSION}/{path}", json=body)
        if answer.is_error:
            raise Refused(f"{method} {path}: HTTP {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def create(self, kind: str, fields: Mapping[str, Any]) -> str:
        """A new record; its id."""
        return str(self.call("POST", f"sobjects/{kind}", fields)["id"])

    def composite(self, parts: Sequence[tuple[str, str, str, Mapping[str, Any] | None]]) -> dict[str, Any]:
        """Calls in order, all or none: (name, method, path, body). Their bodies by name."""
        requests = [
            {"method": method, "url": f"{VERSION}/{path}", "referenceId": name, **({"body": body} if body else {})}
            for name, method, path, body in parts
        ]
        answer = self.call("POST", "composite", {"allOrNone": True, "compositeRequest": requests})
        failed = [part for part in answer["compositeResponse"] if part["httpStatusCode"] >= httpx.codes.BAD_REQUEST]
        if failed:
            raise Refused(f"composite: {failed[0]['body']}")
        return {part["referenceId"]: part["body"] for part in answer["compositeResponse"]}

    def update_rows(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
        """A data loader's call: up to 200 rows of one kind, each with its `Id`. Which of them were accepted."""
        records = [{"attributes": {"type": kind}, **row} for row in rows]
        answer = self.call("PATCH", "composite/sobjects", {"allOrNone": False, "records": records})
        return [bool(each["success"]) for each in answer]

    def query(self, soql: str) -> list[dict[str, Any]]:
        """All rows of a query."""
        answer = self._client.get(f"{self._address}{VERSION}/query", params={"q": soql}).raise_for_status().json()
        rows = list(answer["records"])
        while not answer["done"]:
            answer = self._client.get(f"{self._address}{answer['nextRecordsUrl']}").raise_for_status().json()
            rows += answer["records"]
        return rows
