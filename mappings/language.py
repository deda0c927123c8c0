"""The mapping language as a closed syntax tree: what a file says, before anybody asks whether it can be.

Mapping
├── fields: FieldRule (name, Rule)
│   └── Rule = one input, `when`, then steps in the table's order
│       ├── inputs: Read · Const · FirstOf · Concat · Choose · Call · Each · ListOf · Group · Holds
│       └── steps:  Split · As · Code · Link · Lookup · Redact · Must · Default · Required
├── only_when, for_each, sample
└── tests: InlineTest
Conditions are All · Any · Not · Test over paths. Every node knows its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

from mappings.tree import Literal, Table, Tree
from schemas.document import Kind

Owner: TypeAlias = OneOf["crm", "mes", "first", "bus"]
Unknown: TypeAlias = OneOf["park", "pass", "default"]


@dataclass(frozen=True)
class Place:
    """Where in the file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Path:
    """`Product2.ProductCode`, `line.item`, `$record.Status` or a context value such as `$key`."""

    text: str
    place: Place


@dataclass(frozen=True)
class Test:
    """One comparison of the value at a path, e.g. `is`, `gt`, `empty`."""

    path: Path
    operator: str
    operand: tuple[Literal, ...]
    place: Place


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Any:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition: TypeAlias = "All | Any | Not | Test"


@dataclass(frozen=True)
class Read:
    """`from: path`."""

    path: Path


@dataclass(frozen=True)
class Const:
    """`const: value`."""

    value: Literal
    place: Place


@dataclass(frozen=True)
class FirstOf:
    """`first_of: [rule, …]`: the first that is not missing."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Concat:
    """`concat: [rule, …]` with `separator`; missing parts are left out."""

    rules: tuple[Rule, ...]
    separator: str


@dataclass(frozen=True)
class Branch:
    """One branch of a choice; without `when` it is the one for all the rest."""

    when: Condition | None
    rule: Rule
    place: Place


@dataclass(frozen=True)
class Choose:
    """`choose: [{when, then}, …, {otherwise}]`: the first branch that holds."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Call:
    """`function: name` with `args`."""

    name: str
    args: tuple[Rule, ...]
    place: Place


@dataclass(frozen=True)
class Each:
    """`each: path`, `where`, `fields`: one record for each that the filter lets through."""

    path: Path
    where: Condition | None
    fields: tuple[FieldRule, ...]


@dataclass(frozen=True)
class ListOf:
    """`list: [fields, …]`: a list of exactly these records."""

    records: tuple[tuple[FieldRule, ...], ...]


@dataclass(frozen=True)
class Group:
    """`fields: …` alone: a nested record."""

    fields: tuple[FieldRule, ...]


@dataclass(frozen=True)
class Holds:
    """`when: …` alone: true where the condition holds, else false."""

    condition: Condition


Input: TypeAlias = "Read | Const | FirstOf | Concat | Choose | Call | Each | ListOf | Group | Holds"


@dataclass(frozen=True)
class Split:
    """`split: {by: "-", take: 1}`: one part of a text; parts count from 1, from the end when negative."""

    by: str
    take: int
    place: Place


@dataclass(frozen=True)
class As:
    """`as: kind` with `scale`, `rounding` and `zone`."""

    kind: Kind
    scale: int | None
    rounding: str | None
    zone: str | None
    place: Place


@dataclass(frozen=True)
class Code:
    """`code: table`, or the other way round with `{table: …, inverse: true}`."""

    table: str
    inverse: bool
    place: Place


@dataclass(frozen=True)
class Link:
    """`link: {kind, from, to, unknown}`: another system's id of the same thing; systems may be context values."""

    kind: str
    system: str
    to_system: str
    unknown: Unknown
    place: Place


@dataclass(frozen=True)
class Lookup:
    """`lookup: {ref: items, take: [mes_item, item]}`: the first of these fields that the reference has."""

    ref: str
    take: tuple[Path, ...]
    unknown: Unknown
    place: Place


@dataclass(frozen=True)
class Redact:
    """`redact: true` hides the text, `redact: hash` keeps equal texts equal."""

    hashed: bool
    place: Place


@dataclass(frozen=True)
class Must:
    """`must: {gt: 0}`: what the value has to be."""

    tests: tuple[Test, ...]
    place: Place


@dataclass(frozen=True)
class Default:
    """`default: value` where the value is missing."""

    value: Literal
    place: Place


@dataclass(frozen=True)
class Required:
    """`required: true`: a missing value parks the record."""

    place: Place


Step: TypeAlias = "Split | As | Code | Link | Lookup | Redact | Must | Default | Required"


@dataclass(frozen=True)
class Rule:
    """How one value is made."""

    input: Input
    when: Condition | None
    steps: tuple[Step, ...]
    place: Place


@dataclass(frozen=True)
class FieldRule:
    """One target field. `rule` is None for a field that is named only to say that its `owner` alone writes it."""

    name: str
    rule: Rule | None
    owner: Owner
    place: Place


@dataclass(frozen=True)
class InlineTest:
    """What a mapping makes of one record: `expect`, or `fails` with a cause (and `field`), or `skipped`."""

    name: str
    given: Table | None
    context: Table | None
    references: Table | None
    expect: Tree | None
    fails: str
    field: str
    skipped: bool
    place: Place


@dataclass(frozen=True)
class Mapping:
    """One file. `for_each` is the alias and the list of line mappings: `{line: lines}`."""

    name: str
    version: int
    file: str
    source: str
    target: str
    source_place: Place
    target_place: Place
    destination: str | None
    for_each: tuple[str, Path] | None
    only_when: Condition | None
    fields: tuple[FieldRule, ...]
    sample: Table | None
    tests: tuple[InlineTest, ...]
    place: Place
