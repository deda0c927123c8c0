"""What is wrong with lineshaft.yaml: pydantic's findings as file, line, field, problem and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mappings.problems import nearest
from mappings.tree import Items, Table, Tree

FILE = "lineshaft.yaml"

Location: TypeAlias = Sequence[int | str]


@dataclass(frozen=True)
class ProjectProblem:
    """One problem of a project's configuration; `line` and `column` count from 1, 0 where there is no place."""

    file: str
    line: int
    column: int
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f"{self.field}: " if self.field else ""
        return f"{place}: {subject}{self.problem} {self.remedy}".rstrip()


class ProjectError(Exception):
    """A project that cannot be used, with everything that is wrong with it in the order of the file."""

    def __init__(self, problems: Sequence[ProjectProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: (each.line, each.column)))
        super().__init__("\n".join(str(each) for each in self.problems))


# what pydantic says in the words of Python
PROBLEMS = {"path_type": "is no path."}

# what a person does about a value of the wrong kind; pydantic says what it is, not what to write
REMEDIES = {
    "string_type": "Write it in quotes.",
    "path_type": "Write a path, in quotes if it looks like something else.",
    "int_type": "Write a whole number without quotes.",
    "int_parsing": "Write a whole number.",
    "int_from_float": "Write a whole number.",
    "bool_type": "Write true or false.",
    "bool_parsing": "Write true or false.",
    "model_type": "Write a table: `name: value` lines, indented.",
    "dict_type": "Write a table: `name: value` lines, indented.",
    "tuple_type": "Write a list: [a, b].",
    "list_type": "Write a list: [a, b].",
}


def from_pydantic(
    error: ValidationError, model: type[BaseModel], tree: Tree, file: str, inside: Sequence[str] = ()
) -> list[ProjectProblem]:
    """Every finding of `error` about `tree`, which stands at the field `inside` of the file."""
    found = error.errors(include_url=False, include_input=False)
    return [_problem(each, model, tree, file, inside) for each in found]


def _problem(
    each: ErrorDetails, model: type[BaseModel], tree: Tree, file: str, inside: Sequence[str]
) -> ProjectProblem:
    location = each["loc"]
    kind = each["type"]
    line, column = place(tree, location, at_key=kind == "extra_forbidden")
    field = ".".join((*inside, *map(str, location)))
    owner = _owner(model, location)
    if kind == "extra_forbidden":
        return ProjectProblem(
            file, line, column, field, "is not known here.", nearest(str(location[-1]), keys(owner))
        )
    if kind == "missing":
        name = str(location[-1])
        remedy = f"Add `{name}: …`. {_description(owner, name)}".rstrip()
        return ProjectProblem(file, line, column, field, "is missing.", remedy)
    said = PROBLEMS.get(kind) or each["msg"]
    problem = said.removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".") + "."
    remedy = REMEDIES.get(kind) or ("" if kind == "value_error" else _description(owner, str(("", *location)[-1])))
    return ProjectProblem(file, line, column, field, problem, remedy)


def place(tree: Tree, location: Location, *, at_key: bool = False) -> tuple[int, int]:
    """Line and column of the deepest part of `location` that the file has; of the name itself with `at_key`."""
    node, found = tree, (tree.line, tree.column)
    for step in location:
        if isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            found = (node.line, node.column)
        elif isinstance(node, Table) and (entry := _entry(node, str(step))) is not None:
            key, node = entry
            found = key
        else:
            break
    return found if at_key or isinstance(node, Table) else (node.line, node.column)


def _entry(table: Table, name: str) -> tuple[tuple[int, int], Tree] | None:
    return next((((key.line, key.column), node) for key, node in table.entries if key.text == name), None)


def keys(model: type[BaseModel] | None) -> list[str]:
    """What a person may write in a table of `model`."""
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _owner(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model whose table holds the last part of the location; None where it is none of ours."""
    owner: type[BaseModel] | None = model
    for step in location[:-1]:
        if not isinstance(step, int):  # the place in a list changes nothing about what its items are
            owner = _model_of(owner, step) if owner else None
    return owner


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            options = (field.annotation, *getattr(field.annotation, "__args__", ()))
            return next((each for each in options if isinstance(each, type) and issubclass(each, BaseModel)), None)
    return None


def _description(model: type[BaseModel] | None, key: str) -> str:
    for name, field in model.model_fields.items() if model else ():
        if key in (name, field.alias):
            return field.description or ""
    return ""
