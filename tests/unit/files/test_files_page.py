"""docs/files.md holds: its settings are good, its columns read, and its file is written as it says."""

from __future__ import annotations

import re
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import yaml

from connectors.files import FilesConfig, FilesOutConfig, connector, out
from connectors.files.sftp import _public_key
from schemas.document import Document, Fields
from tests.whole_example import connectors, lay, lint, part

PAGE = (Path(__file__).parents[3] / "docs" / "files.md").read_text("utf-8")
BEGINNING = PAGE.split("## A whole example")[0]
READING, ON_A_SERVER, HANDING_OVER = (
    next(iter(yaml.safe_load(text)["connectors"].values()))
    for text in re.findall(r"```yaml\n(.*?)```", BEGINNING, re.S)
)
NAME, CONTENT = (text for text in re.findall(r"```\n(\S[^`]*?)```", BEGINNING, re.S) if not text.startswith("conn"))


def values(settings: dict[str, object], **changes: object) -> dict[str, object]:
    return {**{name: value for name, value in settings.items() if name != "type"}, **changes}


def test_the_tables_of_the_page_read_a_csv_and_json(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,description,unit,site\nP-1,Pump,EA,A\n")
    (tmp_path / "stock.json").write_text('[{"Item No.": "P-1", "on_hand": 2.5, "place": {"bin": "A1"}}]')
    assert connector.source is not None
    config = FilesConfig.model_validate(values(READING, folder=tmp_path, poll_interval_s=0.001))
    with closing(connector.source(config)) as source:
        source.open(None)
        found = [each for _ in range(12) if (batch := source.poll(0.1)) for each in batch.documents]
    item, stock = found
    assert (item.type, item.fields["description"]) == ("Item", "Pump")
    assert [stock.fields[name] for name in ("item", "on_hand", "bin")] == ["P-1", Decimal("2.5"), "A1"]


def test_the_server_of_the_page_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    sftp = {**ON_A_SERVER["sftp"], "key": f"${{file:{tmp_path}/key}}"}
    config = FilesConfig.model_validate(values(ON_A_SERVER, sftp=sftp))
    assert config.sftp is not None
    assert _public_key(config.sftp.host_keys[0]).get_name() == "ssh-ed25519"


def test_the_file_of_the_page_is_written(tmp_path: Path) -> None:
    assert out.sink is not None
    fields: Fields = {"item": "P-1", "quantity": Decimal(5), "due": "2026-05-20", "wanted": "released"}
    with closing(out.sink(FilesOutConfig.model_validate(values(HANDING_OVER, folder=tmp_path)))) as sink:
        sink.open()
        assert sink.write([Document("WorkOrder", "crm:A-7/L1", "1777622400000000", fields)]) == []
    (file,) = tmp_path.iterdir()
    assert file.name == NAME.strip()
    assert file.read_bytes().decode() == CONTENT.replace("\n", "\r\n")


def test_every_setting_is_on_the_page() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {*FilesConfig.model_fields, *FilesOutConfig.model_fields} - {"windows"} - told == set()


def test_the_whole_example_of_the_page_has_nothing_to_be_mended(tmp_path: Path) -> None:
    own = {"old-mes": HANDING_OVER, **connectors(part("files.md"))}
    found = lint(lay(tmp_path / "project", ["files.md"], own))
    assert [*found.problems, *(each for each in found.outcomes if not each.passed)] == []
    assert {each for each in found.unchecked if each.startswith(("dropped", "old-mes"))} == set()
