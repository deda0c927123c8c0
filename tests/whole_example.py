"""The whole examples at the end of the docs' pages, laid into a project as their reader would lay them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from connectors.sql.postgres import PostgresServer
from deploy.init_commands import init
from deploy.project import load_project
from deploy.wiring import drafts
from mappings import Findings, examine
from streams.bus import document_types, sink_names
from tests.contract.sql_kit import Database

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"^# (\S+\.yaml)\n")
ROUTES = "routes/routes.yaml"
OF_INIT = ("crm", "plant-a")


def part(page: str) -> str:
    """A page from its whole example on."""
    return (DOCS / page).read_text("utf-8").split("## A whole example\n")[1]


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of one kind in a whole example."""
    return [text for found, text in BLOCK.findall(part(page)) if found == kind]


def connectors(text: str) -> dict[str, Any]:
    """Every connector that a page, or a part of it, shows."""
    shown: dict[str, Any] = {}
    for kind, block in BLOCK.findall(text):
        if kind == "yaml" and block.startswith("connectors:"):
            shown |= yaml.safe_load(block)["connectors"]
    return shown


def lay(folder: Path, pages: Sequence[str], own: Mapping[str, Any], top: Mapping[str, Any] | None = None) -> Path:
    """A project of `init` with the examples of these pages in it; several share one file of routes.

    `own` are its connectors (beside those of `init` but the CRM and the MES), `top` what stands beside them.
    """
    init(folder)
    file = folder / "lineshaft.yaml"
    whole = yaml.safe_load(file.read_text("utf-8"))
    kept = {name: each for name, each in whole["connectors"].items() if name not in OF_INIT}
    whole |= {**(top or {}), "connectors": {**kept, **own}}
    file.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), "utf-8")
    found = [(FILE.match(text), text) for page in pages for text in blocks(page, "yaml")]
    named = [(match[1], text) for match, text in found if match is not None]
    for path, text in named:
        (folder / path).write_text(text, "utf-8")
    routes = [yaml.safe_load(text) for path, text in named if path == ROUTES]
    merged = {**routes[0], "to": [each for one in routes for each in one["to"]]}
    (folder / ROUTES).write_text(yaml.safe_dump(merged, sort_keys=False), "utf-8")
    return folder


def databases(server: PostgresServer) -> dict[str, tuple[Database, dict[str, Any]]]:
    """The databases of docs/sql.md with their tables, and their connectors' settings, by the connectors' names."""
    shop, plant = Database(server), Database(server)
    shop.run(BLOCK.findall((DOCS / "sql.md").read_text("utf-8"))[0][1])
    of_shop, of_plant = blocks("sql.md", "sql")
    shop.run(of_shop)
    plant.run(of_plant)
    settings = connectors(part("sql.md"))
    there = {"shop-db": shop, "plant-db": plant}
    return {name: (each, {**settings[name], **each.address, "poll_interval_s": 0.2}) for name, each in there.items()}


def lint(folder: Path) -> Findings:
    """What `lineshaft mapping lint` and `test` find in a project."""
    project = load_project(folder)
    return examine(drafts(project), document_types(project.connectors), sink_names(project.connectors))
