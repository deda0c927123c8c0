"""`lineshaft init`: a project that says all that can be set, and asks for exactly what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

import connectors
from connectors.registry import load, names
from deploy.exits import Refused
from deploy.init_commands import init
from deploy.project import load_project
from deploy.project_problems import ProjectError
from deploy.project_schema import HttpPorts, KafkaCluster, ProjectFile
from deploy.template_yaml import CONNECTORS, lineshaft_yaml
from deploy.wiring import drafts
from mappings import shipped

FILLED_IN = {"consumer_key": "K", "username": "bus@acme.example", "app_id": "A", "entry_id": "E"}
SECRETS = ("crm-private-key.pem", "plant-a-api-key", "plant-a-webhook-secret")


def lineshaft(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    init(tmp_path / "mine")
    return tmp_path / "mine"


def fill_in(folder: Path) -> None:
    file = folder / "lineshaft.yaml"
    text = file.read_text()
    for name, value in FILLED_IN.items():
        text = text.replace(f"{name}:   # fill in", f"{name}: {value}")
    file.write_text(text)
    for name in SECRETS:
        (folder / "secrets" / name).write_text("secret")


def test_a_new_project_asks_for_exactly_what_only_its_administrator_knows(made: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        load_project(made)
    told = {each.field.removeprefix("connectors.") for each in refused.value.problems}
    empty = {"crm.consumer_key", "crm.username", "plant-a.app_id", "plant-a.entry_id"}
    assert told == empty | {"crm.private_key", "plant-a.api_key", "plant-a.webhook_secret"}
    assert all(each.line for each in refused.value.problems)


def test_check_in_a_new_project_lists_what_is_missing_with_its_line(made: Path) -> None:
    done = lineshaft("check", "--json", cwd=made)
    assert done.returncode == 2
    found = [each for each in yaml.safe_load(done.stdout) if each["result"] == "problem"]
    assert len(found) == len(FILLED_IN) + len(SECRETS)
    assert all(each["of"].startswith("lineshaft.yaml:") for each in found)


def test_a_project_that_was_filled_in_loads_with_its_own_definitions(made: Path) -> None:
    fill_in(made)
    project = load_project(made)
    assert {name: each.connector.name for name, each in project.connectors.items()} == {
        name: type_name for name, (type_name, _) in CONNECTORS.items()
    }
    assert sorted((each.kind, each.name, each.content_hash) for each in drafts(project)) == sorted(
        (each.kind, each.name, each.content_hash) for each in shipped()
    )
    assert project.folder / "mappings" in project.mappings


def test_every_setting_of_every_declaration_stands_in_the_file() -> None:
    text = lineshaft_yaml()
    models: list[type[BaseModel]] = [ProjectFile, HttpPorts, KafkaCluster, *(load(each).config for each in names())]
    for model in models:
        for name, field in model.model_fields.items():
            assert f"{field.alias or name}:" in text, f"{model.__name__}.{name}"


def test_every_default_in_a_comment_is_right_when_its_sign_is_taken_away(made: Path) -> None:
    fill_in(made)
    file = made / "lineshaft.yaml"
    before = load_project(made)
    lines = [uncommented(line) for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines) + "\n")
    assert load_project(made) == before


def uncommented(line: str) -> str:
    """The line with its default in force: `  # timeout_s: 12.0`, and no prose or setting without a default."""
    head, sign, rest = line.partition("# ")
    if head.strip() or not sign or rest.startswith((" ", "#")) or line.startswith("# kafka"):
        return line
    name, colon, value = rest.partition(": ")
    is_setting = colon and value and name.replace("_", "").isalnum() and name == name.lower() and " " not in name
    return f"{head}{rest}" if is_setting else line


def test_importing_connectors_inside_a_project_gives_ours(made: Path) -> None:
    code = "import connectors, mappings, sys; print(connectors.__file__, mappings.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=made, env=environment, check=True)
    ours = str(Path(connectors.__file__ or "").parent.parent)
    assert done.stdout.split() == [f"{ours}/connectors/__init__.py", f"{ours}/mappings/__init__.py"]


def test_a_folder_that_is_not_empty_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").write_text("kept")
    with pytest.raises(Refused, match=r"mine: the folder is not empty\."):
        init(tmp_path / "mine")
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["kept"]


def test_secrets_are_kept_out_of_version_control_and_for_their_owner_only(made: Path) -> None:
    assert (made / "secrets").stat().st_mode & 0o077 == 0
    assert (made / "secrets" / ".gitignore").read_text().splitlines()[0] == "*"
