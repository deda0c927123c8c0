"""Rules of the org beyond field types: orders and their lines (contract section 6b), and the status version guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.tables import Record, Tables

Rule: TypeAlias = "Callable[[Tables, Rights, Record | None, Record], None]"
"""Looks at a record before (None for a new one) and after a write; raises ApiError to refuse it."""


class Rights:
    """What the integration user may do; `edit_activated_orders` is the permission of that name."""

    def __init__(self, *, edit_activated_orders: bool = True) -> None:
        self.edit_activated_orders = edit_activated_orders


def orders_begin_as_draft(tables: Tables, rights: Rights, before: Record | None, after: Record) -> None:
    if before is None and after["Status"] != "Draft":
        raise ApiError(400, "FAILED_ACTIVATION", "An order is created as Draft and activated later", ("Status",))


def activation_needs_a_line(tables: Tables, rights: Rights, before: Record | None, after: Record) -> None:
    activates = before is not None and before["Status"] != "Activated" and after["Status"] == "Activated"
    if activates and not any(not line["IsDeleted"] for line in tables["OrderItem"].where("OrderId", after["Id"])):
        raise ApiError(400, "FAILED_ACTIVATION", "An order must have at least one product", ("Status",))


def lines_of_activated_orders(tables: Tables, rights: Rights, before: Record | None, after: Record) -> None:
    if rights.edit_activated_orders and not after["IsDeleted"]:
        return
    order = tables["Order"].get(after["OrderId"])
    if order is not None and order["Status"] == "Activated" and not order["IsDeleted"]:
        did = "deleted" if after["IsDeleted"] else "edited without the permission Edit Activated Orders"
        raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", f"Products of an activated order cannot be {did}")


def older_versions_never_win(tables: Tables, rights: Rights, before: Record | None, after: Record) -> None:
    """The org's validation rule: versions are 20 digits, so they sort as text."""
    if before is None:
        return
    stored, sent = before["Bus_Version__c"] or "", after["Bus_Version__c"] or ""
    if str(sent) < str(stored):
        raise ApiError(
            400,
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            f"LINESHAFT_OLDER_VERSION: {stored} is stored, {sent or 'none'} came",
            ("Bus_Version__c",),
        )


RULES: Mapping[str, tuple[Rule, ...]] = {
    "Order": (orders_begin_as_draft, activation_needs_a_line),
    "OrderItem": (lines_of_activated_orders,),
    "MES_Status__c": (older_versions_never_win,),
}
