"""Field-level security fails silently, so what the configuration names is compared with what the user may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.errors import ConfigError, DataError, TransientError
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.documents import STATUS_FIELDS
from schemas.document import Value

FieldTable = Mapping[str, Mapping[str, Value]]


class Descriptions:
    """Fields of the org's objects as this user sees them, asked once per check."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked: dict[str, FieldTable] = {}

    def fields(self, name: str, setting: str) -> FieldTable:
        """Fields by name. Raises ConfigError naming `setting` where the object is not visible at all."""
        if name not in self._asked:
            try:
                described = self._client.describe(name)
            except DataError as error:
                raise ConfigError(
                    setting,
                    f"the object {name} is not visible to the integration user ({error.code}).",
                    "Check its name, or grant the user read access to the object.",
                ) from error
            fields = described.get("fields")
            if not isinstance(fields, list):
                raise TransientError(f"describe of {name}: the answer has no list of fields")
            self._asked[name] = {str(field.get("name")): field for field in fields if isinstance(field, Mapping)}
        return self._asked[name]


def check_reading(client: Client, config: SalesforceConfig) -> None:
    """Every field that is to be read is visible. Raises ConfigError naming object, field and remedy."""
    seen = Descriptions(client)
    _check_paths(seen, "Order", config.order_fields, "order_fields")
    _check_paths(seen, "OrderItem", config.line_fields, "line_fields")


def check_writing(client: Client, config: SalesforceConfig) -> None:
    """The external id is one, and every status field may be created and changed. Raises ConfigError."""
    name = config.status_object
    fields = Descriptions(client).fields(name, "status_object")
    key = fields.get(config.status_external_id)
    if key is None:
        raise _hidden(name, config.status_external_id, "status_external_id")
    if not (key.get("externalId") and key.get("unique")):
        raise ConfigError(
            "status_external_id",
            f"{name}.{config.status_external_id} is no unique external id.",
            "Tick External ID and Unique in the field's definition.",
        )
    _check_writable(name, fields, [field.name for field in STATUS_FIELDS])


def _check_paths(seen: Descriptions, name: str, paths: Iterable[str], setting: str) -> None:
    for path in paths:
        relation, dot, leaf = path.rpartition(".")
        target = _target(seen, name, relation, path, setting) if dot else name
        if leaf not in seen.fields(target, setting):
            raise _hidden(target, leaf, setting)


def _target(seen: Descriptions, name: str, relation: str, path: str, setting: str) -> str:
    for field in seen.fields(name, setting).values():
        if field.get("relationshipName") == relation:
            target = field.get("referenceTo")
            return str(target[0]) if isinstance(target, list) and target else ""
    raise ConfigError(
        setting,
        f"{path}: the lookup {relation} of {name} is not there or hidden from the integration user.",
        f"Check the name, or grant Read on the lookup field of {relation}.",
    )


def _check_writable(name: str, fields: FieldTable, wanted: Iterable[str]) -> None:
    for leaf in wanted:
        if leaf not in fields:
            raise _hidden(name, leaf, "status_object")
        if not (fields[leaf].get("createable") and fields[leaf].get("updateable")):
            raise ConfigError(
                "status_object",
                f"{name}.{leaf} is read-only for the integration user.",
                f"Grant Edit on {name}.{leaf} in its permission set.",
            )


def _hidden(name: str, leaf: str, setting: str) -> ConfigError:
    return ConfigError(
        setting,
        f"{name}.{leaf} does not exist or is hidden from the integration user by field-level security.",
        f"Grant Read on {name}.{leaf} in its permission set, or mend the name.",
    )
