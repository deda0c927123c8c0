"""Mappings: YAML that administrators write, checked against both sides and compiled to functions.

`compile_plan` makes a `Plan` of definition files; the plan hands out `Compiled` mappings, whose `apply` turns one
record into another within a `Context`, or raises `MappingFailed` with its `Cause`.
"""

from mappings.compile import Compiled
from mappings.context import Context, NoReferences, References
from mappings.files import DefinitionFile, definition, read_file, read_folder, shipped
from mappings.inline_tests import Outcome
from mappings.lint import Findings, examine
from mappings.load import load_codes, load_mapping, load_routes
from mappings.plan import Plan, compile_plan, plan_id
from mappings.problems import Cause, DefinitionError, MappingFailed, Problem
from mappings.routes import Routes

__all__ = [
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
]
