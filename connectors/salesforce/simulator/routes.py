"""The table of the data API's routes."""

from __future__ import annotations

from connectors.salesforce.simulator import about, composite, sobjects
from connectors.salesforce.simulator.answers import Answer, ApiError
from connectors.salesforce.simulator.api import Api, Call, Route, Service, route
from connectors.salesforce.simulator.pages import rows_asked
from connectors.salesforce.simulator.queries import Scope


def query(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    return _query(service, call, deleted=False)


def query_all(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    return _query(service, call, deleted=True)


def query_more(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    return Answer(200, service.pages.next(parts[0], call.version))


def _query(service: Service, call: Call, *, deleted: bool) -> Answer:
    soql = call.query.get("q")
    if soql is None:
        raise ApiError(400, "MALFORMED_QUERY", "the parameter q is missing")
    most = int(service.org.settings.number("page_rows"))
    rows = min(most, rows_asked(call.headers.get("sforce-query-options", "")))
    return Answer(200, service.queries.run(soql, Scope(deleted, call.version, rows)))


def routed(service: Service) -> Api:
    """The API on that service."""
    api: Api

    def whole(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
        return composite.composite(api, service, call)

    def batch(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
        return composite.batch(api, service, call)

    more = (route("POST", "composite", whole), route("POST", "composite/batch", batch))
    api = Api(service, ROUTES + more)
    return api


ROUTES: tuple[Route, ...] = (
    route("GET", "limits", about.limits),
    route("GET", "query", query),
    route("GET", "queryAll", query_all),
    route("GET", "query/{}", query_more),
    route("GET", "queryAll/{}", query_more),
    route("GET", "sobjects", about.describe_all),
    route("GET", "sobjects/{}", about.basic),
    route("POST", "sobjects/{}", sobjects.create),
    route("GET", "sobjects/{}/describe", about.describe),
    route("GET", "sobjects/{}/updated", sobjects.updated),
    route("GET", "sobjects/{}/deleted", sobjects.deleted),
    route("GET", "sobjects/{}/{}", sobjects.read),
    route("PATCH", "sobjects/{}/{}", sobjects.update),
    route("DELETE", "sobjects/{}/{}", sobjects.delete),
    route("GET", "sobjects/{}/{}/{}", sobjects.read_by_external_id),
    route("PATCH", "sobjects/{}/{}/{}", sobjects.upsert),
    route("POST", "composite/sobjects", composite.create_rows),
    route("PATCH", "composite/sobjects", composite.update_rows),
    route("DELETE", "composite/sobjects", composite.delete_rows),
    route("PATCH", "composite/sobjects/{}/{}", composite.upsert_rows),
)
