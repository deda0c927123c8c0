# SPDX-License-Identifier: GPL-3.0-or-later
"""Productions that the bus asks for: made once, brought to what is wanted, and never taken from people's hands."""

from trytond.model import Unique, fields
from trytond.model.exceptions import SQLConstraintError
from trytond.pool import Pool, PoolMeta
from trytond.rpc import RPC
from trytond.transaction import Transaction

from .deletion import burials, bury, index_changes, last_burial, twin
from .wanted import Refused, bring_about, wanted_of


class Production(metaclass=PoolMeta):
    """A production order."""

    __name__ = "production"

    lineshaft_id = fields.Char("Job Order", readonly=True, help="The bus's own id of the job order.")
    lineshaft_version = fields.Char("Job Order Version", readonly=True)
    lineshaft_desired = fields.Selection(
        [(None, ""), ("released", "Released"), ("held", "Held"), ("cancelled", "Cancelled")],
        "Wanted",
        readonly=True,
        help="What the customer's order wants; a cancellation of running production is a request.",
    )
    lineshaft_wanted = fields.Text("Wanted Content", readonly=True)
    lineshaft_buried = last_burial("get_lineshaft_buried")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        index_changes(cls)
        table = cls.__table__()
        unique = Unique(table, table.company, table.lineshaft_id)
        cls._sql_constraints.append(("lineshaft_id_unique", unique, "lineshaft.msg_job_order_unique"))
        cls.__rpc__.update({"lineshaft_want": RPC(readonly=False)})

    @classmethod
    def copy(cls, productions, default=None):
        """A copy is nobody's job order."""
        names = ("lineshaft_id", "lineshaft_version", "lineshaft_desired", "lineshaft_wanted")
        return super().copy(productions, default={**dict.fromkeys(names), **(default or {})})

    @classmethod
    def on_modification(cls, mode, productions, field_names=None):
        """Note a deletion."""
        super().on_modification(mode, productions, field_names=field_names)
        if mode == "delete":
            bury(productions, lambda production: production, kept=("number", "lineshaft_id", "state"))

    @classmethod
    def get_lineshaft_buried(cls, records, name):
        """When a part of each was last deleted."""
        return burials(records)

    @classmethod
    def lineshaft_want(cls, orders, assign=False):
        """Bring each production to what the bus wants, all of them in this one transaction; the newer version stays.

        `assign` reserves the material of a released one where there is enough. Gives one verdict for each order:
        {"refused": null} where all is done, else the reason; nothing was written for a refused one.
        """
        cls.lock()
        return [{"refused": cls._lineshaft_want(each, assign)} for each in orders]

    @classmethod
    def _lineshaft_want(cls, order, assign):
        company = Transaction().context.get("company")
        found = cls.search([("lineshaft_id", "=", order["job_order_id"]), ("company", "=", company)])
        try:
            bring_about(cls, wanted_of(order), found[0] if found else None, assign)
        except Refused as refused:
            return str(refused)
        except SQLConstraintError as error:
            raise twin(error, "lineshaft.msg_job_order_unique") from error
        return None


class Move(metaclass=PoolMeta):
    """Material that goes in and products that come out."""

    __name__ = "stock.move"

    @classmethod
    def __setup__(cls):
        super().__setup__()
        index_changes(cls)

    @classmethod
    def on_modification(cls, mode, moves, field_names=None):
        """Note a deletion, which need not touch the production itself."""
        super().on_modification(mode, moves, field_names=field_names)
        if mode == "delete":
            bury(moves, lambda move: move.production_input or move.production_output)


def product_of(code):
    """The one product that can be made and has this code."""
    products = Pool().get("product.product").search([("code", "=", code)])
    if len(products) != 1:
        raise Refused(f"{len(products)} products have the code {code!r}")
    if not products[0].producible:
        raise Refused(f"the product {code!r} is not producible: tick Producible, or make it elsewhere")
    return products[0]
