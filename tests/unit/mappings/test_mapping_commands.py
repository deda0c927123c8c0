"""`lineshaft mapping lint|test` as a person and a program see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.mapping_commands import app

SOURCE = Path("mappings/definitions/salesforce-order.yaml")


@pytest.fixture
def order_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped order mapping, in a folder that is no project."""
    text = (Path(__file__).parents[3] / SOURCE).read_text()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "order.yaml"
    path.write_text(text)
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_what_ships_is_clean(order_mapping: Path) -> None:
    assert run("lint").exit_code == 0
    assert run("test").exit_code == 0


def test_a_good_draft_in_the_place_of_the_shipped_one_is_clean(order_mapping: Path) -> None:
    change(order_mapping, "version: 1", "version: 2")
    result = run("lint", str(order_mapping))
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_wrong_path_is_told_with_file_line_field_and_the_nearest_name(order_mapping: Path) -> None:
    change(order_mapping, "{from: OrderNumber, required", "{from: OrderNumbr, required")
    result = run("lint", str(order_mapping), "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)
    assert (Path(problem["file"]).name, problem["line"], problem["field"]) == ("order.yaml", 7, "number")
    assert problem["message"] == "reads 'OrderNumbr', but salesforce.Order has no field 'OrderNumbr'"
    assert problem["remedy"].startswith("Nearest: OrderNumber.")


def test_problems_are_a_table_for_people(order_mapping: Path) -> None:
    change(order_mapping, "as: date}\n  placed_at", "as: dat}\n  placed_at")
    result = run("lint", str(order_mapping))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].split() == ["file", "line", "field", "message", "remedy"]
    assert "the kind 'dat' is not known" in result.stdout


def test_a_test_that_is_missing_is_found_by_lint_and_does_not_fail_test(order_mapping: Path) -> None:
    change(order_mapping, "  - {given: {Priority__c: Low}, expect: {priority: low}}\n", "")
    assert "has no test for code priority, row 'Low'" in run("lint", str(order_mapping)).stdout
    assert run("lint", str(order_mapping)).exit_code == 1
    assert run("test", str(order_mapping)).exit_code == 0


def test_a_test_that_fails_says_what_was_made(order_mapping: Path) -> None:
    change(order_mapping, "expect: {priority: low}", "expect: {priority: high}")
    result = run("test", str(order_mapping), "--json")
    assert result.exit_code == 1
    failed = [each for each in json.loads(result.stdout) if each["result"] == "failed"]
    assert [each["message"] for each in failed] == ["makes priority 'low', but 'high' is expected"]


def test_a_mapping_that_cannot_be_run_fails_test_and_says_why(order_mapping: Path) -> None:
    change(order_mapping, "\nfields:\n", "\nfields:\n  numbr: OrderNumber\n")
    result = run("test", str(order_mapping))
    assert result.exit_code == 1
    assert "order.yaml:7: numbr is not a field of lineshaft.SalesOrder. Nearest: number." in result.stderr


def test_a_file_that_is_no_yaml_is_a_finding(order_mapping: Path) -> None:
    order_mapping.write_text("mapping: [")
    result = run("lint", str(order_mapping))
    assert result.exit_code == 1
    assert "the YAML cannot be read" in result.stdout


def test_a_file_that_is_not_there_is_wrong_use(order_mapping: Path) -> None:
    assert run("lint", "nowhere.yaml").exit_code == 2


def test_what_could_not_be_checked_outside_a_project_is_said(order_mapping: Path) -> None:
    assert "files-item: not checked" in run("lint").stderr
