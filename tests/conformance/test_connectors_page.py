"""docs/connectors.md holds: who follows it block by block gets what it says, and its tables leave nothing out."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import errors
from connectors.testing import __all__ as kit
from connectors.testing import abilities
from tests.architecture.source_tree import ROOT
from tests.conformance.developer import PAGE, Developer, blocks
from tests.rules_table import PART, table
from tests.third_party import elsewhere

TEXT = PAGE.read_text("utf-8")
NO_BLOCKS = {"__init__", "contract", "errors", "registry"}
BLOCKS = sorted({each.stem for each in (ROOT / "connectors").glob("*.py")} - NO_BLOCKS)
ERRORS = sorted(name for name, each in vars(errors).items() if isinstance(each, type) and each is not errors.FarError)
PARTS_OF_REST = "_settings"


@pytest.mark.timeout(600)  # it tries every rule
def test_who_follows_the_page_has_a_connector_that_keeps_every_promise(tmp_path: Path) -> None:
    developer = Developer(elsewhere(tmp_path))
    for block in blocks(TEXT):
        developer.do(block)


def test_the_table_of_rules_is_the_suites_own() -> None:
    found = PART.search(TEXT)
    assert found is not None
    assert found.group() == table(), "python -m tests.rules_table writes it anew"


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_its_row(name: str) -> None:
    assert f"| `{name}` |" in TEXT


@pytest.mark.parametrize("name", [each for each in BLOCKS if not each.endswith(PARTS_OF_REST)])
def test_every_module_that_connectors_share_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("name", [*kit, *(each for each in vars(abilities) if each.endswith("Bench"))])
def test_every_part_of_the_kit_and_every_ability_of_a_bench_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT
