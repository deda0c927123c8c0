"""The `lineshaft` command: exit codes, plain messages, and results in three forms."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import typer

from connectors.errors import AuthError, ConfigError, DataError, FarError, Throttled, UnknownOutcome
from deploy import main, output
from deploy.exits import Refused, code_of
from deploy.kafka import FolderBusy, JarsUnreachable
from deploy.project_problems import ProjectError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["lineshaft", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("a", "b"), 2),
        (Refused("a", "b", 1), 1),
        (ConfigError("crm.login_url", "is wrong.", "Mend it."), 2),
        (AuthError("no"), 2),
        (ProjectError([]), 2),
        (FolderBusy("a", "b"), 2),
        (PermissionError(13, "denied"), 2),
        (JarsUnreachable("a", "b"), 3),
        (Throttled("later", 3.0), 3),
        (UnknownOutcome("?"), 3),
        (ConnectionRefusedError(), 3),
        (DataError("bad"), 1),
        (FarError("other"), 1),
        (KeyError("a defect"), None),
    ],
)
def test_an_error_has_the_exit_code_that_says_whose_it_is(error: Exception, code: int | None) -> None:
    assert code_of(error) == code


def fails_with(error: Exception) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    return app


def test_a_persons_mistake_is_a_plain_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "app", fails_with(ConfigError("crm.login_url", "is wrong.", "Mend it.")))
    assert run(monkeypatch) == 2
    assert capsys.readouterr() == ("", "lineshaft: crm.login_url: is wrong. Mend it.\n")


@pytest.mark.parametrize(
    ("error", "debug"), [(KeyError("a defect"), "0"), (ConfigError("field", "is wrong.", "Mend it."), "1")]
)
def test_a_defect_shows_its_trace_and_so_does_everything_when_asked(
    error: Exception, debug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINESHAFT_DEBUG", debug)
    monkeypatch.setattr(main, "app", fails_with(error))
    monkeypatch.setattr(sys, "argv", ["lineshaft"])
    with pytest.raises(type(error)):
        main.main()


def test_wrong_use_ends_with_two_and_names_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "kafka", "begin") == 2
    assert "No such command 'begin'" in capsys.readouterr().err


def test_the_version_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("lineshaft 0.")


def test_the_status_of_a_broker_that_never_was_is_found_out_without_a_project(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "kafka", "status", "--folder", str(tmp_path), "--json") == 1
    assert json.loads(capsys.readouterr().out)["state"] == "stopped"


def test_the_projects_own_folder_is_meant_when_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "lineshaft.yaml").write_text("data: state\n")
    assert run(monkeypatch, "--project", str(tmp_path), "kafka", "status", "--json") == 1
    assert json.loads(capsys.readouterr().out)["folder"] == str(tmp_path / "state" / "kafka")


ROWS = [
    {"order": "crm:1", "quantity": Decimal("1.50"), "late": True, "note": None},
    {"order": "crm:22", "quantity": 7, "late": False, "note": "two\nlines"},
]
COLUMNS = ("order", "quantity", "late", "note")


def test_a_pipe_gets_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    output.rows(ROWS, COLUMNS, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "order   quantity  late  note",
        "crm:1   1.50      yes",
        "crm:22  7         no    two lines",
    ]


def test_a_terminal_gets_a_table_in_which_brackets_are_only_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    output.rows([{"order": "[bold]crm:1"}], ("order",), as_json=False)
    assert "[bold]crm:1" in screen.getvalue()
    assert "─" in screen.getvalue() or "━" in screen.getvalue()


def test_json_keeps_digits_and_every_key_of_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"quantity": Decimal("1.50"), "due": date(2026, 5, 1), "file": Path("a/b"), "extra": ("x", "y")}
    output.rows([row], ("quantity",), as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"quantity": "1.50", "due": "2026-05-01", "file": "a/b", "extra": ["x", "y"]}
    ]


def test_an_empty_list_is_nothing_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    output.rows([], COLUMNS, as_json=False, empty="nothing is parked")
    assert capsys.readouterr() == ("", "nothing is parked\n")
    output.rows([], COLUMNS, as_json=True)
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("add", main.COMMANDS)
def test_every_group_of_commands_can_be_added_to_a_fresh_app(add: Callable[[typer.Typer], None]) -> None:
    app = typer.Typer()
    add(app)
    assert app.registered_groups or app.registered_commands
