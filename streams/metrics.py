"""The bus's Prometheus metrics; every name begins with `lineshaft_` and carries its unit."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from connectors.contract import Budgeted

CONSUMED = Counter("lineshaft_consumed_records_total", "Records consumed.", ["stage", "topic"])
PUBLISHED = Counter("lineshaft_published_records_total", "Records published by a source.", ["stage", "record"])
WRITTEN = Counter("lineshaft_written_documents_total", "Documents made durable in a far system.", ["stage"])
PARKED = Counter("lineshaft_parked_records_total", "Records parked, by cause.", ["stage", "cause"])
PARKED_NOW = Gauge("lineshaft_parked_now_records", "Records parked now, by cause.", ["stage", "cause"])
COMMITTED = Counter("lineshaft_committed_batches_total", "Batches committed.", ["stage"])
ABORTED = Counter("lineshaft_aborted_batches_total", "Batches aborted and done again.", ["stage"])
OWNED = Gauge("lineshaft_owned_partitions", "Partitions owned.", ["stage"])
FAR_ERRORS = Counter("lineshaft_far_errors_total", "Errors of a far system, by kind.", ["stage", "error"])
FAR_CALL = Histogram("lineshaft_far_call_seconds", "Time of one call of a connector.", ["stage", "call"])
BREAKER = Gauge("lineshaft_breaker_state", "Circuit breaker: 0 closed, 1 half open, 2 open.", ["stage"])
RESERVE = Gauge(
    "lineshaft_reserve_in_use",
    "1 where the call budget is nearly used up and only what is urgent goes on.",
    ["stage"],
)
WINDOW_OPEN = Gauge(
    "lineshaft_window_open", "1 in a planned downtime of the far system: it is not called.", ["stage"]
)
CATCH_UP = Gauge(
    "lineshaft_catch_up_seconds",
    "How long the sink needs for what waits, at its recent rate; NaN unknown.",
    ["stage"],
)
STOPPED = Gauge("lineshaft_source_stopped", "1 where a source was stopped until a person mends it.", ["stage"])
API_BUDGET = Gauge("lineshaft_api_budget_used_ratio", "Share of the far system's API budget that is used.", ["stage"])
LIVE_DEFINITION = Gauge("lineshaft_live_definition_info", "1 for the activation in force here.", ["definition"])
DEFINITION_REFUSED = Gauge("lineshaft_definition_refused", "1 where the newest activation cannot be used here.")
LAST_POLL = Gauge(
    "lineshaft_last_poll_timestamp_seconds", "When the task last polled, seconds since 1970.", ["stage"]
)


def show_budget(stage: str, connector: object) -> None:
    """Set the API budget where the far system counts calls and has said how many."""
    if isinstance(connector, Budgeted) and connector.api_budget is not None and connector.api_budget.limit:
        API_BUDGET.labels(stage).set(connector.api_budget.used / connector.api_budget.limit)
