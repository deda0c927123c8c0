"""The view over HTTP: `GET /kpi` gives the report as JSON; `?windows=N` the newest N windows (else 120), or `all`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streams.views.view import NotRunning, View

DEFAULT_WINDOWS = 120


def routes(view: View) -> list[Route]:
    """The routes of a view, for the role's HTTP server."""

    def answer(request: Request) -> Response:
        wished = request.query_params.get("windows", str(DEFAULT_WINDOWS))
        if wished != "all" and not (wished.isascii() and wished.isdigit()):
            return JSONResponse({"error": f"windows is a number or `all`, not {wished!r}"}, 400)
        try:
            report = view.report()
        except NotRunning as error:
            return JSONResponse({"error": str(error)}, 503)
        windows = report["windows"]
        newest = windows if wished == "all" else windows[max(0, len(windows) - int(wished)) :]
        return JSONResponse({**report, "windows": newest, "caught_up": view.caught_up()})

    return [Route("/kpi", answer)]
