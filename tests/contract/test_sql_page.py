"""docs/sql.md holds: its tables, its settings and its documents, on a real PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connectors.sql import SqlConfig
from connectors.sql.answers import SQLSTATES
from connectors.sql.postgres import PostgresServer
from schemas.document import from_json
from tests.contract.sql_kit import Database, opened, read, running
from tests.whole_example import databases, lay, lint

pytestmark = pytest.mark.needs("pg_ctlcluster")

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text("utf-8")
BEGINNING = PAGE.split("## A whole example")[0]
TABLES, OUTBOX = re.findall(r"```sql\n(.*?)```", BEGINNING, re.S)
SETTINGS, BY_OUTBOX = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", BEGINNING, re.S))
PLANT = SETTINGS["connectors"]["plant-db"]
(DOCUMENT,) = (from_json(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with running(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def plant(server: PostgresServer) -> Database:
    database = Database(server)
    database.run(TABLES)
    database.run(OUTBOX)
    database.run("insert into orders values (7, 'Acme', false, '2026-05-01 06:00Z')")
    database.run("insert into lines values (7, 10, 'P-1', 2.5, '2026-05-01 06:00Z')")
    return database


def test_the_order_of_the_page_becomes_the_document_of_the_page(plant: Database) -> None:
    with opened(plant.config(read=PLANT["read"], timezone=PLANT["timezone"])) as source:
        assert [each.fields for each in read(source)] == [DOCUMENT]


def test_the_outbox_of_the_page_tells_of_a_change(plant: Database) -> None:
    with opened(plant.config(read=BY_OUTBOX["read"])) as source:
        read(source)
        plant.run("update orders set customer = 'Acme & Co'")
        assert [each.fields["customer"] for each in read(source)] == ["Acme & Co"]
        plant.run("update orders set customer = 'Acme'")


def test_the_settings_of_the_page_are_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    values = {name: value for name, value in PLANT.items() if name != "type"}
    config = SqlConfig.model_validate({**values, "password": f"${{file:{tmp_path}/password}}"})
    assert [each.document for each in config.write] == ["WorkOrder"]


def test_every_setting_and_every_kind_of_error_is_on_the_page() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert set(SqlConfig.model_fields) - {"windows"} - told == set()
    words = BEGINNING.split("## What an error means")[1]
    shown = {state.rstrip("x") for state in re.findall(r"\b([0-9A-Z]{2,5}x*)\b", words)}
    assert {state for state in SQLSTATES if state not in shown and state[:2] not in shown} <= {"58", "XX", "40", "55"}


def test_the_whole_example_of_the_page_has_nothing_to_be_mended(server: PostgresServer, tmp_path: Path) -> None:
    own = {name: settings for name, (_, settings) in databases(server).items()}
    found = lint(lay(tmp_path / "project", ["sql.md"], own))
    assert [*found.problems, *(each for each in found.outcomes if not each.passed)] == []
    assert {each for each in found.unchecked if each.startswith(("shop-db", "plant-db"))} == set()
