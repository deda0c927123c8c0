"""Files that administrators write: mappings, code tables and routes, lineshaft.yaml, and drop folders of data."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from openpyxl import Workbook

from connectors import files
from connectors.errors import FarError
from connectors.files.config import FilesConfig
from deploy.project import load_project
from deploy.project_problems import ProjectError
from mappings import DefinitionError, compile_plan, definition, examine, shipped
from streams.intake import Intake
from tests.fuzz.case import ACCEPTED, Case, Ending, Maker, Unclear, refused
from tests.fuzz.mutation import TEXTS, bytes_changed
from tests.fuzz.on_the_bus import plan
from tests.fuzz.pushes import ending_of
from tests.unit.mappings.mapping_builder import real_types
from tests.unit.streams.orders_made_by_hand import Known

PLACED = re.compile(r"^[^\n]{0,300}?:\d+: ", re.MULTILINE)

Edit = Callable[[str, Random], str]


def _line(text: str, rng: Random) -> tuple[list[str], int]:
    lines = text.split("\n")
    return lines, rng.randrange(len(lines))


def _with_line(change: Callable[[str, Random], str]) -> Edit:
    def edit(text: str, rng: Random) -> str:
        lines, place = _line(text, rng)
        lines[place] = change(lines[place], rng)
        return "\n".join(lines)

    return edit


def _value_replaced(line: str, rng: Random) -> str:
    name, colon, _ = line.partition(":")
    return f"{name}{colon} {rng.choice(VALUES)}" if colon else line + rng.choice(VALUES)


VALUES: Sequence[str] = (
    "null", "true", "[]", "{}", "[[[[]]]]", "- x", "1e999",
    "9" * 400, "0x1F", "!!python/object:os.system [ls]",
    "!tag x",
    "&a [*a]", "*missing", "&a {b: *a}", "'", '"\\ud800"', '"\\x00"', "|\n  x", ">-\n", "? x", "%TAG", "@at",
    "{from: a.b.c.d, as: decimal, scale: 99999999999999999999}", "{from: x, as: [], code: {}}", "{when: {when: {}}}",
    "{each: lines, fields: {each: lines}}", "{choose: []}", "{function: pad, args: []}", "yes", "2026-05-01", "007",
    "{lookup: items, key: [], get: 7}", "{link: {kind: x}}", "{concat: [a, 1, null]}", "${env:HOME}",
)  # fmt: skip

EDITS: Sequence[Edit] = (
    _with_line(_value_replaced),
    _with_line(_value_replaced),
    _with_line(lambda line, rng: ""),
    _with_line(lambda line, rng: f"{line}\n{line}"),
    _with_line(lambda line, rng: " " * rng.randrange(9) + line.lstrip()),
    _with_line(lambda line, rng: "\t" + line),
    _with_line(lambda line, rng: line + rng.choice(TEXTS)[:200].replace("\n", " ")),
    _with_line(lambda line, rng: line.replace(":", rng.choice((" :", "::", ": - ", "=", ":\u00a0")), 1)),
    lambda text, rng: text[: rng.randrange(len(text) + 1)],
    lambda text, rng: text + "\n---\n" + text,
    lambda text, rng: text + "\nx: " + "[" * rng.choice((30, 2_000)),
    lambda text, rng: "\ufeff" + text,
    lambda text, rng: text + "\n" + aliases(rng.randint(3, 9)),
    lambda text, rng: text + f"\n{'k' * 2_000}: {'v' * rng.choice((2_000, 600_000))}",
    lambda text, rng: "\n".join(f"{each}\r" for each in text.split("\n")),
    lambda text, rng: text.replace("from", rng.choice(("form", "From", "from from", "")), rng.randint(1, 3)),
    lambda text, rng: bytes_changed(text.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "replace"),
)


def aliases(levels: int) -> str:
    """A text that doubles with every line: a gigabyte in a hundred characters."""
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" if n else "a0: &a0 [x]" for n in range(levels)]
    return "\n".join(rows)


def edited(text: str, rng: Random) -> str:
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(EDITS)(text, rng)
    return text


def told(error: DefinitionError | ProjectError) -> Ending:
    """Every problem names a file and a line, and is a sentence by itself."""
    for each in map(str, error.problems):
        if not PLACED.search(each):
            raise Unclear(f"no file and line: {each[:300]!r}")
        if len(each) > 2_500:
            raise Unclear(f"{len(each)} characters: {each[:200]!r} …")
    return refused(str(error.problems[0]))


@contextmanager
def definitions() -> Iterator[Maker]:
    """Definition files, alone and together with those that ship."""
    good, types = shipped(), real_types()

    def make(rng: Random) -> Case:
        chosen = rng.choice(good)
        text = edited(chosen.text, rng)

        def play() -> Ending:
            try:
                mine = definition(text, "mine.yaml")
                others = [each for each in good if each.name != chosen.name and each.kind == "codes"]
                findings = examine([mine, *others], types, ["plant-a"])
                if findings.problems:
                    raise DefinitionError(findings.problems)
                compile_plan([mine, *others], types)
            except DefinitionError as error:
                return told(error)
            failed = [each for each in findings.outcomes if not each.passed]
            return refused(f"{failed[0].name}: {failed[0].message[:2_000]}") if failed else ACCEPTED

        return Case(text.encode("utf-8", "surrogatepass"), play)

    yield make


PROJECT = """\
kafka: embedded
partitions: 12
topic_prefix: ""
data: .lineshaft
registry: null
mappings: mappings
codes: [codes]
routes: []
http: {host: 127.0.0.1, ingress: 8650, views: 8651, metrics: 8660}
connectors:
  crm:
    type: salesforce
    consumer_key: key
    username: bus@acme.example
    private_key: ${file:secret}
    login_url: https://login.salesforce.com
    timeout_s: 12
    topics: [/data/OrderChangeEvent, /data/OrderItemChangeEvent]
    order_fields: [Id, OrderNumber, SystemModstamp, IsDeleted, Account.Name]
  plant-a:
    type: jiandaoyun
    api_key: ${file:secret}
    app_id: a1
    entry_id: e1
    utc_offset_hours: 8
    sweep_interval_s: 900.5
  reference:
    type: files
    folder: reference
    tables:
      - {document: Item, pattern: items*, key: item, columns: [item, unit]}
      - {document: Link, pattern: links*, key: [kind, id], columns: {kind: text, id: decimal}}
"""


@contextmanager
def projects() -> Iterator[Maker]:
    """lineshaft.yaml with everything in it that a template has."""
    with tempfile.TemporaryDirectory(prefix="lineshaft-fuzz-") as folder:
        here = Path(folder)
        (here / "secret").write_text("s3cr3t")

        def make(rng: Random) -> Case:
            text = edited(PROJECT, rng)
            data = text.encode("utf-8", "surrogatepass")
            if rng.random() < 0.1:
                data = bytes_changed(data, rng)

            def play() -> Ending:
                (here / "lineshaft.yaml").write_bytes(data)
                try:
                    load_project(here)
                except ProjectError as error:
                    return told(error)
                return ACCEPTED

            return Case(data, play)

        yield make


# ------------------------------------------------------------------------------------------------ drop folders

ITEMS = 'item,description,unit,site\nP-1,Bracket,pcs,plant-a\nP-2,"A ""quoted""\nname",kg,\nP-3,,,\n'
TABLE = {
    "pattern": "items*",
    "document": "Item",
    "key": "item",
    "columns": {"item": "text", "description": "text", "unit": "text", "site": "text", "weight": "decimal"},
}


def workbook(rng: Random) -> bytes:
    """An Excel workbook, some of whose parts are damaged inside the archive."""
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["item", "description", "unit", "site", "weight"],
        ["P-1", 4711, True, None, 1.5],
        ["P-2", 1e300, "x"],
    ):
        sheet.append(row)
    book.save(out)
    if rng.random() < 0.3:
        return bytes_changed(out.getvalue(), rng)
    spoilt = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(spoilt, "w") as new:
        names = old.namelist()
        wrong = rng.choice(names)
        for name in names:
            data = old.read(name)
            if name == wrong:
                if rng.random() < 0.2:
                    continue
                data = bytes_changed(data, rng)
            new.writestr(name, data)
    return spoilt.getvalue()


@contextmanager
def reference_files() -> Iterator[Maker]:
    """CSV and Excel files in a drop folder; each row goes on through the mapping."""
    intake = Intake("ref", "files", 1, plan(), Known())
    with tempfile.TemporaryDirectory(prefix="lineshaft-fuzz-") as folder:
        here = Path(folder)

        def make(rng: Random) -> Case:
            excel = rng.random() < 0.15
            text = ITEMS.replace("site\n", "site,weight\n") if rng.random() < 0.8 else ITEMS
            data = workbook(rng) if excel else _spoilt(text, rng)
            suffix = "xlsx" if excel or rng.random() < 0.05 else "csv"

            def play() -> Ending:
                file = here / f"items.{suffix}"
                for old in here.rglob("items*"):
                    old.unlink()
                file.write_bytes(data)
                config = FilesConfig.model_validate({"folder": here, "tables": [TABLE], "poll_interval_s": 1e-9})
                assert files.connector.source is not None
                source = files.connector.source(config)
                try:
                    source.open(None)
                    batches = [batch for _ in range(5) if (batch := source.poll(0.0)) is not None]
                except FarError as error:
                    return refused(error)
                finally:
                    source.close()
                return ending_of([intake.take(each, 1) for batch in batches for each in batch.documents])

            return Case(data, play)

        yield make


def _spoilt(text: str, rng: Random) -> bytes:
    lines, place = _line(text, rng)
    match rng.randrange(6):
        case 0:
            lines[place] += "," + rng.choice(TEXTS)
        case 1:
            lines[place] = lines[place].replace(",", rng.choice((";", '","', "\t", ",,")))
        case 2:
            cells = lines[place].split(",")
            cells[rng.randrange(len(cells))] = rng.choice(TEXTS)
            lines[place] = ",".join(cells)
        case 3:
            lines[place] = '"' + lines[place]
        case 4:
            return bytes_changed(text.encode(), rng)
        case _:
            return text.encode(rng.choice(("utf-16", "latin-1", "utf-8-sig", "cp037")), "replace")
    return "\n".join(lines).encode("utf-8", "surrogatepass")
