"""The connectors of lineshaft.yaml: each one's own configuration decides what may stand there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from connectors import registry
from connectors.config import ConnectorConfig
from connectors.contract import Connector
from connectors.errors import ConfigError
from deploy.project_problems import FILE, ProjectProblem, from_pydantic, place
from mappings.tree import Items, Scalar, Table, Tree
from streams.bus import Attached

SECTION = "connectors"
NAME = re.compile(r"^[a-z][a-z0-9-]{0,39}$")
FILE_REFERENCE = re.compile(r"^\$\{file:([^}]+)\}$")

Plain: TypeAlias = "str | int | Decimal | bool | list[Plain] | dict[str, Plain] | None"


def read(tree: Tree | None, folder: Path, problems: list[ProjectProblem]) -> Mapping[str, Attached]:
    """The connectors by name; what is wrong with the others is added to `problems`."""
    if tree is None:
        return {}
    if not isinstance(tree, Table):
        remedy = "Write a table: `crm: {type: salesforce, …}`."
        problems.append(ProjectProblem(FILE, tree.line, tree.column, SECTION, "is no table.", remedy))
        return {}
    found = {}
    for key, entry in tree.entries:
        if not NAME.match(key.text):
            remedy = "Use small letters, digits and hyphens, a letter first: it becomes part of topic names."
            where = f"{SECTION}.{key.text}"
            problems.append(ProjectProblem(FILE, key.line, key.column, where, "is no name for a connector.", remedy))
        elif (attached := _attached(key.text, entry, folder, problems)) is not None:
            found[key.text] = attached
    return found


def _attached(name: str, tree: Tree, folder: Path, problems: list[ProjectProblem]) -> Attached | None:
    """The connector `name`, or None after its problems were noted."""
    inside = (SECTION, name)
    connector = _plug_in(inside, tree, problems)
    if connector is None or not isinstance(tree, Table):
        return None
    settings = Table(tuple(entry for entry in tree.entries if entry[0].text != "type"), tree.line, tree.column)
    empty = _empty(inside, connector, settings)
    problems.extend(empty)
    try:
        config = connector.config.model_validate(plain(settings, folder))
    except ConfigError as error:
        problems.append(_problem(inside, error.field, tree, error.problem, error.remedy))
        return None
    except ValidationError as error:
        told = {each.field for each in empty} | ({".".join(inside)} if empty else set())
        found = from_pydantic(error, connector.config, settings, FILE, inside)
        problems.extend(each for each in found if each.field not in told)
        return None
    return None if empty else Attached(name, connector, _absolute(config, folder))


def _empty(inside: tuple[str, str], connector: Connector, settings: Table) -> list[ProjectProblem]:
    """The settings that are named and say nothing: somebody meant to fill them in."""
    fields = connector.config.model_fields
    return [
        _problem(
            inside, key.text, settings, "is empty.", f"Fill it in. {fields[key.text].description or ''}".rstrip()
        )
        for key, node in settings.entries
        if key.text in fields and isinstance(node, Scalar) and node.value is None
    ]


def _plug_in(inside: tuple[str, str], tree: Tree, problems: list[ProjectProblem]) -> Connector | None:
    """The plug-in that the entry's type names, or None after the problem was noted."""
    said = tree.get("type") if isinstance(tree, Table) else None
    if not isinstance(said, Scalar) or not isinstance(said.value, str):
        remedy = f"Add `type: …`. Installed: {', '.join(registry.names()) or 'none'}."
        problems.append(_problem(inside, "type", tree, "is missing.", remedy))
        return None
    try:
        return registry.load(said.value)
    except ConfigError as error:
        problems.append(_problem(inside, error.field, tree, error.problem, error.remedy))
    except Exception as error:  # a third party's module may do anything when it is imported
        remedy = "Install the plug-in anew, or report it to its makers."
        said_it = f"{said.value!r} cannot be imported: {type(error).__name__}: {error}."
        problems.append(_problem(inside, "type", tree, said_it, remedy))
    return None


def _problem(inside: tuple[str, str], field: str, tree: Tree, problem: str, remedy: str) -> ProjectProblem:
    line, column = place(tree, field.split("."))
    return ProjectProblem(FILE, line, column, ".".join((*inside, field)), problem, remedy)


def plain(tree: Tree, folder: Path) -> Plain:
    """The tree without its places; what `${file:…}` names is sought from the project's folder."""
    match tree:
        case Table():
            return {key.text: plain(node, folder) for key, node in tree.entries}
        case Items():
            return [plain(node, folder) for node in tree.items]
        case Scalar(value=str() as text) if found := FILE_REFERENCE.match(text):
            return f"${{file:{folder / found[1]}}}"
        case Scalar():
            return tree.value


def _absolute(config: ConnectorConfig, folder: Path) -> ConnectorConfig:
    """The same configuration with its paths sought from the project's folder, wherever the command runs."""
    paths = {name: folder / value for name, value in config if isinstance(value, Path)}
    return config.model_copy(update=paths)
