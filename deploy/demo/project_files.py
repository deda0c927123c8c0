"""The demo's project folder: lineshaft.yaml, its secrets and its drop folder, as an administrator would lay them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import yaml

from connectors.registry import load
from deploy.demo.compare import Json
from deploy.demo.reference import CRM, ITEM_COLUMNS, LINK_COLUMNS, PLANT, REFERENCE

POLL_S = 0.5

Written: TypeAlias = "dict[str, Json]"


def write_project(folder: Path, crm: Mapping[str, Json], plant: Mapping[str, Json]) -> None:
    """Write lineshaft.yaml and everything it refers to into `folder`; both sides are entries, secrets in clear."""
    drop = folder / "reference"
    drop.mkdir(parents=True, exist_ok=True)
    tables: list[Json] = [
        {"document": "Item", "pattern": "items*.csv", "key": "item", "columns": list(ITEM_COLUMNS)},
        {"document": "Link", "pattern": "links*.csv", "key": list(LINK_COLUMNS[:4]), "columns": list(LINK_COLUMNS)},
    ]
    connectors: Written = {
        CRM: _with_references(folder, CRM, crm),
        PLANT: _with_references(folder, PLANT, plant),
        REFERENCE: {"type": "files", "folder": str(drop), "tables": tables, "poll_interval_s": POLL_S},
    }
    http: Written = {"ingress": 0, "views": 0, "metrics": 0}
    whole: Written = {"kafka": "embedded", "partitions": 6, "http": http, "connectors": connectors}
    (folder / "lineshaft.yaml").write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


def _with_references(folder: Path, name: str, entry: Mapping[str, Json]) -> Written:
    """The entry with every secret in a file of its own, which only its owner may read."""
    fields = load(str(entry["type"])).config.model_fields
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    found: Written = {}
    for field, value in entry.items():
        if field == "type" or "Secret" not in str(fields[field].annotation):
            found[field] = value
            continue
        path = secrets / f"{name}-{field}"
        path.touch(mode=0o600)
        path.write_text(str(value))
        found[field] = f"${{file:{path}}}"
    return found
