"""docs/parked.md holds: every command on it exists, and every cause is told with its owner."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from deploy.main import app
from streams.outcome import OWNERS

PAGE = (Path(__file__).parents[3] / "docs" / "parked.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \|", re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_on_the_page_can_be_given(line: str) -> None:
    words = [word for word in shlex.split(line) if not re.fullmatch(r"[A-Z]+=\w+", word)]
    assert words[:2] == ["lineshaft", "parked"]
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    parked = group.commands["parked"]
    assert isinstance(parked, TyperGroup)
    parked.commands[words[2]].make_context(words[2], words[3:])


def test_every_cause_is_on_the_page_with_its_owner() -> None:
    told = dict(ROW.findall(PAGE))
    assert told == {str(cause): owner.split(":")[0] for cause, owner in OWNERS.items()}


def test_every_owner_is_one_sentence_that_says_who_and_what() -> None:
    for cause, owner in OWNERS.items():
        who, _, what = owner.partition(": ")
        assert who and what and "\n" not in owner, cause
