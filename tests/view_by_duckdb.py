"""The view's figures computed by DuckDB over the topics: nothing of the view takes part."""

from __future__ import annotations

from typing import Any

import duckdb

from schemas.catalog import ORDERS, STATUS
from schemas.event import Event
from schemas.wire import TRACEPARENT
from tests.bus_on_kafka import BusOnKafka
from tests.view_events import SECOND

MES, CRM = "sink.plant-a", "sink.crm"


def figures(counts: Any) -> tuple[Any, ...]:
    """Counts of a report, in the order of the columns of SQL."""
    took = [
        counts[name][key] for name in ("crm_to_mes", "mes_to_crm") for key in ("count", "p50_s", "p95_s", "max_s")
    ]
    return (counts["placed"], counts["released"], counts["completed"], *took)


FACTS = """
WITH placed AS (SELECT k, min(placed) AS instant FROM events WHERE placed IS NOT NULL GROUP BY k),
job AS (
    SELECT k, min(version) AS instant, arg_min(trace, version) AS trace FROM events
    WHERE record = 'JobOrder' GROUP BY k),
completed AS (SELECT k, min(completed) AS instant FROM events WHERE state = 'completed' GROUP BY k),
released AS (
    SELECT job.instant, job.instant - min(sale.changed) AS took FROM job
    JOIN events sale ON sale.k = job.k AND sale.trace = job.trace
    WHERE sale.record = 'SalesOrder' GROUP BY job.k, job.instant),
told AS (
    SELECT DISTINCT k, version AS instant, version - changed AS took FROM events AS told
    WHERE record = 'OrderStatus' AND NOT EXISTS (
        SELECT 1 FROM events sale WHERE sale.k = told.k AND sale.record = 'SalesOrder'
        AND (sale.trace = told.trace OR sale.changed = told.changed))),
instants AS (
    SELECT 'placed' AS what, instant, NULL AS took FROM placed UNION ALL SELECT 'released', instant, NULL FROM job
    UNION ALL SELECT 'completed', instant, NULL FROM completed UNION ALL SELECT 'crm', instant, took FROM released
    UNION ALL SELECT 'mes', instant, took FROM told)
SELECT {group} AS slot,
    count(*) FILTER (what = 'placed'), count(*) FILTER (what = 'released'), count(*) FILTER (what = 'completed'),
    count(*) FILTER (what = 'crm'), quantile_disc(took, 0.5) FILTER (what = 'crm'),
    quantile_disc(took, 0.95) FILTER (what = 'crm'), max(took) FILTER (what = 'crm'),
    count(*) FILTER (what = 'mes'), quantile_disc(took, 0.5) FILTER (what = 'mes'),
    quantile_disc(took, 0.95) FILTER (what = 'mes'), max(took) FILTER (what = 'mes')
FROM instants GROUP BY slot
"""
GROUPS = {
    "all": "'all'",
    "window": "strftime(make_timestamp(instant // 60000000 * 60000000), '%Y-%m-%dT%H:%M:%S.%fZ')",
}


def by_duckdb(kafka: BusOnKafka, group: str) -> dict[str, tuple[Any, ...]]:
    """The same figures per slot, in SQL over the records as a second client reads them."""
    rows = [
        _row(event)
        for topic, record in (
            (ORDERS, "SalesOrder"),
            (MES, "JobOrder"),
            (STATUS, "OrderStatus"),
            (CRM, "OrderStatus"),
        )
        for event in kafka.events(topic, record)
    ]
    with duckdb.connect() as sql:
        sql.execute(
            "CREATE TABLE events (record TEXT, k TEXT, version BIGINT, trace TEXT, placed BIGINT, changed BIGINT,"
            " completed BIGINT, state TEXT)"
        )
        sql.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        found = sql.execute(FACTS.format(group=GROUPS[group])).fetchall()
    return {slot: _in_seconds(row) for slot, *row in found}


def _row(event: Event) -> list[Any]:
    fields = [event.value.get(name) for name in ("placed_at", "changed_at", "completed_at", "state")]
    return [event.record, event.key, event.version, event.headers[TRACEPARENT], *fields]


def _in_seconds(row: list[Any]) -> tuple[Any, ...]:
    counts = {0, 1, 2, 3, 7}
    return tuple(v if n in counts or v is None else v / SECOND for n, v in enumerate(row))
