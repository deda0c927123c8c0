# SPDX-License-Identifier: GPL-3.0-or-later
"""How far production is with a sale, told by the bus.

It is a record of its own: a status written into the sale would clash with whoever has the sale open, and would look
like a change of the sale.
"""

from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.model.exceptions import SQLConstraintError
from trytond.pool import Pool
from trytond.rpc import RPC
from trytond.transaction import Transaction

from .deletion import twin

FIELDS = ("order_key", "version", "state", "percent", "good", "scrap", "rework", "forecast", "late", "reason")


class Status(ModelSQL, ModelView):
    """The production status of one sale."""

    __name__ = "lineshaft.status"
    _rec_name = "state"

    sale = fields.Many2One("sale.sale", "Sale", required=True, readonly=True, ondelete="CASCADE")
    order_key = fields.Char("Order Key", required=True, readonly=True)
    version = fields.Char("Version", required=True, readonly=True, help="20 digits, so that it sorts as a number.")
    state = fields.Char("State", required=True, readonly=True)
    percent = fields.Integer("Percent", readonly=True)
    good = fields.Numeric("Good", readonly=True)
    scrap = fields.Numeric("Scrap", readonly=True)
    rework = fields.Numeric("Rework", readonly=True)
    forecast = fields.Date("Forecast", readonly=True)
    late = fields.Boolean("Late", readonly=True)
    reason = fields.Text("Reason", readonly=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        cls._sql_constraints.append(("sale_unique", Unique(table, table.sale), "lineshaft.msg_status_unique"))
        cls.__rpc__.update({"tell": RPC(readonly=False)})

    @classmethod
    def tell(cls, statuses):
        """Make each status what the bus says, all of them in this one transaction; the newer version stays.

        Gives one verdict for each: {"refused": null} where it is stored, else the reason.
        """
        cls.lock()
        return [{"refused": cls._tell(each)} for each in statuses]

    @classmethod
    def _tell(cls, status):
        Sale = Pool().get("sale.sale")  # noqa: N806
        company = Transaction().context.get("company")
        sales = Sale.search([("number", "=", status["number"]), ("company", "=", company)])
        if len(sales) != 1:
            return f"{len(sales)} sales of company {company} have the number {status['number']}"
        stored = cls.search([("sale", "=", sales[0].id)])
        record = stored[0] if stored else cls(sale=sales[0], version="")
        if record.version < status["version"]:
            for name in FIELDS:
                setattr(record, name, status.get(name))
            try:
                record.save()
            except SQLConstraintError as error:
                raise twin(error, "lineshaft.msg_status_unique") from error
        return None
