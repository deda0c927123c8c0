"""The project that a run works on: every address a proxy's, short time-outs, and code tables of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import yaml

from deploy.demo.reference import CRM, PLANT
from deploy.demo.stand_ins import StandInProcess
from mappings import shipped
from tests.chaos.ports import LOOPBACK
from tests.chaos.proxy import Proxies

CALL_TIMEOUT_S = 4.0
"""The connectors' longest wait for an answer: short, so that an unknown outcome is met within a run."""

SWEEP_S = 5.0
CODES = "codes"
PORTS = 12
ITEMS = tuple(f"PART-{number:02d}" for number in range(1, 13))


def port_of(address: str) -> int:
    """The port in an address."""
    return int(httpx.URL(address).port or 0)


def salesforce_entry(proxies: Proxies, system: StandInProcess) -> dict[str, Any]:
    """The connector's entry in lineshaft.yaml, by way of the proxies; the org names the proxy at a login too."""
    rest = proxies.add("salesforce-rest", LOOPBACK, port_of(system.login.values["address"]))
    feed = proxies.add("salesforce-feed", LOOPBACK, int(str(system.config["pubsub_endpoint"]).rpartition(":")[2]))
    return {
        **system.entry,
        "login_url": f"https://localhost:{rest.port}",
        "pubsub_endpoint": f"localhost:{feed.port}",
        "timeout_s": CALL_TIMEOUT_S,
    }


def jiandaoyun_entry(proxies: Proxies, system: StandInProcess) -> dict[str, Any]:
    api = proxies.add("jiandaoyun-api", LOOPBACK, port_of(system.login.values["base_url"]))
    return {**system.entry, "base_url": f"https://localhost:{api.port}/api", "timeout_s": CALL_TIMEOUT_S}


def finish_project(folder: Path, bootstrap: str, first: int) -> None:
    """Set in lineshaft.yaml what the demo's project leaves open; `first` is the first port of the roles."""
    path = folder / "lineshaft.yaml"
    whole = cast("dict[str, Any]", yaml.safe_load(path.read_text()))
    whole["kafka"] = {"bootstrap": bootstrap}
    whole["http"] = {"metrics": first, "ingress": first + PORTS - 2, "views": first + PORTS - 1}
    whole["codes"] = CODES
    whole["connectors"][PLANT]["sweep_interval_s"] = SWEEP_S
    path.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


def write_reference(folder: Path) -> None:
    """Items and units, as files that a source of files takes in."""
    items = "".join(f"{item},Part {item},pcs,{PLANT}\n" for item in ITEMS)
    _drop(folder / "items.csv", f"item,description,unit,site\n{items}")
    _drop(folder / "links.csv", f"kind,system,id,to_system,to_id\nunit,{CRM},Each,{PLANT},pcs\n")


def write_codes(folder: Path) -> None:
    """The code tables that ship as the project's own drafts."""
    (folder / CODES).mkdir()
    for each in shipped():
        if each.kind == "codes":
            (folder / CODES / f"{each.name}.yaml").write_text(each.text)


def write_priorities(folder: Path, version: int) -> None:
    """A draft of the code table of priorities with a version of its own, and the same rows."""
    [own] = [each for each in shipped() if (each.kind, each.name) == ("codes", "priority")]
    text = own.text.replace(f"version: {own.version}\n", f"version: {version}\n")
    (folder / CODES / "priority.yaml").write_text(text)


def _drop(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)
