"""A running company of the kit: its facts, the person who is everybody in it, and its dates as Tryton writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import cast

from deploy.tryton_server.person import Json, Person, Refused, Table
from deploy.tryton_server.server import TrytonServer


class Company:
    """One company in one database of a running server."""

    def __init__(self, facts: Mapping[str, object], person: Person) -> None:
        self._facts, self.person = facts, person

    @classmethod
    def of(cls, server: TrytonServer, database: str) -> Company:
        """The company of that database; the person logs in."""
        people, company = cast("Table", server.facts["people"]), int(str(server.facts["company"]))
        person = Person(server.url, database, company, str(people["login"]), str(people["password"]))
        return cls(server.facts, person)

    def close(self) -> None:
        """The person goes home. Safe twice."""
        self.person.close()

    @property
    def unit(self) -> int:
        """The id of pieces."""
        return int(str(self._facts["unit"]))

    def product(self, code: str) -> int:
        """The id of a product."""
        return int(str(cast("Table", self._facts["products"])[code]))

    def customer(self, name: str) -> Table:
        """A customer's party and address."""
        return cast("Table", cast("Table", self._facts["customers"])[name])

    def enter(self, model: str, values: Table, record: int | None = None) -> int:
        """A person makes a record, or changes one; its id. Raises ValueError for what Tryton would not keep."""
        for name, value in values.items():
            if isinstance(value, str) and value != value.strip():
                raise ValueError(f"{name}: Tryton strips the white space around {value!r}")
        try:
            if record is None:
                return self.person.create(model, [values])[0]
            self.person.call(model, "write", [record], values)
        except Refused as error:
            raise ValueError(str(error)) from error
        return record


def typed_day(text: object) -> Json:
    """A day as Tryton's JSON has it."""
    if text is None:
        return None
    at = date.fromisoformat(str(text))
    return {"__class__": "date", "year": at.year, "month": at.month, "day": at.day}


def iso_day(value: Json) -> str | None:
    """A day of Tryton's JSON as ISO 8601 text."""
    if not isinstance(value, dict):
        return None
    return date(*(int(str(value[name])) for name in ("year", "month", "day"))).isoformat()
