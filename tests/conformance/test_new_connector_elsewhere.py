"""What `lineshaft connector new` makes, installed and tried as a developer elsewhere does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.third_party import Elsewhere, elsewhere

WAITING = "the-stand-in-answers-as-recorded"
POSITION = "a-foreign-position-is-refused"
READING = "polling.open(position)"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    made = elsewhere(tmp_path_factory.mktemp("elsewhere"))
    made.must("lineshaft connector new acme-shop")
    made.must("pip install -e './lineshaft-acme-shop[dev]'")
    without_bench(made)
    return made


def without_bench(made: Elsewhere) -> None:
    """Another package, whose maker has not come to a bench."""
    about = next((made.folder / ".venv" / "lib").glob("python*/site-packages")) / "bare-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[lineshaft.connectors]\nbare = lineshaft_acme_shop:connector\n")


@pytest.fixture
def broken(there: Elsewhere) -> Iterator[None]:
    """A source that takes any position for a first start."""
    file = there.folder / "lineshaft-acme-shop" / "src" / "lineshaft_acme_shop" / "source.py"
    good = file.read_text()
    assert READING in good
    file.write_text(good.replace(READING, "polling.open(None)"))
    yield
    file.write_text(good)


@pytest.mark.timeout(600)  # it tries every rule
def test_a_new_connector_is_installed_and_passes_its_own_tests(there: Elsewhere) -> None:
    said = there.must("pytest -q", there.folder / "lineshaft-acme-shop")
    assert "not yet: record the real system's answers" in said
    assert "failed" not in said


def test_it_is_listed_and_described_like_ours(there: Elsewhere) -> None:
    listed = {each["name"]: each for each in json.loads(there.must("lineshaft connector list --json"))}
    assert listed["acme-shop"]["package"] == "lineshaft-acme-shop"
    assert listed["acme-shop"]["sides"] == ["source", "sink", "simulator"]
    assert '"path": "lines.quantity"' in there.must("lineshaft connector describe acme-shop --document Order --json")


def test_rules_that_are_kept_end_with_zero_in_a_table_in_json_and_for_ci(there: Elsewhere) -> None:
    command = f"lineshaft connector test acme-shop --rule {POSITION} --rule {WAITING} --junit report.xml"
    done = there.run(command)
    assert done.returncode == 0
    assert done.stdout.split()[:3] == ["rule", "outcome", "reason"]
    assert "acme-shop: 1 passed, 1 not yet" in done.stderr
    found = {each["rule"]: each for each in json.loads(there.must(f"{command} --json"))}
    assert found[POSITION]["outcome"] == "passed"
    assert found[WAITING]["outcome"] == "not yet"
    assert found[WAITING]["reason"].startswith("record the real system's answers")
    [report] = ElementTree.parse(there.folder / "report.xml").getroot()
    assert (report.get("tests"), report.get("failures"), report.get("skipped")) == ("2", "0", "1")


@pytest.mark.usefixtures("broken")
def test_a_rule_that_is_broken_ends_with_one_and_says_what_to_change_and_why(there: Elsewhere) -> None:
    done = there.run(f"lineshaft connector test acme-shop --rule {POSITION} --junit report.xml")
    assert done.returncode == 1
    assert "parse it strictly in open and raise PositionRefused" in done.stdout
    assert "Why: A position of another connector would be taken for a first start" in done.stdout
    assert "acme-shop: 1 failed" in done.stderr
    [failure] = ElementTree.parse(there.folder / "report.xml").getroot().iter("failure")
    assert "PositionRefused" in (failure.get("message") or "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("acme-shp", "no connector 'acme-shp' is installed.\n    Nearest: acme-shop."),
        ("acme-shop --rule a-foreign-position", f"there is no rule 'a-foreign-position'.\n    Nearest: {POSITION}."),
        ("acme-shop --junit no/report.xml", "--junit no/report.xml: there is no such folder."),
        ("bare", "no bench is installed for the connector 'bare'. Name a factory in its package"),
    ],
)
def test_wrong_use_ends_with_two_before_anything_is_started(there: Elsewhere, arguments: str, says: str) -> None:
    done = there.run(f"lineshaft connector test {arguments}")
    assert done.returncode == 2
    assert says in done.stderr


def test_the_stand_in_runs_by_itself(there: Elsewhere, tmp_path: Path) -> None:
    said = there.run(f"timeout -s TERM 5 lineshaft simulate acme-shop --folder {tmp_path}").stdout
    assert json.loads(said)["config"]["url"].startswith("https://localhost:")
