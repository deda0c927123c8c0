# SPDX-License-Identifier: GPL-3.0-or-later
"""What was deleted: a record that is gone leaves no trace in a search, so its trace is kept here."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from sql.conditionals import Coalesce
from trytond import backend
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, fields
from trytond.pool import Pool


class Deletion(ModelSQL):
    """One deleted record, and the whole record that it was part of (itself where it was one)."""

    __name__ = "lineshaft.deletion"

    model = fields.Char("Model", required=True, readonly=True)
    record = fields.Integer("Record", required=True, readonly=True)
    root_model = fields.Char("Root Model", required=True, readonly=True)
    root = fields.Integer("Root", required=True, readonly=True)
    company = fields.Many2One("company.company", "Company", readonly=True, ondelete="CASCADE")
    content = fields.Text("Content", readonly=True, help="The last known content of a whole record, as JSON.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        cls._sql_indexes.add(Index(table, (table.root_model, Index.Equality()), (table.root, Index.Equality())))


def index_changes(cls: type[ModelSQL]) -> None:
    """Have an index by the time of the last change, which every look of the bus asks for."""
    table = cls.__table__()
    cls._sql_indexes.add(Index(table, (Coalesce(table.write_date, table.create_date), Index.Range())))


def bury(
    records: Sequence[ModelSQL], root_of: Callable[[ModelSQL], ModelSQL | None], kept: Sequence[str] = ()
) -> None:
    """Note records that are about to be deleted; those that belong to no whole record are left out."""
    Deletion = Pool().get("lineshaft.deletion")  # noqa: N806 - Tryton's own way to write a model
    found = []
    for record in records:
        root = root_of(record)
        if root is None:
            continue
        content = {name: getattr(record, name) for name in kept} if root is record else {}
        found.append(
            {
                "model": record.__name__,
                "record": record.id,
                "root_model": root.__name__,
                "root": root.id,
                "company": root.company.id if root.company else None,
                "content": json.dumps(content),
            }
        )
    Deletion.create(found)


def last_burial(getter: str) -> fields.Function:
    """A field of a whole record: when a part of it was last deleted, in the same answer as its other fields."""
    return fields.Function(fields.Timestamp("Part Deleted"), getter)


def burials(records: Sequence[ModelSQL]) -> dict[int, datetime | None]:
    """When a part of each whole record was last deleted, by its id."""
    Deletion = Pool().get("lineshaft.deletion")  # noqa: N806
    ids = [record.id for record in records]
    of_these = [("root_model", "=", records[0].__name__), ("root", "in", ids)]
    found = Deletion.search(of_these, order=[("create_date", "ASC")])
    return {**dict.fromkeys(ids), **{each.root: each.create_date for each in found}}


def twin(error: Exception, message: str) -> Exception:
    """What to raise where a record broke a constraint: for the constraint of that message the server's own retry.

    SQLite has no table lock: another call may have made the record since we looked, and the next try will find it.
    """
    if error.message == gettext(message):
        return backend.DatabaseOperationalError(error.message)
    return error
