"""What the org says about itself: its objects and fields as the user sees them, and its limits."""

from __future__ import annotations

from connectors.salesforce.simulator.answers import Answer
from connectors.salesforce.simulator.api import Call, Service
from connectors.salesforce.simulator.model import OBJECTS, FieldDef, ObjectDef
from connectors.salesforce.simulator.sobjects import known
from schemas.document import Value


def describe_all(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    briefs: list[Value] = [_brief(definition, call.version) for definition in OBJECTS.values()]
    return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": briefs})


def describe(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    """Hidden fields are absent: that is all field-level security shows (contract section 5)."""
    definition = known(parts[0])
    locked = service.org.settings.names("read_only")
    fields: list[Value] = [
        _field(field, f"{definition.name}.{field.name}" in locked)
        for field in service.org.visible(definition.name).values()
    ]
    children: list[Value] = [
        {"relationshipName": child.name, "childSObject": child.of, "field": child.by} for child in definition.children
    ]
    return Answer(200, {**_brief(definition, call.version), "fields": fields, "childRelationships": children})


def basic(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    return Answer(200, {"objectDescribe": _brief(known(parts[0]), call.version), "recentItems": []})


def limits(service: Service, call: Call, parts: tuple[str, ...]) -> Answer:
    daily = int(service.org.settings.number("daily_calls"))
    return Answer(
        200,
        {
            "DailyApiRequests": {"Max": daily, "Remaining": max(0, daily - service.calls)},
            "DailyDeliveredPlatformEvents": {"Max": 50000, "Remaining": 50000},
        },
    )


def _brief(definition: ObjectDef, version: str) -> dict[str, Value]:
    base = f"/services/data/{version}/sobjects/{definition.name}"
    return {
        "name": definition.name,
        "label": definition.label,
        "keyPrefix": definition.prefix,
        "custom": definition.name.endswith("__c"),
        "queryable": True,
        "createable": True,
        "updateable": True,
        "deletable": True,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def _field(field: FieldDef, locked: bool) -> Value:
    writable = not field.system and not locked
    return {
        "name": field.name,
        "label": field.name.removesuffix("__c").replace("_", " "),
        "type": field.type,
        "length": field.length if field.type in ("string", "textarea", "picklist", "id", "reference") else 0,
        "precision": 18 if field.type == "double" else 0,
        "scale": field.scale if field.type == "double" else 0,
        "nillable": not field.required and not field.system,
        "createable": writable,
        "updateable": writable and not field.fixed,
        "externalId": field.external_id,
        "unique": field.external_id,
        "custom": field.name.endswith("__c"),
        "referenceTo": [field.refers_to] if field.refers_to else [],
        "relationshipName": field.relation or None,
        "restrictedPicklist": field.type == "picklist",
        "picklistValues": [{"value": value, "label": value, "active": True} for value in field.values],
        "defaultValue": field.default,
    }
