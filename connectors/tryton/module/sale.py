# SPDX-License-Identifier: GPL-3.0-or-later
"""Sales and complaints leave a trace when they or their lines are deleted."""

from trytond.pool import PoolMeta

from .deletion import burials, bury, index_changes, last_burial


class Sale(metaclass=PoolMeta):
    """A customer's order."""

    __name__ = "sale.sale"

    lineshaft_buried = last_burial("get_lineshaft_buried")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        index_changes(cls)

    @classmethod
    def on_modification(cls, mode, sales, field_names=None):
        """Note a deletion."""
        super().on_modification(mode, sales, field_names=field_names)
        if mode == "delete":
            bury(sales, lambda sale: sale, kept=("number", "reference"))

    @classmethod
    def get_lineshaft_buried(cls, records, name):
        """When a part of each was last deleted."""
        return burials(records)


class Line(metaclass=PoolMeta):
    """A line of a sale."""

    __name__ = "sale.line"

    @classmethod
    def __setup__(cls):
        super().__setup__()
        index_changes(cls)

    @classmethod
    def on_modification(cls, mode, lines, field_names=None):
        """Note a deletion, which need not touch the sale itself."""
        super().on_modification(mode, lines, field_names=field_names)
        if mode == "delete":
            bury(lines, lambda line: line.sale)


class Complaint(metaclass=PoolMeta):
    """A customer's complaint."""

    __name__ = "sale.complaint"

    lineshaft_buried = last_burial("get_lineshaft_buried")

    @classmethod
    def on_modification(cls, mode, complaints, field_names=None):
        """Note a deletion."""
        super().on_modification(mode, complaints, field_names=field_names)
        if mode == "delete":
            bury(complaints, lambda complaint: complaint, kept=("number",))

    @classmethod
    def get_lineshaft_buried(cls, records, name):
        """When a part of each was last deleted."""
        return burials(records)
