"""Whoever reads or writes the bus's topics does it with the cluster's schema ids: a registry has no gaps."""

from __future__ import annotations

import ast

from schemas.catalog import record_names
from schemas.wire import fingerprint_id
from tests.architecture.source_tree import is_inside, modules

MAKERS = {"Reader": 3, "Writer": 2}
"""How many arguments a call has that hands the ids on."""

A_REGISTRYS_LARGEST_ID = 1_000_000


def test_no_reader_or_writer_of_a_topic_is_made_without_the_clusters_schema_ids() -> None:
    found = []
    for module in modules():
        if not (is_inside(module.name, "streams") or is_inside(module.name, "deploy")):
            continue
        imported = {name for name, _ in module.imports() if name.startswith("schemas.wire.")}
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            name = node.func.id
            if f"schemas.wire.{name}" in imported and name in MAKERS and len(node.args) < MAKERS[name]:
                found.append(f"{module.name}:{node.lineno}: take cluster.reader or cluster.writer")
    assert found == []


def test_a_shipped_schemas_own_id_is_none_that_a_registry_counts_up_to() -> None:
    assert {name for name in record_names() if fingerprint_id(name) <= A_REGISTRYS_LARGEST_ID} == set()
