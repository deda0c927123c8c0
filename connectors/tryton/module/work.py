# SPDX-License-Identifier: GPL-3.0-or-later
"""Work reports with quantities: Tryton's own cycles know durations only."""

from trytond.model import fields
from trytond.pool import PoolMeta
from trytond.pyson import Eval

from .deletion import bury, index_changes

LOCKED = {"readonly": Eval("state").in_(["done", "cancelled"])}


class Work(metaclass=PoolMeta):
    """One operation of a production."""

    __name__ = "production.work"

    @classmethod
    def __setup__(cls):
        super().__setup__()
        index_changes(cls)

    @classmethod
    def on_modification(cls, mode, works, field_names=None):
        """Note a deletion, which need not touch the production itself."""
        super().on_modification(mode, works, field_names=field_names)
        if mode == "delete":
            bury(works, lambda work: work.production)


class Cycle(metaclass=PoolMeta):
    """One report of work on an operation."""

    __name__ = "production.work.cycle"

    lineshaft_good = fields.Float("Good", states=LOCKED, help="Good parts of this cycle.")
    lineshaft_scrap = fields.Float("Scrap", states=LOCKED, help="Scrapped parts of this cycle.")
    lineshaft_rework = fields.Float("Rework", states=LOCKED, help="Parts reworked in this cycle.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        index_changes(cls)

    @classmethod
    def on_modification(cls, mode, cycles, field_names=None):
        """Note a deletion, which need not touch the production itself."""
        super().on_modification(mode, cycles, field_names=field_names)
        if mode == "delete":
            bury(cycles, lambda cycle: cycle.work.production)
