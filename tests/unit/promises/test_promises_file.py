"""tests/promises.yaml fits the sources of today; `make promises` then breaks one promise after the other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.promises.promise import FILE, DoesNotApply, Edit, Promise, patched, read_promises

ROOT = Path(__file__).parents[3]
PROMISES = read_promises(ROOT / FILE)
AT_LEAST = 20


def functions_of(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda each: each.promise)
def test_every_patch_applies_and_leaves_python_behind(promise: Promise) -> None:
    for each in patched(ROOT, promise):
        assert each.after != each.before
        if each.file.suffix == ".py":
            ast.parse(each.after)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda each: each.promise)
def test_every_named_test_is_there(promise: Promise) -> None:
    for test in promise.tests:
        file, _, name = test.partition("::")
        assert name.split("::")[-1].split("[")[0] in functions_of(ROOT / file), test


def test_there_are_enough_of_them_and_each_is_told_once() -> None:
    told = [each.promise for each in PROMISES]
    assert len(told) >= AT_LEAST
    assert len(set(told)) == len(told)


def test_a_patch_whose_text_is_gone_or_there_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("same\nsame\n")
    for text in ("same", "other"):
        edit = Edit(file=Path("one.py"), replace=text, by="")
        with pytest.raises(DoesNotApply, match=r"one\.py"):
            patched(tmp_path, Promise(promise="p", design="4", tests=("t",), patch=(edit,)))


def test_several_edits_of_one_file_add_up(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("a = 1\nb = 2\n")
    edits = (Edit(file=Path("one.py"), replace="1", by="3"), Edit(file=Path("one.py"), replace="2", by="4"))
    [found] = patched(tmp_path, Promise(promise="p", design="4", tests=("t",), patch=edits))
    assert found.after == "a = 3\nb = 4\n"
