"""A subset of SOQL: what the connector, simple-salesforce and a person's scripts ask.

    SELECT field | Relation.field | COUNT() | (SELECT … FROM Children …), …
    FROM Object [WHERE …] [ORDER BY field [ASC|DESC], …] [LIMIT n] [OFFSET n]

Conditions: = != < <= > >= LIKE IN NOT IN with AND, OR, NOT and brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from connectors.salesforce.simulator.answers import ApiError

TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_][\w.]*)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)

LiteralKind: TypeAlias = Literal["string", "moment", "date", "number", "word"]


@dataclass(frozen=True)
class Constant:
    """A literal and how it was written, which must fit the field's type."""

    kind: LiteralKind
    text: str

    @property
    def number(self) -> Decimal:
        """A number's value."""
        return Decimal(self.text)


@dataclass(frozen=True)
class Comparison:
    """One field against one literal, or a list of them for IN and NOT IN."""

    path: str
    operator: str
    constants: tuple[Constant, ...]


@dataclass(frozen=True)
class Both:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition: TypeAlias = "Comparison | Both | Either | Not"


@dataclass(frozen=True)
class Query:
    """A parsed query; in a child query `source` is the name of the relationship."""

    fields: tuple[str, ...]
    children: tuple[Query, ...]
    count: bool
    source: str
    where: Condition | None = None
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Query:
    """The query that a text says. Raises ApiError MALFORMED_QUERY."""
    parser = _Parser(text)
    query = parser.query()
    if parser.peek() is not None:
        raise parser.wrong("nothing more")
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._at = 0

    def query(self) -> Query:
        self._word("SELECT")
        fields, children, count = self._select()
        self._word("FROM")
        source = self._name()
        where = self._either() if self._is("WHERE") else None
        return Query(
            fields, children, count, source, where, self._order(), self._number("LIMIT"), self._number("OFFSET") or 0
        )

    def peek(self) -> tuple[str, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def wrong(self, wanted: str) -> ApiError:
        token = self.peek()
        return ApiError(
            400, "MALFORMED_QUERY", f"unexpected token: '{token[1] if token else '<EOF>'}', expecting {wanted}"
        )

    def _select(self) -> tuple[tuple[str, ...], tuple[Query, ...], bool]:
        fields: list[str] = []
        children: list[Query] = []
        count = False
        while True:
            if self._is("("):
                children.append(self.query())
                self._word(")")
            else:
                name = self._name()
                if name.upper() == "COUNT" and self._is("("):
                    self._word(")")
                    count = True
                else:
                    fields.append(name)
            if not self._is(","):
                return tuple(fields), tuple(children), count

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._is("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._is("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self) -> Condition:
        if self._is("NOT"):
            return Not(self._one())
        if self._is("("):
            inner = self._either()
            self._word(")")
            return inner
        path = self._name()
        operator = self._operator()
        return Comparison(path, operator, self._list() if operator.endswith("IN") else (self._constant(),))

    def _operator(self) -> str:
        for operator in ("<=", ">=", "!=", "<>", "=", "<", ">", "LIKE", "IN"):
            if self._is(operator):
                return "!=" if operator == "<>" else operator
        if self._is("NOT"):
            self._word("IN")
            return "NOT IN"
        raise self.wrong("an operator")

    def _list(self) -> tuple[Constant, ...]:
        self._word("(")
        constants = [self._constant()]
        while self._is(","):
            constants.append(self._constant())
        self._word(")")
        return tuple(constants)

    def _constant(self) -> Constant:
        token = self.peek()
        if token is None or token[0] == "sign":
            raise self.wrong("a value")
        self._at += 1
        kind, text = token
        if kind == "string":
            return Constant("string", re.sub(r"\\(.)", _unescaped, text[1:-1]))
        if kind in ("moment", "date", "number"):
            return Constant("moment" if kind == "moment" else "date" if kind == "date" else "number", text)
        if text.lower() not in ("true", "false", "null"):
            self._at -= 1
            raise self.wrong("a value")
        return Constant("word", text.lower())

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if not self._is("ORDER"):
            return ()
        self._word("BY")
        order = [self._direction()]
        while self._is(","):
            order.append(self._direction())
        return tuple(order)

    def _direction(self) -> tuple[str, bool]:
        name = self._name()
        return name, not self._is("ASC") and self._is("DESC")

    def _number(self, word: str) -> int | None:
        if not self._is(word):
            return None
        constant = self._constant()
        if constant.kind != "number" or not constant.text.isdigit():
            raise ApiError(400, "MALFORMED_QUERY", f"{word} takes a whole number, not {constant.text}")
        return int(constant.text)

    def _name(self) -> str:
        token = self.peek()
        if token is None or token[0] != "name":
            raise self.wrong("a name")
        self._at += 1
        return token[1]

    def _is(self, wanted: str) -> bool:
        token = self.peek()
        found = token is not None and token[0] in ("name", "sign") and token[1].upper() == wanted
        self._at += found
        return found

    def _word(self, wanted: str) -> None:
        if not self._is(wanted):
            raise self.wrong(wanted)


def tokens(text: str) -> Sequence[tuple[str, str]]:
    """The tokens of a query with their kinds."""
    found: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ApiError(400, "MALFORMED_QUERY", f"unexpected character: '{text[at:].strip()[:20]}'")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1])
