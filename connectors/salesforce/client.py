"""Calls to one org: simple-salesforce for the wire, our own login, errors and limits around it.

simple-salesforce is given a session id and can never log in by itself: its silent re-login needs a login partial,
which only its own logins set. Error answers are read from its exceptions' content by code.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar, cast

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connectors.contract import ApiBudget
from connectors.errors import AuthError, DataError, TransientError
from connectors.far_clock import FarClock
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.login import Login, Token
from connectors.salesforce.outcomes import SessionExpired, error_of_answer
from connectors.salesforce.session import BoundedSession
from schemas.document import Value, from_json, to_json

Record: TypeAlias = dict[str, Value]
T = TypeVar("T")

USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")


class Client:
    """One logged-in org. Logs in on the first call; thread-safe as far as `api_budget` and the token go."""

    def __init__(self, config: SalesforceConfig) -> None:
        self._config = config
        self._login = Login(config)
        self._session = BoundedSession(config)
        self._session.hooks["response"].append(self._note_budget)
        self.clock = FarClock(config.login_url)
        self._lock = threading.Lock()
        self._token: Token | None = None
        self.api_budget: ApiBudget | None = None  # of the last 24 hours: Sforce-Limit-Info, contract section 3

    @property
    def token(self) -> Token:
        """The token in use; minted on the first call."""
        with self._lock:
            if self._token is None:
                self._token = self._login.mint()
            return self._token

    def renew(self, stale: Token) -> Token:
        """A new token in place of `stale`, unless somebody renewed it meanwhile."""
        with self._lock:
            if self._token is None or self._token == stale:
                self._token = self._login.mint()
            return self._token

    def query(self, soql: str, *, deleted: bool = False) -> list[Record]:
        """All records of a query, pages and pages of children followed; with `deleted` from the recycle bin too."""
        page = self._ask(lambda org: org.query(soql, include_deleted=deleted), "query")
        return self._rest_of(page)

    def call(self, method: str, path: str, body: Value = None, headers: Mapping[str, str] | None = None) -> Value:
        """One REST call under /services/data/vNN.N/; the answer's JSON."""
        data = None if body is None else to_json(body).encode()
        sent = dict(headers or {})
        answer: Value = self._ask(
            lambda org: org.restful(path, method=method, data=data, headers=sent), f"{method} {path}"
        )
        return answer

    def describe(self, name: str) -> Mapping[str, Value]:
        """What this user may see of an object. Raises DataError INVALID_TYPE or NOT_FOUND for one there is not."""
        described = self.call("GET", f"sobjects/{name}/describe")
        if not isinstance(described, Mapping):
            raise TransientError(f"describe of {name}: the answer is no object")
        return described

    def abort(self) -> None:
        """From any thread: a REST call under way fails at once, and none begins any more."""
        self._session.abort()

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._session.close()
        self._login.close()

    def _rest_of(self, page: Mapping[str, Value]) -> list[Record]:
        records = [self._whole(record) for record in _records(page)]
        while page.get("done") is False:
            page = self._next(str(page["nextRecordsUrl"]))
            records.extend(self._whole(record) for record in _records(page))
        return records

    def _next(self, address: str) -> Mapping[str, Value]:
        page: Mapping[str, Value] = self._ask(
            lambda org: org.query_more(address, identifier_is_url=True), "next page of a query"
        )
        return page

    def _whole(self, record: Mapping[str, Value]) -> Record:
        """The record without `attributes`, its nested records whole, its children a plain list."""
        return {name: self._nested(value) for name, value in record.items() if name != "attributes"}

    def _nested(self, value: Value) -> Value:
        if not isinstance(value, Mapping):
            return value
        return self._rest_of(value) if "records" in value else self._whole(value)

    def _ask(self, call: Callable[[Salesforce], Any], where: str) -> Any:
        token = self.token
        try:
            return self._guarded(call, token, where)
        except SessionExpired:
            token = self.renew(token)
        try:
            return self._guarded(call, token, where)
        except SessionExpired as error:
            raise AuthError(f"{error} The token was minted a moment ago: check the user's API access.") from error

    def _guarded(self, call: Callable[[Salesforce], T], token: Token, where: str) -> T:
        try:
            return call(self._org(token))
        except SalesforceError as error:
            raise error_of_answer(error.status, exact(error.content), where) from error
        except requests.RequestException as error:
            raise TransientError(f"{where}: no answer ({type(error).__name__}: {error})") from error
        except ValueError as error:
            raise TransientError(f"{where}: the answer is no JSON ({error})") from error

    def _org(self, token: Token) -> Salesforce:
        return Salesforce(
            session_id=token.access,
            instance_url=token.instance_url,
            version=self._config.api_version,
            session=self._session,
            parse_float=Decimal,
            object_pairs_hook=dict,
        )

    def _note_budget(self, response: requests.Response, *_: Any, **__: Any) -> None:
        match = USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if match:
            self.api_budget = ApiBudget(int(match[1]), int(match[2]))
        self.clock.heard(response.headers.get("Date"))


def exact(content: object) -> object:
    """An error's content as JSON where it is any; simple-salesforce hands over JSON or text."""
    if not isinstance(content, str | bytes):
        return content
    try:
        return from_json(content)
    except ValueError:
        return content


def _records(page: Mapping[str, Value]) -> Sequence[Mapping[str, Value]]:
    records = page.get("records")
    if not isinstance(records, Sequence):
        raise DataError("a query's answer has no records")
    return cast("Sequence[Mapping[str, Value]]", records)
