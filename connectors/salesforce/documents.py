"""The documents of a Salesforce org: orders with their lines in, production status out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.config import ConnectorConfig, narrowed
from connectors.salesforce.config import SalesforceConfig
from schemas.document import DocumentType, Field, Kind

ORDER = "Order"

PRIORITIES = ("Low", "Normal", "High", "Urgent")
STATUSES = ("Draft", "Activated", "Cancelled")

KNOWN_OF_ORDERS: Mapping[str, Field] = {
    "Id": Field("Id", required=True, writable=False, doc="18 characters."),
    "OrderNumber": Field("OrderNumber", required=True, writable=False, doc="Auto-number, unique in the org."),
    "Status": Field("Status", required=True, doc="Created as Draft, activated by a later update."),
    "Type": Field("Type"),
    "EffectiveDate": Field("EffectiveDate", Kind.DATE, required=True, doc="Start of the order's term."),
    "EndDate": Field("EndDate", Kind.DATE, doc="End of the order's term, not the wished delivery date."),
    "AccountId": Field("AccountId", doc="The customer."),
    "Account.Name": Field("Name", writable=False),
    "Work_Order__c": Field("Work_Order__c"),
    "Priority__c": Field("Priority__c", symbols=PRIORITIES),
    "Requested_Delivery__c": Field("Requested_Delivery__c", Kind.DATE, doc="A date, not an instant."),
    "SystemModstamp": Field("SystemModstamp", Kind.INSTANT, required=True, writable=False),
    "CreatedDate": Field("CreatedDate", Kind.INSTANT, required=True, writable=False),
    "LastModifiedDate": Field("LastModifiedDate", Kind.INSTANT, required=True, writable=False),
    "IsDeleted": Field("IsDeleted", Kind.BOOLEAN, required=True, writable=False),
}

KNOWN_OF_LINES: Mapping[str, Field] = {
    "Id": Field("Id", required=True, writable=False, doc="The line's own id; it never changes."),
    "OrderItemNumber": Field("OrderItemNumber", required=True, writable=False, doc="Auto-number."),
    "OrderId": Field("OrderId", required=True),
    "Product2Id": Field("Product2Id"),
    "Product2.ProductCode": Field("ProductCode", writable=False),
    "Product2.Name": Field("Name", writable=False),
    "Quantity": Field("Quantity", Kind.DECIMAL, required=True, scale=2, doc="Negative on reduction orders."),
    "UnitPrice": Field("UnitPrice", Kind.DECIMAL, scale=2),
    "ServiceDate": Field("ServiceDate", Kind.DATE),
    "EndDate": Field("EndDate", Kind.DATE),
    "Description": Field("Description"),
    "Unit__c": Field("Unit__c"),
    "SystemModstamp": Field("SystemModstamp", Kind.INSTANT, required=True, writable=False),
    "IsDeleted": Field("IsDeleted", Kind.BOOLEAN, required=True, writable=False),
}

STATUS_FIELDS: tuple[Field, ...] = (
    Field("Order_Number__c", doc="The order's number in this org."),
    Field("State__c"),
    Field("Percent__c", Kind.DECIMAL, precision=5, scale=2, doc="0 to 100."),
    Field("Quantity_Good__c", Kind.DECIMAL),
    Field("Quantity_Scrap__c", Kind.DECIMAL),
    Field("Quantity_Rework__c", Kind.DECIMAL),
    Field("Forecast_Date__c", Kind.DATE),
    Field("Late__c", Kind.BOOLEAN),
    Field("Reason__c"),
    Field("Bus_Version__c", required=True, doc="20 digits, zero padded; an older one never replaces a newer one."),
)


def documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    """Order as its configured fields, and the status object; nothing is asked of the org."""
    config = narrowed(config, SalesforceConfig)
    return (order_type(config), status_type(config))


def order_type(config: SalesforceConfig) -> DocumentType:
    """One order with all its lines, relations nested as SOQL answers them."""
    lines = Field("OrderItems", Kind.LIST, tree(config.line_fields, KNOWN_OF_LINES), required=True)
    fields = (*tree(config.order_fields, KNOWN_OF_ORDERS), lines)
    return DocumentType(ORDER, fields, "A Salesforce order with its lines; a deleted one may be no more than its Id.")


def status_type(config: SalesforceConfig) -> DocumentType:
    """One production status; the document's id is the external id's value and no field."""
    doc = f"Production status, upserted by {config.status_external_id}."
    return DocumentType(config.status_object, STATUS_FIELDS, doc)


def tree(paths: Sequence[str], known: Mapping[str, Field]) -> tuple[Field, ...]:
    """Field paths as nested fields; a custom field that is not in our table is text."""
    grown: dict[str, Field] = {}
    for path in paths:
        relation, dot, leaf = path.rpartition(".")
        field = known.get(path, Field(leaf))
        if dot:
            group = grown.get(relation, Field(relation, Kind.GROUP, writable=False))
            grown[relation] = replace(group, fields=(*group.fields, field))
        else:
            grown[path] = field
    return tuple(grown.values())
