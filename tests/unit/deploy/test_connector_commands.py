"""`lineshaft connector list|describe`: what is installed, told from its declarations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner, Result

from connectors.config import ConnectorConfig, Secret
from connectors.registry import load, names
from deploy import main
from deploy.connector_settings import settings

SIDES = ("source", "webhook", "sink", "simulator")


@pytest.fixture(autouse=True)
def no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lineshaft(*arguments: str) -> Result:
    return CliRunner().invoke(main.app, ["connector", *arguments])


def told(*arguments: str) -> Any:
    done = lineshaft(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def plug_in(folder: Path, name: str, module: str) -> None:
    """A package like a third party's, as pip leaves it in a folder of the path."""
    about = folder / f"acme_{name}-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(f"[lineshaft.connectors]\n{name} = acme_{name}:connector\n")
    (folder / f"acme_{name}.py").write_text(module)


def test_every_installed_connector_is_listed_with_its_sides_and_its_package() -> None:
    found = {each["name"]: each for each in told("list")}
    assert sorted(found) == names()
    for name, row in found.items():
        connector = load(name)
        assert row["sides"] == [side for side in SIDES if getattr(connector, side) is not None]
        assert (row["summary"], row["problem"]) == (connector.summary, "")
    assert found["jiandaoyun"]["package"] == "lineshaft"
    assert found["jiandaoyun"]["version"][0].isdigit()


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("import acme_is_not_here", "ModuleNotFoundError: No module named 'acme_is_not_here'"),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("connector = 'none'", "is no connectors.contract.Connector"),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_named_with_its_package_and_the_others_are_listed(
    module: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    name = f"broken{request.node.callspec.indices['module']}"
    plug_in(tmp_path, name, module)
    monkeypatch.syspath_prepend(tmp_path)
    done = lineshaft("list", "--json")
    assert done.exit_code == 1
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert problem in found[name]["problem"]
    assert (found[name]["package"], found[name]["version"]) == (f"acme-{name}", "1.2")
    assert found["jiandaoyun"]["problem"] == ""
    refused = lineshaft("describe", name)
    assert problem in str(refused.exception)
    assert f"Install acme-{name} anew" in str(refused.exception)
    assert lineshaft("describe", "jiandaoyun").exit_code == 0


def test_an_unknown_connector_is_refused_with_the_nearest() -> None:
    error = lineshaft("describe", "salesfroce").exception
    assert str(error).startswith("no connector 'salesfroce' is installed.\n    Nearest: salesforce.")


def test_an_unknown_document_is_refused_with_the_nearest() -> None:
    error = lineshaft("describe", "salesforce", "--document", "Ordr").exception
    assert str(error).startswith("salesforce has no document 'Ordr'.\n    Nearest: Order.")


@pytest.mark.parametrize("name", names())
def test_every_setting_of_every_connector_is_told_with_its_meaning(name: str) -> None:
    found = {each["name"]: each for each in told("describe", name)["settings"]}
    for key, field in load(name).config.model_fields.items():
        row = found[field.alias or key]
        assert row["description"] == field.description
        assert row["required"] is field.is_required()
    assert all(each["type"] and each["description"] for each in found.values())


def test_secrets_are_marked_and_have_no_default() -> None:
    found = told("describe", "jiandaoyun")["settings"]
    secrets = [each for each in found if each["secret"]]
    assert [each["name"] for each in secrets] == ["api_key", "webhook_secret"]
    assert all(each["default"] is None for each in secrets)


def test_a_document_is_told_with_the_path_of_every_field() -> None:
    found = {each["path"]: each for each in told("describe", "jiandaoyun", "--document", "work_order")["fields"]}
    assert found["_id"]["required"] and not found["_id"]["writable"]
    assert found["quantity"]["kind"] == "decimal, 18 digits, 6 after the point"
    assert "released" in found["state"]["values"]
    assert found["operations"]["kind"] == "list"
    assert found["operations.good"]["doc"] == "Good parts since the start."


def test_a_terminal_or_pipe_without_json_gets_the_same_in_columns() -> None:
    said = lineshaft("describe", "jiandaoyun").stdout
    assert "takes its system's pushes" in said
    assert "lineshaft simulate jiandaoyun --folder DIR" in said
    assert "document work_order: One work order of the shop floor" in said
    assert "operations.good" in said


PROJECT = """
connectors:
  goods:
    type: files
    folder: .
    tables: [{document: Item, pattern: items*, key: item, columns: [item, unit]}]
"""


@pytest.mark.parametrize("name", ["goods", "files"])
def test_a_connector_of_the_project_is_described_as_it_is_configured(name: str, tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yaml").write_text(PROJECT)
    [document] = told("describe", name)["documents"]
    assert document["name"] == "Item"
    assert [each["path"] for each in document["fields"]][:2] == ["item", "unit"]


def test_a_project_that_cannot_be_used_hides_no_connector(tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yaml").write_text("connectors: {crm: {type: salesforce}}")
    done = lineshaft("describe", "jiandaoyun")
    assert done.exit_code == 0
    assert "what follows is what the defaults say" in done.stderr
    assert "document work_order" in done.stdout


def test_documents_that_follow_from_the_configuration_are_asked_for_in_a_project() -> None:
    done = lineshaft("describe", "files")
    assert done.exit_code == 0
    assert "files: the documents follow from the configuration; run this in a project that has one" in done.stderr


class Inner(BaseModel):
    """A table in a table, which may hold itself."""

    key: Secret = Field(description="A secret.")
    deeper: Inner | None = Field(default=None, description="The same again.")


class Nested(ConnectorConfig):
    """Settings of every shape."""

    login: Inner | int = Field(description="A table or a number.")
    tables: dict[str, list[Inner]] = Field(default_factory=dict, description="Tables by name.")


def test_tables_within_tables_are_told_once_under_their_path() -> None:
    found = {each.name: each for each in settings(Nested)}
    assert list(found)[:3] == ["login", "login.key", "login.deeper"]
    assert found["login"].type == "table or whole number"
    assert found["login.key"].secret
    assert found["tables"].type == "table of list of table"
    assert found["tables.*[].key"].secret
    assert not any("deeper.deeper" in name for name in found)
    assert list(found)[-1] == "windows[].timezone"


def test_the_bus_s_own_records_are_described_as_a_system_s_are() -> None:
    shown = {each["name"]: each for each in told("describe", "lineshaft")["documents"]}
    assert {"SalesOrder", "JobOrder", "JobResponse", "OrderStatus", "Item", "Link"} == set(shown)
    fields = {each["path"]: each["required"] for each in shown["JobResponse"]["fields"]}
    assert (fields["state"], fields["operations.good"], fields["far_id"]) == (True, True, False)
    only = told("describe", "lineshaft", "--document", "Item")["documents"]
    assert [each["name"] for each in only] == ["Item"]
    assert "lineshaft has no document 'Itm'" in str(lineshaft("describe", "lineshaft", "--document", "Itm").exception)
