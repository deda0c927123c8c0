"""docs/mappings.md holds: every example on it is run, and nothing that the language has is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from deploy.mapping_commands import app
from mappings import DefinitionFile, Findings, Problem, compile_plan, definition, examine, shipped
from mappings.conditions import COMPARISONS
from mappings.functions import FUNCTIONS
from mappings.load_rules import INPUTS
from mappings.operations import OPERATIONS
from streams.outcome import OWNERS
from tests.unit.mappings.mapping_builder import real_types

PAGE = (Path(__file__).parents[3] / "docs" / "mappings.md").read_text("utf-8")
PART = re.compile(r"^<!-- examples: (?P<base>\S+) -->$|^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
WHOLE = re.compile(r"^(mapping|codes|routes): ", re.M)
EXAMPLE = re.compile(r"^# (?P<given>\{.*\}) → (?P<result>.*)$")
PARKED = "parked: "
TYPES = real_types()
SINKS = ("crm", "plant-a")
REFERENCES = """
items: [{item: P-100, description: Bracket, unit: pcs, mes_item: M-9, site: plant-a}]
links: [{kind: customer, system: crm, id: 001A, to_system: erp, to_id: "4711"}]
"""
CONTEXT = """
connector: crm
key: crm:00000123
line: {id: L1, item: P-100, quantity: 12.5, unit: pcs}
"""


@dataclass(frozen=True)
class Block:
    """One YAML block: its line on the page, the mapping its fields stand in, and what lint says where it is wrong."""

    line: int
    text: str
    base: str
    refusal: str | None = None

    @property
    def is_whole(self) -> bool:
        return WHOLE.match(self.text) is not None


def blocks() -> list[Block]:
    found: list[Block] = []
    base = ""
    for part in PART.finditer(PAGE):
        base = part["base"] or base
        if part["kind"] == "yaml":
            found.append(Block(PAGE.count("\n", 0, part.start()) + 1, part["text"], base))
        elif part["kind"] == "text":
            found[-1] = replace(found[-1], refusal=part["text"].strip())
    return found


BLOCKS = blocks()


def by_line(wanted: Sequence[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [pytest.param(each, id=f"line{each.line}") for each in wanted])


def with_codes(own: DefinitionFile) -> list[DefinitionFile]:
    """The definition and the shipped code tables that it may use."""
    return [own, *(each for each in shipped() if each.kind == "codes" and each.name != own.name)]


def findings(own: DefinitionFile) -> Findings:
    return examine(with_codes(own), TYPES, SINKS)


def problems_of(text: str, file: str) -> list[Problem]:
    return [each for each in findings(definition(text, file)).problems if each.file == file]


@by_line([each for each in BLOCKS if each.is_whole and each.refusal is None])
def test_a_whole_definition_has_no_problem_and_its_tests_pass(block: Block) -> None:
    found = findings(definition(block.text, "page.yaml"))
    assert [str(each) for each in found.problems if each.file == "page.yaml"] == []
    assert [each.message for each in found.outcomes if not each.passed and each.file == "page.yaml"] == []


@by_line([each for each in BLOCKS if each.refusal is not None])
def test_a_wrong_example_is_refused_with_the_words_of_the_page(block: Block) -> None:
    if block.is_whole:
        assert "\n".join(str(each) for each in problems_of(block.text, "routes.yaml")) == block.refusal
    else:
        text = in_mapping(block.base, block.text, None)
        said = [str(each).partition(": ")[2] for each in problems_of(text, "page.yaml")]
        assert "\n".join(said) == block.refusal


@dataclass(frozen=True)
class Example:
    """One rule with what it makes of some records: (given, result) as YAML."""

    rule: str
    results: tuple[tuple[str, str], ...]


def examples(block: Block) -> Iterator[Example]:
    """A rule is the lines up to its results; one without results is only compiled."""
    rule: list[str] = []
    results: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        found = EXAMPLE.match(line)
        if found is None and results:
            yield Example("\n".join(rule), tuple(results))
            rule, results = [], []
        if found is None:
            rule.append(line)
        else:
            results.append((found["given"], found["result"]))
    yield Example("\n".join(rule), tuple(results))


SNIPPETS = [each for each in BLOCKS if not each.is_whole and each.refusal is None]


@by_line(SNIPPETS)
def test_a_rule_makes_of_each_record_what_the_page_says(block: Block) -> None:
    for example in examples(block):
        own = definition(in_mapping(block.base, example.rule, example.results), "page.yaml")
        compile_plan(with_codes(own), TYPES, SINKS)
        run = [each for each in findings(own).outcomes if each.file == "page.yaml"]
        assert [each.message for each in run] == [""] * len(example.results)


def in_mapping(base: str, rules: str, results: Sequence[tuple[str, str]] | None) -> str:
    """The shipped mapping with these rules in the place of its own; its tests too, unless `results` is None."""
    root = compose(next(each.text for each in shipped() if each.kind == "mapping" and each.name == base))
    own = compose(rules)
    for key, value in own.value:
        put(entry(root, "fields"), key.value, value)
    if results is not None:
        root.value = [each for each in root.value if each[0].value != "tests"]
    if results:
        last = own.value[-1][0].value
        tests = [compose(as_test(last, given, result, has(root, "for_each"))) for given, result in results]
        put(root, "tests", yaml.SequenceNode("tag:yaml.org,2002:seq", tests))
    return str(yaml.serialize(root, Dumper=yaml.BaseDumper, allow_unicode=True, width=10_000))


def as_test(field: str, given: str, result: str, of_a_line: bool) -> str:
    if result.startswith(PARKED):
        outcome = f"fails: {result.removeprefix(PARKED)}"
    else:
        outcome = f"expect: {{{field}: {'null' if result == 'nothing' else result}}}"
    context = CONTEXT if of_a_line else CONTEXT.partition("line:")[0]
    return f"given: {given}\n{outcome}\nreferences:{indented(REFERENCES)}\ncontext:{indented(context)}\n"


def indented(text: str) -> str:
    return text.rstrip().replace("\n", "\n  ")


def compose(text: str) -> yaml.MappingNode:
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    assert isinstance(node, yaml.MappingNode)
    return node


def entry(node: yaml.MappingNode, name: str) -> yaml.MappingNode:
    found = next(value for key, value in node.value if key.value == name)
    assert isinstance(found, yaml.MappingNode)
    return found


def has(node: yaml.MappingNode, name: str) -> bool:
    return any(key.value == name for key, _ in node.value)


def put(node: yaml.MappingNode, name: str, value: yaml.Node) -> None:
    kept = [each for each in node.value if each[0].value != name]
    node.value = [*kept, (yaml.ScalarNode("tag:yaml.org,2002:str", name), value)]


@pytest.mark.parametrize("command", ["lint", "test"])
def test_the_first_mapping_is_content_on_the_command_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "order.yaml"
    file.write_text(next(each.text for each in BLOCKS if each.text.startswith("mapping: ")))
    done = CliRunner().invoke(app, [command, str(file)])
    assert done.exit_code == 0, done.output
    file.write_text(file.read_text().replace("OrderNumber\n", "OrderNumbr\n"))
    assert CliRunner().invoke(app, [command, str(file)]).exit_code == 1


def headings(level: str) -> list[str]:
    return re.findall(rf"^{level} (.+)$", PAGE, re.M)


def test_every_step_has_its_section_in_the_order_in_which_steps_run() -> None:
    assert headings("###") == [each.name for each in OPERATIONS]


@pytest.mark.parametrize("name", [*INPUTS, *FUNCTIONS, *COMPARISONS, *OWNERS])
def test_every_input_function_comparison_and_cause_stands_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", [*(each.name for each in OPERATIONS), *FUNCTIONS, *COMPARISONS])
def test_every_step_function_and_comparison_is_run_by_an_example(name: str) -> None:
    rules = "\n".join(example.rule for block in SNIPPETS for example in examples(block) if example.results)
    assert re.search(rf"\b{name}\b", rules)
