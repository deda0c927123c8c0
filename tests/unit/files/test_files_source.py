"""The drop folder: what is read, when, how often, and what becomes of bad files."""

import io
import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from connectors.contract import Batch
from connectors.errors import ConfigError, PositionRefused
from connectors.files import FilesConfig, Table, connector
from connectors.files.folder import Folder
from connectors.files.places import LocalPlace
from connectors.files.source import FilesSource
from schemas.document import Document, Kind
from schemas.identity import revision_time_us

MTIME_S = 1_760_000_000
ITEMS = Table.model_validate(
    {"document": "Item", "pattern": "items*", "key": "item", "columns": ["item", "description", "unit", "site"]}
)
LINKS = Table.model_validate(
    {
        "document": "Link",
        "pattern": "links*.csv",
        "key": ["kind", "system", "id"],
        "columns": ["kind", "system", "id", "to_id"],
    }
)
STOCK = Table(
    document="Stock",
    pattern="stock*",
    key=["item"],
    columns={"item": "text", "on_hand": "decimal", "boxes": "integer", "counted": "date", "active": "boolean"},
)


class Clock:
    """Time that passes only by being waited for: every look is due."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def source_of(folder: Path, *tables: Table) -> FilesSource:
    return FilesSource(Folder(LocalPlace(folder), tables or (ITEMS, LINKS, STOCK)), interval_s=0.1, clock=Clock())


def drop(folder: Path, name: str, content: str | bytes, mtime_s: int = MTIME_S) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (mtime_s, mtime_s))
    return path


def run(source: FilesSource, polls: int = 6) -> list[Batch]:
    return [batch for _ in range(polls) if (batch := source.poll(0)) is not None]


def read(folder: Path, *tables: Table) -> list[Document]:
    source = source_of(folder, *tables)
    source.open(None)
    return documents_of(run(source))


def documents_of(batches: Sequence[Batch]) -> list[Document]:
    return [document for batch in batches for document in batch.documents]


def excel(*rows: Sequence[object]) -> bytes:
    book = Workbook()
    for row in rows:
        assert book.active is not None
        book.active.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_each_row_of_a_csv_is_a_document_with_its_place(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Pump,EA,A\nP-2,,EA,\n")

    first, second = read(tmp_path)

    assert (first.type, first.id) == ("Item", "P-1")
    assert first.fields == {
        "item": "P-1",
        "description": "Pump",
        "unit": "EA",
        "site": "A",
        "_file": "items.csv",
        "_line": 2,
        "_problem": None,
    }
    assert second.fields["description"] is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,泵,EA,A\n".encode(encoding))

    assert [document.fields["description"] for document in read(tmp_path)] == ["泵"]


def test_excel_gives_the_same_documents_as_csv(tmp_path: Path) -> None:
    content = excel(
        ["item", "on_hand", "boxes", "counted", "active"],
        [4711, 2.5, 3, date(2026, 5, 1), True],
        [None, None, None, None, None],
        ["P-2", "0.10", "7", "2026-05-02", "no"],
    )
    drop(tmp_path, "stock.xlsx", content)

    first, second = read(tmp_path)

    assert [first.fields[name] for name in STOCK.columns] == ["4711", Decimal("2.5"), 3, "2026-05-01", True]
    assert [second.fields[name] for name in STOCK.columns] == ["P-2", Decimal("0.10"), 7, "2026-05-02", False]
    assert second.fields["_line"] == 4


def test_a_key_of_several_columns_is_joined(tmp_path: Path) -> None:
    drop(tmp_path, "links.csv", "kind,system,id,to_id\nitem,crm,P-1,M-9\n")

    assert [document.id for document in read(tmp_path)] == ["item|crm|P-1"]


def test_a_cell_of_another_kind_stays_as_it_is_and_the_row_says_what_is_wrong(tmp_path: Path) -> None:
    drop(tmp_path, "stock.csv", "item,on_hand,boxes,counted,active\nP-1,many,1.5,31.5.26,maybe\nP-2,1,1,,\n")

    bad, good = read(tmp_path)

    assert [bad.fields[name] for name in ("on_hand", "boxes", "counted", "active")] == [
        "many",
        "1.5",
        "31.5.26",
        "maybe",
    ]
    assert bad.fields["_line"] == 2
    assert bad.fields["_problem"] == (
        "on_hand is 'many', which is no decimal; boxes is '1.5', which is no integer; "
        "counted is '31.5.26', which is no date; active is 'maybe', which is no boolean"
    )
    assert good.fields["_problem"] is None


def test_a_row_without_its_key_is_not_lost(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\n,Pump,EA,A\n")

    (document,) = read(tmp_path)

    assert document.id == "items.csv:2"
    assert document.fields["_problem"] == "item must be filled"


def test_a_row_with_too_many_cells_says_so(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Pump, large,EA,A\n")

    assert read(tmp_path)[0].fields["_problem"] == "1 cells more than the first line has"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("items.csv", b"item,unit\nP-1,EA\n", "items.csv: it has no column description, site; its first line has"),
        ("items.csv", b"", "items.csv: it has no column item, description, unit, site; its first line has none"),
        ("items.csv", "item,description,unit,site\nP,泵,EA,A\n".encode("gb18030"), "items.csv: it is not UTF-8"),
        ("items.csv", b'item,"description,unit,site\n', "items.csv: line 1: a quote is opened and never closed"),
        ("items.json", b"{", "items.json: it is no JSON"),
        ("items.json", b"{}", "items.json: it is no list of records"),
        ("items.jsonl", b"\xff", "items.jsonl: it is not UTF-8"),
        ("items.xlsx", b"no workbook", "items.xlsx: it is no Excel workbook (File is not a zip file)"),
    ],
)
def test_a_file_that_cannot_be_read_becomes_one_document_that_says_why(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    drop(tmp_path, name, content)

    (document,) = read(tmp_path)

    assert document.id == name
    assert str(document.fields["_problem"]).startswith(problem)
    assert document.problem == document.fields["_problem"]
    assert document.fields["item"] is None
    assert (tmp_path / "done" / name).exists()


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("items.csv", 'item,description,unit,site\nP-1,Pump,EA,A\nP-2,"Pump" 2,EA,A\nP-3,Pump,EA,A\n', 3),
        ("items.jsonl", '{"item": "P-1"}\n{"item": \n\n{"item": "P-3"}', 2),
        ("items.ndjson", '{"item": "P-1"}\n["P-2"]\n{"item": "P-3"}', 2),
        ("items.json", '[{"item": "P-1"}, "P-2", {"item": "P-3"}]', 2),
        ("items.json", '[{"item": "P-1"}, {"item": ["P-2"]}, {"item": "P-3"}]', 2),
    ],
)
def test_a_broken_line_is_parked_by_its_number_and_the_others_are_read(
    tmp_path: Path, name: str, content: str, line: int
) -> None:
    drop(tmp_path, name, content)

    first, broken, third = read(tmp_path)

    assert (first.id, broken.id, third.id) == ("P-1", f"{name}:{line}", "P-3")
    assert (first.problem, third.problem) == ("", "")
    assert broken.problem
    assert broken.fields["_line"] == line


def test_json_gives_the_same_documents_as_csv_and_a_column_may_be_a_path(tmp_path: Path) -> None:
    stock = Table.model_validate({**STOCK.model_dump(), "columns": {**STOCK.columns, "bin": {"at": "place.bin"}}})
    record = '{"item": 4711, "on_hand": 2.50, "boxes": "3", "counted": "2026-05-01", "active": true, '
    record += '"place": {"bin": "A1"}}'
    drop(tmp_path, "stock.json", f"[{record}]")
    drop(tmp_path, "stock.jsonl", f"{record}\n")

    one, other = read(tmp_path, stock)

    assert [one.fields[name] for name in stock.columns] == ["4711", Decimal("2.50"), 3, "2026-05-01", True, "A1"]
    assert [other.fields[name] for name in stock.columns] == [one.fields[name] for name in stock.columns]


def test_a_column_may_have_another_name_in_the_file(tmp_path: Path) -> None:
    columns = {"item": {"at": "Item No."}, "boxes": {"kind": "integer", "at": "Boxes (full)"}}
    stock = Table.model_validate({**STOCK.model_dump(), "columns": columns})
    drop(tmp_path, "stock.csv", "Item No.,Boxes (full)\nP-1,3\n")

    (document,) = read(tmp_path, stock)

    assert [document.fields[name] for name in stock.columns] == ["P-1", 3]


class Replaced(LocalPlace):
    """A folder whose file is replaced in the very moment in which it is moved."""

    def __init__(self, path: Path, content: str) -> None:
        super().__init__(path)
        self._folder, self._content = path, content

    def move(self, name: str, to: str) -> None:
        if self._content:
            (self._folder / name).write_text(self._content)
            self._content = ""
        super().move(name, to)


def test_a_file_that_is_replaced_while_it_is_put_away_is_read(tmp_path: Path) -> None:
    header = "item,description,unit,site\n"
    drop(tmp_path, "items.csv", f"{header}P-1,Pump,EA,A\n")
    place = Replaced(tmp_path, f"{header}P-2,Pump,EA,A\n")
    source = FilesSource(Folder(place, [ITEMS]), interval_s=0.1, clock=Clock())
    source.open(None)

    assert [document.id for document in documents_of(run(source, 12))] == ["P-1", "P-2"]


def test_a_finished_file_is_moved_only_after_its_batch(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Pump,EA,A\n")
    source = source_of(tmp_path)
    source.open(None)
    while not (batch := source.poll(0)):
        pass

    finished = batch.position["finished"]
    assert isinstance(finished, dict) and list(finished) == ["items.csv"]
    assert (tmp_path / "items.csv").exists()
    source.poll(0)
    assert not (tmp_path / "items.csv").exists()
    assert (tmp_path / "done" / "items.csv").exists()


def test_a_file_that_was_finished_before_a_crash_is_put_away_and_not_read_again(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Pump,EA,A\n")
    first = source_of(tmp_path)
    first.open(None)
    while not (batch := first.poll(0)):
        pass
    second = source_of(tmp_path)
    second.open(batch.position)

    assert documents_of(run(second)) == []
    assert (tmp_path / "done" / "items.csv").exists()


def test_a_file_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    source.open(None)
    text = "item,description,unit,site\n"
    for number in range(5):
        text += f"P-{number},Pump,EA,A\n"
        drop(tmp_path, "items.csv", text)
        assert source.poll(0) is None

    assert len(documents_of(run(source))) == 5


@pytest.mark.parametrize("name", ["items.csv.part", ".items.csv", "~$items.xlsx", "items.tmp", "other.csv"])
def test_unfinished_hidden_and_foreign_files_are_left_alone(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name, "item,description,unit,site\nP-1,Pump,EA,A\n")

    assert read(tmp_path) == []
    assert (tmp_path / name).exists()


def test_a_large_file_comes_in_batches_and_goes_on_behind_the_last_one_after_a_restart(tmp_path: Path) -> None:
    lines = "".join(f"P-{number},Pump,EA,A\n" for number in range(1200))
    drop(tmp_path, "items.csv", "item,description,unit,site\n" + lines)
    first = source_of(tmp_path)
    first.open(None)
    while not (batch := first.poll(0)):
        pass
    second = source_of(tmp_path)
    second.open(batch.position)
    rest = run(second)

    assert [len(each.documents) for each in (batch, *rest)] == [500, 500, 200, 0]
    assert [document.id for document in documents_of([batch, *rest])] == [f"P-{number}" for number in range(1200)]


def test_a_file_that_was_replaced_while_it_was_read_is_read_from_its_start(tmp_path: Path) -> None:
    header = "item,description,unit,site\n"
    drop(tmp_path, "items.csv", header + "".join(f"P-{number},Pump,EA,A\n" for number in range(600)))
    first = source_of(tmp_path)
    first.open(None)
    while not (batch := first.poll(0)):
        pass
    drop(tmp_path, "items.csv", header + "P-0,Other,EA,A\n", MTIME_S + 60)
    second = source_of(tmp_path)
    second.open(batch.position)

    assert [document.fields["description"] for document in documents_of(run(second))] == ["Other"]


def test_a_file_dropped_again_with_other_content_is_read_again_and_both_are_kept(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    source.open(None)
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Pump,EA,A\n")
    first = documents_of(run(source))
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Better pump,EA,A\n", MTIME_S + 60)
    second = documents_of(run(source))

    assert first[0].revision < second[0].revision
    assert len(list((tmp_path / "done").iterdir())) == 2


def test_of_two_rows_with_one_key_the_later_one_is_newer(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Old,EA,A\nP-1,New,EA,A\n")

    old, new = read(tmp_path)

    assert old.revision < new.revision
    assert revision_time_us(old.revision) == MTIME_S * 1_000_000 + 2


def test_the_first_start_is_complete_when_nothing_is_left_to_read(tmp_path: Path) -> None:
    drop(tmp_path, "items.csv", "item,description,unit,site\nP-1,Pump,EA,A\n")
    source = source_of(tmp_path)
    source.open(None)

    assert [batch.complete for batch in run(source)] == [False, True]


def test_an_empty_folder_is_complete_at_once_and_says_so_once(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    source.open(None)

    assert [batch.complete for batch in run(source)] == [True]


def test_a_closed_source_says_nothing(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    source.open(None)
    source.close()
    source.close()

    assert source.poll(10) is None


def test_a_missing_folder_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"folder: .*/drop is no folder\. Create it"):
        source_of(tmp_path / "drop").open(None)


def test_a_position_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PositionRefused, match="no position of a files source"):
        source_of(tmp_path).open({"cursor": "x"})


def test_document_types_follow_from_the_configuration(tmp_path: Path) -> None:
    config = FilesConfig(folder=tmp_path, tables=(STOCK, LINKS))

    stock, link = connector.documents(config)

    assert (stock.name, link.name) == ("Stock", "Link")
    kinds = [field.kind for field in stock.fields if not field.name.startswith("_")]
    assert kinds == [Kind.TEXT, Kind.DECIMAL, Kind.INTEGER, Kind.DATE, Kind.BOOLEAN]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            [{"document": "Item", "pattern": "*.csv", "key": "code", "columns": ["item"]}],
            "key code is no column of Item",
        ),
        ([{"document": "Item", "pattern": "*.csv", "key": "item", "columns": {"item": "number"}}], "columns.item"),
        ([{"document": "Item", "pattern": "*", "key": "item", "columns": ["item"], "sheet": 1}], "Extra inputs"),
        (
            [
                {"document": "Item", "pattern": "*.csv", "key": "item", "columns": ["item"]},
                {"document": "Item", "pattern": "*.xlsx", "key": "item", "columns": ["item", "unit"]},
            ],
            "tables of Item differ in their columns",
        ),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, tables: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FilesConfig.model_validate({"folder": str(tmp_path), "tables": tables})


def test_a_first_start_reads_what_was_put_away_once_more_in_its_order(tmp_path: Path) -> None:
    header = "item,description,unit,site\n"
    source = source_of(tmp_path)
    source.open(None)
    last: list[Document] = []
    for at, text in enumerate(("Old", "New")):
        drop(tmp_path, "items.csv", f"{header}P-1,{text},EA,A\n", MTIME_S + at)
        last = documents_of(run(source))
    drop(tmp_path, "items-2.csv", f"{header}P-2,Pump,EA,A\n", MTIME_S - 5)
    anew = source_of(tmp_path)
    anew.open(None)
    batches = run(anew, 12)

    found = documents_of(batches)
    assert [document.fields["description"] for document in found] == ["Old", "New", "Pump"]
    assert found[1] == last[0]
    assert [batch.complete for batch in batches] == [False] * 3 + [True]
    assert len(list((tmp_path / "done").iterdir())) == 3


def test_a_first_start_that_dies_in_the_middle_goes_on_behind_its_place(tmp_path: Path) -> None:
    header = "item,description,unit,site\n"
    (tmp_path / "done").mkdir()
    for at in range(3):
        drop(tmp_path / "done", f"items-{at}.csv", f"{header}P-{at},Pump,EA,A\n", MTIME_S + at)
    many = "".join(f"P-{number},Pump,EA,A\n" for number in range(900, 1700))
    drop(tmp_path / "done", "items-9.csv", header + many, MTIME_S + 9)
    whole = source_of(tmp_path)
    whole.open(None)
    batches = run(whole, 12)

    for at, batch in enumerate(batches):
        again = source_of(tmp_path)
        again.open(batch.position)
        found = documents_of([*batches[: at + 1], *run(again, 12)])
        assert [document.id for document in found] == ["P-0", "P-1", "P-2", *(f"P-{n}" for n in range(900, 1700))]
