"""lineshaft.yaml as values: everything that is configured about one bus, checked as a whole before a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from deploy import project_connectors
from deploy.project_problems import FILE, ProjectError, ProjectProblem, from_pydantic, keys
from deploy.project_schema import HttpPorts, KafkaCluster, ProjectFile
from mappings.problems import DefinitionError, nearest
from mappings.tree import Scalar, Table, Tree, parse
from streams.bus import Attached

CONNECTORS = "connectors"


@dataclass(frozen=True)
class Project:
    """One bus as its lineshaft.yaml describes it. All paths are absolute.

    `cluster` is None for the embedded Kafka, whose folder is `kafka_folder`. `mappings`, `codes` and `routes` are
    empty where those that ship are meant.
    """

    folder: Path
    cluster: KafkaCluster | None
    partitions: int
    topic_prefix: str
    data: Path
    registry: str | None
    connectors: Mapping[str, Attached]
    mappings: tuple[Path, ...]
    codes: tuple[Path, ...]
    routes: tuple[Path, ...]
    http: HttpPorts

    @property
    def kafka_folder(self) -> Path:
        """The data folder of the embedded Kafka."""
        return self.data / "kafka"


def find_folder(start: Path) -> Path | None:
    """The nearest folder from `start` upwards that has a lineshaft.yaml."""
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def load_project(folder: Path) -> Project:
    """The project in `folder`. Raises ProjectError with every problem at once."""
    folder = folder.absolute()
    tree = _read(folder / FILE)
    if not isinstance(tree, Table):
        problem = ProjectProblem(FILE, tree.line, tree.column, "", "is no table.", "Write `name: value` lines.")
        raise ProjectError([problem])
    own = Table(tuple(entry for entry in tree.entries if entry[0].text != CONNECTORS), tree.line, tree.column)
    problems: list[ProjectProblem] = []
    attached = project_connectors.read(tree.get(CONNECTORS), folder, problems)
    try:
        file = ProjectFile.model_validate(project_connectors.plain(own, folder))
    except ValidationError as error:
        problems += _about_the_top(error, own)
        raise ProjectError(problems) from error
    if problems:
        raise ProjectError(problems)
    return _project(folder, file, attached)


def data_folder(folder: Path) -> Path:
    """Only the data folder of the project in `folder`, also where the rest of its file is wrong."""
    try:
        tree = _read(folder / FILE)
    except ProjectError:
        tree = Table((), 1, 1)
    said = tree.get("data") if isinstance(tree, Table) else None
    named = said.value if isinstance(said, Scalar) and isinstance(said.value, str) else None
    return folder.absolute() / (named or str(ProjectFile.model_fields["data"].default))


def _project(folder: Path, file: ProjectFile, attached: Mapping[str, Attached]) -> Project:
    return Project(
        folder=folder,
        cluster=file.kafka,
        partitions=file.partitions,
        topic_prefix=file.topic_prefix,
        data=folder / file.data,
        registry=file.registry,
        connectors=attached,
        mappings=tuple(folder / path for path in file.mappings),
        codes=tuple(folder / path for path in file.codes),
        routes=tuple(folder / path for path in file.routes),
        http=file.http,
    )


def _read(path: Path) -> Tree:
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            remedy = "Write `name: value` lines, or make a project with `lineshaft init`."
            raise ProjectError([ProjectProblem(FILE, 1, 1, "", "the file is empty.", remedy)])
        return parse(text, FILE)
    except DefinitionError as error:
        found = [
            ProjectProblem(FILE, each.line, each.column, each.field, f"{each.message}.", each.remedy)
            for each in error.problems
        ]
        raise ProjectError(found) from error
    except FileNotFoundError as error:
        remedy = "Go to a project's folder, name it with --project DIR, or make one with `lineshaft init`."
        raise ProjectError([ProjectProblem(str(path), 0, 0, "", "there is no such file.", remedy)]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ProjectError(
            [ProjectProblem(FILE, line, 1, "", "this line is not UTF-8.", "Save it as UTF-8.")]
        ) from error
    except OSError as error:
        remedy = "It has to be a UTF-8 text file that you may read."
        raise ProjectError([ProjectProblem(str(path), 0, 0, "", f"cannot be read: {error}.", remedy)]) from error


def _about_the_top(error: ValidationError, tree: Table) -> list[ProjectProblem]:
    """The findings on the top level, where `connectors` is a name as good as the model's own."""
    known = [*keys(ProjectFile), CONNECTORS]
    return [
        ProjectProblem(each.file, each.line, each.column, each.field, each.problem, nearest(each.field, known))
        if "." not in each.field and each.problem == "is not known here."
        else each
        for each in from_pydantic(error, ProjectFile, tree, FILE)
    ]
