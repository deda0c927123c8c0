"""JianDaoYun's books, read as a script of the company reads them: over its open API, without our connector."""

from __future__ import annotations

from typing import cast

import httpx

from deploy.demo.compare import FloorBooks, Made, Table, quantity
from deploy.demo.login import Login, trust

NAME = "JianDaoYun"
PAGE = 100
TIMEOUT_S = 60.0


def read(login: Login) -> FloorBooks:
    """All work orders. Raises httpx.HTTPError where the form does not answer."""
    values, found, last = login.values, cast("dict[str, list[Made]]", {}), ""
    with httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S) as client:
        client.headers["Authorization"] = f"Bearer {values['api_key']}"
        while True:
            body = {"app_id": values["app_id"], "entry_id": values["entry_id"], "data_id": last, "limit": PAGE}
            answer = client.post(f"{values['base_url']}/v5/app/entry/data/list", json=body).raise_for_status()
            page = cast("list[Table]", answer.json()["data"])
            for record in page:
                found.setdefault(str(record["job_order_id"]), []).append(_job(record))
            if len(page) < PAGE:
                return FloorBooks(NAME, found)
            last = str(page[-1]["_id"])


def _job(record: Table) -> Made:
    rows = cast("list[Table]", record.get("operations") or [])
    ends = [(str(row.get("ended") or ""), index) for index, row in enumerate(rows)]
    good = quantity(rows[max(ends)[1]]["good"]) if rows else 0.0
    scrap, rework = (sum(quantity(row[name]) for row in rows) for name in ("scrap", "rework"))
    return Made(quantity(record["quantity"]), good, scrap, rework, str(record["state"]))
