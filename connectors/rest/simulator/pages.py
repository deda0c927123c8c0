"""The same orders in every way of paging: /api/STYLE/orders."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.rest.simulator.shop import Refused
from schemas.document import Fields, Value

LARGEST = 100


@dataclass(frozen=True)
class Asked:
    """A list that is asked for: its rows, the query, its own address and the page's size."""

    rows: Sequence[Fields]
    query: Mapping[str, str]
    url: str
    size: int
    tokens: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Given:
    """A page's body, and the header Link ("" for none)."""

    body: Value
    link: str = ""


def whole(asked: Asked) -> Given:
    """The list itself."""
    return Given(list(asked.rows))


def cursor(asked: Asked) -> Given:
    """{"data", "meta": {"next"}}; `cursor` is the id before, wrapped."""
    rows = sorted(asked.rows, key=lambda row: str(row["id"]))
    after = base64.urlsafe_b64decode(asked.query.get("cursor", "")).decode()
    rest = [row for row in rows if str(row["id"]) > after]
    page = rest[: asked.size]
    more = len(rest) > len(page)
    token = base64.urlsafe_b64encode(str(page[-1]["id"]).encode()).decode() if more else None
    return Given({"data": page, "meta": {"next": token}})


def offset(asked: Asked) -> Given:
    """{"items", "hasMore", "total"}; a larger limit than the server's is lowered without a word."""
    rows = sorted(asked.rows, key=lambda row: str(row["id"]))
    start = int(asked.query.get("offset", "0"))
    size = min(int(asked.query.get("limit", str(asked.size))), asked.size, LARGEST)
    page = rows[start : start + size]
    return Given({"items": page, "hasMore": start + size < len(rows), "total": len(rows)})


def keyset(asked: Asked) -> Given:
    """{"data"} behind `after` = moment,id."""
    moment, _, id = asked.query.get("after", "").partition(",")
    rest = [row for row in asked.rows if (str(row["updatedAt"]), str(row["id"])) > (moment, id)]
    return Given({"data": rest[: asked.size]})


def link(asked: Asked) -> Given:
    """The list itself, and the next page in the header Link."""
    start = int(asked.query.get("page", "0")) * asked.size
    following = f'<{asked.url}?page={start // asked.size + 1}>; rel="next"'
    more = start + asked.size < len(asked.rows)
    return Given(list(asked.rows[start : start + asked.size]), following if more else "")


def odata(asked: Asked) -> Given:
    """{"value", "@odata.nextLink" or "@odata.deltaLink"}; a delta holds bare marks of what was deleted."""
    since, skip = asked.query.get("$deltatoken", ""), int(asked.query.get("$skiptoken", "0"))
    if since and since not in asked.tokens:
        raise Refused(400, "0x80044310", "Version stamp associated with the client has expired.")
    changed = [row for row in asked.rows if number_of(row) > int(since or 0)]
    rows = [{"id": row["id"], "reason": "deleted"} if row["deleted"] and since else row for row in changed]
    page: Fields = {"value": rows[skip : skip + asked.size]}
    if skip + asked.size < len(rows):
        more = f"$deltatoken={since}&" if since else ""
        return Given({**page, "@odata.nextLink": f"{asked.url}?{more}$skiptoken={skip + asked.size}"})
    newest = str(max((number_of(row) for row in asked.rows), default=0))
    asked.tokens.add(newest)
    return Given({**page, "@odata.deltaLink": f"{asked.url}?$deltatoken={newest}"})


def number_of(row: Fields) -> int:
    """The number of a row's last change."""
    return int(str(row["changeNumber"]))


STYLES: Mapping[str, Callable[[Asked], Given]] = {
    "whole": whole,
    "cursor": cursor,
    "offset": offset,
    "keyset": keyset,
    "link": link,
    "odata": odata,
}
