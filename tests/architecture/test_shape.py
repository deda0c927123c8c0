"""The shape of the source: small files, small functions, names that say something, and no public name by accident."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from tests.architecture.source_tree import ROOT, modules

LONGEST_FILE = 300
LONGEST_FUNCTION = 50
VAGUE = {"base", "common", "helper", "helpers", "lib", "manager", "misc", "tools", "util", "utils", "utilities"}

# the public face of every package; whoever adds a name here means to keep it
EXPORTS: Mapping[str, tuple[str, ...]] = {
    "connectors.files": ("FilesConfig", "FilesOutConfig", "Table", "connector", "out"),
    "connectors.jiandaoyun": ("JianDaoYunConfig", "connector"),
    "connectors.jiandaoyun.simulator": ("Simulator",),
    "connectors.rest": ("RestConfig", "connector"),
    "connectors.rest.simulator": ("Simulator",),
    "connectors.salesforce": ("SalesforceConfig", "connector"),
    "connectors.salesforce.simulator": ("Simulator",),
    "connectors.sql": ("SqlConfig", "connector"),
    "connectors.testing": (
        "Certificates",
        "Clock",
        "Dropped",
        "Fault",
        "Faults",
        "Holds",
        "Ledger",
        "Parts",
        "RecordStore",
        "Served",
        "backup_routes",
        "control_routes",
        "issue",
        "kept_port",
    ),
    "connectors.testing.conformance": (
        "Outcome",
        "RULES",
        "Rule",
        "Session",
        "as_json",
        "as_junit",
        "as_table",
        "chosen",
        "in_words",
        "run",
        "suite_of",
    ),
    "connectors.webhook": ("WebhookConfig", "connector"),
    "connectors.webhook.simulator": ("Simulator",),
    "connectors.tryton": ("TrytonCrmConfig", "TrytonMesConfig", "crm", "mes"),
    "deploy.kafka": (
        "BrokerError",
        "EmbeddedKafka",
        "FolderBusy",
        "JarCorrupt",
        "JarsUnreachable",
        "JavaMissing",
        "StartFailed",
        "Status",
        "status",
        "stop",
    ),
    "deploy.tryton_server": ("EnvironmentFailed", "ServerFailed", "TrytonServer"),
    "mappings": (
        "Cause",
        "Compiled",
        "Context",
        "DefinitionError",
        "DefinitionFile",
        "Findings",
        "MappingFailed",
        "NoReferences",
        "Outcome",
        "Plan",
        "Problem",
        "References",
        "Routes",
        "compile_plan",
        "definition",
        "examine",
        "load_codes",
        "load_mapping",
        "load_routes",
        "plan_id",
        "read_file",
        "read_folder",
        "shipped",
    ),
    "streams.views": ("NotRunning", "View", "routes"),
}


def test_no_file_has_to_be_scrolled_for_long() -> None:
    lengths = {str(each.path.relative_to(ROOT)): len(each.path.read_text().splitlines()) for each in modules()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{module.path.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_has_a_name_that_says_what_it_is_for() -> None:
    assert [module.name for module in modules() if VAGUE & set(module.name.split("."))] == []


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = [module.name for module in modules() if module.tree.body and ast.get_docstring(module.tree) is None]
    assert silent == []


def test_every_package_exports_exactly_what_the_table_says() -> None:
    found = {module.name: exported(module.tree) for module in modules() if module.is_package}
    assert {name: names for name, names in found.items() if names} == EXPORTS


def exported(tree: ast.Module) -> tuple[str, ...]:
    """The names in `__all__`, sorted."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return tuple(sorted(ast.literal_eval(node.value)))
    return ()
