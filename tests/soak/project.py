"""The project of a soak: the plug-in installed as a third party's would be, and its definitions."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from mappings import shipped
from tests.soak import definitions

PLUG_IN = Path(__file__).with_name("soakplug")
METADATA = "Metadata-Version: 2.1\nName: soakplug\nVersion: 1.0\n"
ENTRY_POINTS = "[lineshaft.connectors]\nsoakshop = soakplug.shop:connector\nsoakfloor = soakplug.floor:connector\n"
PARTITIONS = 6


def install(folder: Path) -> Mapping[str, str]:
    """Put the plug-in on this process's path; returns the environment that puts it on another's."""
    site = folder / "site"
    shutil.copytree(PLUG_IN, site / "soakplug", ignore=shutil.ignore_patterns("__pycache__"))
    about = site / "soakplug-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(METADATA)
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    sys.path.insert(0, str(site))
    return {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH", "")])])}


def write(folder: Path, rate: float, orders: int) -> Path:
    """Write lineshaft.yaml and what it names; returns the folder of the far systems' ledgers."""
    far = folder / "far"
    far.mkdir()
    for name, text in definitions.FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    job_order = next(each for each in shipped() if each.name == "job-order")
    (folder / "mappings" / "job-order.yaml").write_text(job_order.text)
    connectors = {
        "shop": {"type": "soakshop", "folder": str(far), "rate": rate, "orders": orders},
        "floor": {"type": "soakfloor", "folder": str(far)},
    }
    whole = {
        "kafka": "embedded",
        "partitions": PARTITIONS,
        "mappings": "mappings",
        "routes": "routes",
        "http": {"ingress": 0, "views": 0, "metrics": 0},
        "connectors": connectors,
    }
    (folder / "lineshaft.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    return far
