"""The objects of the stand-in's org as tables: fields, types, lookups, auto-numbers. Rules stand in `rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

FieldType = Literal["id", "string", "textarea", "picklist", "date", "datetime", "double", "boolean", "reference"]


@dataclass(frozen=True)
class FieldDef:
    """One field. `compound` names the compound field that it is a part of in change events."""

    name: str
    type: FieldType = "string"
    length: int = 255
    scale: int = 2
    required: bool = False
    system: bool = False
    external_id: bool = False
    values: tuple[str, ...] = ()
    default: str | bool | None = None
    refers_to: str = ""
    relation: str = ""
    fixed: bool = False
    compound: str = ""


@dataclass(frozen=True)
class ChildDef:
    """A child relationship: which object's records, by which lookup; `owned` ones go with their parent."""

    name: str
    of: str
    by: str
    owned: bool = True


@dataclass(frozen=True)
class ObjectDef:
    """One object; `prefix` begins its ids, `auto_number` is a field and the digits it has."""

    name: str
    label: str
    prefix: str
    own: tuple[FieldDef, ...]
    auto_number: tuple[str, int] | None = None
    children: tuple[ChildDef, ...] = ()

    @property
    def fields(self) -> Mapping[str, FieldDef]:
        """All fields by name, system fields first."""
        return {field.name: field for field in (*SYSTEM_FIELDS, *self.own)}

    def child(self, name: str) -> ChildDef | None:
        """The child relationship of that name."""
        return next((child for child in self.children if child.name == name), None)

    def relation(self, name: str) -> FieldDef | None:
        """The lookup field whose relationship has that name."""
        return next((field for field in self.own if field.relation == name), None)


SYSTEM_FIELDS = (
    FieldDef("Id", "id", 18, system=True),
    FieldDef("IsDeleted", "boolean", system=True),
    FieldDef("CreatedDate", "datetime", system=True),
    FieldDef("LastModifiedDate", "datetime", system=True),
    FieldDef("SystemModstamp", "datetime", system=True),
)

_NAME = FieldDef("Name", required=True)
_ADDRESS = tuple(
    FieldDef(f"Shipping{part}", compound="ShippingAddress") for part in ("Street", "City", "PostalCode", "Country")
)

ACCOUNT = ObjectDef("Account", "Account", "001", (_NAME, FieldDef("AccountNumber", length=40)))

PRODUCT = ObjectDef(
    "Product2",
    "Product",
    "01t",
    (
        _NAME,
        FieldDef("ProductCode"),
        FieldDef("Description", "textarea", 4000),
        FieldDef("IsActive", "boolean", default=False),
    ),
)

ORDER = ObjectDef(
    "Order",
    "Order",
    "801",
    (
        FieldDef("OrderNumber", length=30, system=True),
        FieldDef("Status", "picklist", values=("Draft", "Activated", "Cancelled"), default="Draft"),
        FieldDef("Type", "picklist", values=("Sale", "Sample", "Return")),
        FieldDef("EffectiveDate", "date", required=True),
        FieldDef("EndDate", "date"),
        FieldDef("AccountId", "reference", 18, required=True, refers_to="Account", relation="Account"),
        FieldDef("Description", "textarea", 32000),
        *_ADDRESS,
        FieldDef("Work_Order__c", length=80),
        FieldDef("Priority__c", "picklist", values=("Low", "Normal", "High", "Urgent")),
        FieldDef("Requested_Delivery__c", "date"),
    ),
    ("OrderNumber", 8),
    (ChildDef("OrderItems", "OrderItem", "OrderId"),),
)

ORDER_ITEM = ObjectDef(
    "OrderItem",
    "Order Product",
    "802",
    (
        FieldDef("OrderItemNumber", length=30, system=True),
        FieldDef("OrderId", "reference", 18, required=True, refers_to="Order", relation="Order", fixed=True),
        FieldDef("Product2Id", "reference", 18, required=True, refers_to="Product2", relation="Product2", fixed=True),
        FieldDef("Quantity", "double", required=True),
        FieldDef("UnitPrice", "double"),
        FieldDef("ServiceDate", "date"),
        FieldDef("EndDate", "date"),
        FieldDef("Description"),
        FieldDef("Unit__c", length=20),
    ),
    ("OrderItemNumber", 10),
)

MES_STATUS = ObjectDef(
    "MES_Status__c",
    "MES Status",
    "a00",
    (
        FieldDef("Name", length=80, system=True),
        FieldDef("MES_Key__c", external_id=True),
        FieldDef("Order_Number__c", length=80),
        FieldDef("Order__c", "reference", 18, refers_to="Order", relation="Order__r"),
        FieldDef("State__c", length=40),
        FieldDef("Percent__c", "double"),
        FieldDef("Quantity_Good__c", "double", scale=6),
        FieldDef("Quantity_Scrap__c", "double", scale=6),
        FieldDef("Quantity_Rework__c", "double", scale=6),
        FieldDef("Forecast_Date__c", "date"),
        FieldDef("Late__c", "boolean", default=False),
        FieldDef("Reason__c"),
        FieldDef("Bus_Version__c", length=20),
    ),
    ("Name", 6),
)

ORDER_WITH_STATUS = replace(
    ORDER, children=(*ORDER.children, ChildDef("MES_Statuses__r", "MES_Status__c", "Order__c", owned=False))
)

OBJECTS: Mapping[str, ObjectDef] = {
    each.name: each for each in (ACCOUNT, PRODUCT, ORDER_WITH_STATUS, ORDER_ITEM, MES_STATUS)
}

CAPTURED = ("Order", "OrderItem")
"""Objects selected for Change Data Capture."""


def object_of(name: str) -> ObjectDef | None:
    """The object of that API name, in any letter case as in the real system."""
    return OBJECTS.get(name) or next((each for each in OBJECTS.values() if each.name.lower() == name.lower()), None)


def topic_of(name: str) -> str:
    """The change topic of one object."""
    return f"/data/{name[:-3]}__ChangeEvent" if name.endswith("__c") else f"/data/{name}ChangeEvent"
