"""What an activation changes, told before it is done; a version names one content for ever."""

from __future__ import annotations

import pytest

from mappings import DefinitionFile, definition
from streams.definition_changes import changes, drafts_that_differ, reused_versions, told


def codes(name: str, version: int = 1, word: str = "low") -> DefinitionFile:
    return definition(f"codes: {name}\nversion: {version}\nunknown: park\nrows: {{Low: {word}}}\n", f"{name}.yaml")


def test_each_change_is_told_with_name_and_versions() -> None:
    before = [codes("same"), codes("edited"), codes("gone", 3)]
    after = [codes("edited", 2, "high"), codes("same"), codes("added")]
    assert told(before, after) == [
        "codes added: new, version 1",
        "codes edited: version 1 to 2",
        "codes gone: removed, was version 3",
    ]
    assert [(each.change, each.version_before, each.version_after) for each in changes(before, after)] == [
        ("new", None, 1),
        ("changed", 1, 2),
        ("removed", 3, None),
    ]


def test_a_draft_that_differs_is_named_and_one_that_is_no_longer_drafted_is_not() -> None:
    assert drafts_that_differ([codes("a"), codes("b")], [codes("a", 2)]) == ["codes a"]


@pytest.mark.parametrize(
    ("wanted", "reused"),
    [
        (codes("a", 1), False),
        (codes("a", 2, "high"), False),
        (codes("a", 3, "high"), False),
        (codes("b", 1, "high"), False),
        (codes("a", 1, "high"), True),
        (codes("a", 2), True),
    ],
)
def test_a_version_that_was_live_is_used_again_only_with_its_content(wanted: DefinitionFile, reused: bool) -> None:
    past = [codes("a", 1), codes("a", 2, "high")]
    assert reused_versions(past, [wanted]) == ([wanted] if reused else [])
