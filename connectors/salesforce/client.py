"""Calls to one org: simple-salesforce for the wire, our own login, errors and limits around it.

simple-salesforce is given a session id and can never log in by itself: its silent re-login needs a login partial,
which only its own logins set. Error answers are read from its exceptions' content by code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connectors.contract import ApiBudget
from connectors.errors import AuthError, TransientError
from connectors.far_clock import FarClock
from connectors.http import retry_after_s
from connectors.logins import Renewable
from connectors.paging import Page, read_all
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.login import Login, Token
from connectors.salesforce.outcomes import SessionExpired, error_of_answer
from connectors.salesforce.session import BoundedSession
from schemas.document import Value, from_json, to_json

Record: TypeAlias = dict[str, Value]
T = TypeVar("T")

NO_JSON = (ValueError, TypeError, AttributeError, LookupError)
"""What simple-salesforce runs into on a body that is no JSON, or JSON of another shape than it takes for granted."""

USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")


class Client:
    """One logged-in org. Logs in on the first call; thread-safe as far as `api_budget` and the token go."""

    def __init__(self, config: SalesforceConfig) -> None:
        self._config = config
        self._login = Login(config)
        self._session = BoundedSession(config)
        self._session.hooks["response"].append(self._note_headers)
        self._wish_s: float | None = None  # Retry-After of the newest answer, which the exceptions do not carry
        self.clock = FarClock(config.login_url)
        self._token = Renewable(lambda: self._login.mint())
        self.api_budget: ApiBudget | None = None  # of the last 24 hours: Sforce-Limit-Info, contract section 3

    @property
    def token(self) -> Token:
        """The token in use; minted on the first call."""
        return self._token.current

    def renew(self, stale: Token) -> Token:
        """A new token in place of `stale`, unless somebody renewed it meanwhile."""
        return self._token.renewed(stale)

    def query(self, soql: str, *, deleted: bool = False) -> list[Record]:
        """All records of a query, pages and pages of children followed; with `deleted` from the recycle bin too."""
        return self._pages_of(self._ask(lambda org: org.query(soql, include_deleted=deleted), "query"))

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

    def _pages_of(self, first: Value) -> list[Record]:
        return list(read_all(lambda address: self._page(self._next(address) if address else first)))

    def _page(self, answer: Value) -> Page[Record]:
        return Page([self._whole(record) for record in _records(answer)], _next_of(answer))

    def _next(self, address: str) -> Value:
        page: Value = self._ask(lambda org: org.query_more(address, identifier_is_url=True), "next page of a query")
        return page

    def _whole(self, record: Value) -> Record:
        """The record without `attributes`, its nested records whole, its children a plain list.

        What is no record is kept as one that has none of the fields that were asked for.
        """
        if not isinstance(record, Mapping):
            return {"value": record}
        return {name: self._nested(value) for name, value in record.items() if name != "attributes"}

    def _nested(self, value: Value) -> Value:
        if not isinstance(value, Mapping):
            return value
        return self._pages_of(value) if "records" in value else self._whole(value)

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
            raise error_of_answer(error.status, exact(error.content), where, self._wish_s) from error
        except requests.RequestException as error:
            raise TransientError(f"{where}: no answer ({type(error).__name__}: {error})") from error
        except RecursionError as error:
            raise TransientError(f"{where}: the answer is JSON that is nested too deeply") from error
        except NO_JSON as error:
            raise TransientError(f"{where}: the answer is no JSON of the kind that is expected there") from error

    def _org(self, token: Token) -> Salesforce:
        return Salesforce(
            session_id=token.access,
            instance_url=token.instance_url,
            version=self._config.api_version,
            session=self._session,
            parse_float=Decimal,
            object_pairs_hook=dict,
        )

    def _note_headers(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._wish_s = retry_after_s(response.headers)
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


def _records(page: Value) -> Sequence[Value]:
    records = page.get("records") if isinstance(page, Mapping) else None
    if not isinstance(records, list):
        raise TransientError(f"a query's answer is no page with a list of records: {to_json(page)[:200]}")
    return records


def _next_of(page: Value) -> str | None:
    """Where the next page is; None behind the last one."""
    assert isinstance(page, Mapping)  # its records were read
    if page.get("done") is not False:
        return None
    address = page.get("nextRecordsUrl")
    if not isinstance(address, str):
        raise TransientError(f"a query's page is not the last one and names no next one: {address!r}")
    return address
