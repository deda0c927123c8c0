# SPDX-License-Identifier: GPL-3.0-or-later
"""From what stands there to what is wanted: which steps, which fields, and what is left to people."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trytond.pool import Pool
from trytond.transaction import Transaction

DOUBLE_DIGITS = 15

STEPS = {
    ("request", "released"): ("draft", "wait"),
    ("draft", "released"): ("wait",),
    ("request", "held"): ("draft",),
    ("waiting", "held"): ("draft",),
    ("assigned", "held"): ("wait", "draft"),
    ("request", "cancelled"): ("cancel",),
    ("draft", "cancelled"): ("cancel",),
    ("waiting", "cancelled"): ("cancel",),
    ("assigned", "cancelled"): ("cancel",),
}
"""State and wanted state → buttons. Running, done and cancelled productions are left as they are."""

TO_DRAFT = {"request": ("draft",), "draft": (), "waiting": ("draft",), "assigned": ("wait", "draft")}
"""The buttons that make the content changeable."""

EXPLODED = frozenset({"item", "quantity", "unit"})
"""What decides inputs and outputs."""


EMPTY = ("product", "bom", "unit", "quantity", "planned_date", "planned_start_date")
"""Fields that have no default, and that are looked at before they are set."""


class Refused(Exception):
    """This order can never become a production as it is; the message is for people."""


@dataclass(frozen=True)
class Wanted:
    """One job order as the bus wants it."""

    job_order_id: str
    version: str
    desired: str
    known: bool
    content: dict


def wanted_of(order):
    """The wanted order of a call's argument."""
    content = {name: order.get(name) for name in ("item", "unit", "reference")}
    content["quantity"] = str(order["quantity"])
    content["due"] = order["due"].isoformat() if order.get("due") else None
    return Wanted(order["job_order_id"], order["version"], order["desired"], bool(order.get("known")), content)


def bring_about(cls, wanted, production, assign):
    """Make or change the production. Raises Refused."""
    if production is None:
        if wanted.desired == "cancelled":
            return
        if wanted.known:
            raise Refused(
                f"production {wanted.job_order_id} was here and is gone: ask production why it was deleted, or "
                "cancel the order in the CRM"
            )
        production = cls(**dict.fromkeys(EMPTY), **cls.default_get(list(cls._fields), with_rec_name=False))
        production.lineshaft_id = wanted.job_order_id
        fill(production, wanted.content, set(wanted.content))
    elif (production.lineshaft_version or "") >= wanted.version:
        return
    else:
        change(cls, production, wanted)
    note(production, wanted)
    production.save()
    if not started(production):
        press(cls, production, STEPS.get((production.state, wanted.desired), ()))
        if assign and wanted.desired == "released" and production.state == "waiting":
            cls.assign_try([production])


def change(cls, production, wanted):
    """Write what is wanted otherwise than the last time; a planner's edit of anything else stays."""
    before = json.loads(production.lineshaft_wanted or "{}")
    changed = {name for name, value in wanted.content.items() if before.get(name) != value}
    if not changed or wanted.desired == "cancelled" or production.state not in TO_DRAFT or started(production):
        return
    press(cls, production, TO_DRAFT[production.state])
    fill(production, wanted.content, changed)


def note(production, wanted):
    """Keep what was wanted; content that was not written is still to be written should it become possible."""
    written = production.id is None or production.state == "draft"
    if written and wanted.desired != "cancelled":
        production.lineshaft_wanted = json.dumps(wanted.content, sort_keys=True)
    production.lineshaft_version = wanted.version
    production.lineshaft_desired = wanted.desired


def press(cls, production, buttons):
    """Press the buttons one by one, as a person would."""
    for button in buttons:
        getattr(cls, button)([production])


def started(production):
    """Whether people are at work on it, whatever the state says."""
    if production.state in {"running", "done"}:
        return True
    works = getattr(production, "works", None) or ()
    return any(cycle.state != "cancelled" for work in works for cycle in work.cycles)


def fill(production, content, names):
    """Set the fields `names` of a draft; inputs and outputs follow from the bill of material."""
    if "reference" in names:
        production.reference = content["reference"]
    if names & EXPLODED:
        explode(production, content)
    if "due" in names:
        production.planned_date = date.fromisoformat(content["due"]) if content["due"] else None
    if production.planned_date:
        production.set_planned_start_date()
    else:
        production.planned_start_date = None


def explode(production, content):
    """Product, quantity, bill of material, routing, and the moves that only the desktop client would make."""
    from .production import product_of

    product = product_of(content["item"])
    if production.product != product:
        production.product = product
        _route(production, product.get_bom())
    production.unit = _unit(content["unit"], product)
    production.quantity = _quantity(content["quantity"], production.unit)
    if production.bom:
        production.explode_bom()
    else:
        production.outputs = [production._move("output", product, production.unit, production.quantity)]


def _route(production, product_bom):
    production.bom = product_bom.bom if product_bom else None
    if hasattr(production.__class__, "routing"):
        production.routing = product_bom.routing if product_bom else None
        if hasattr(production.__class__, "work_center"):
            production.work_center = _center(production) if production.routing else None


def _center(production):
    """The plant's topmost work center; the routing's steps then pick those below it by their category."""
    domain = [
        ("parent", "=", None),
        ("company", "=", Transaction().context.get("company")),
        ("warehouse", "=", production.warehouse.id if production.warehouse else None),
    ]
    found = Pool().get("production.work.center").search(domain, order=[("id", "ASC")], limit=1)
    if not found:
        raise Refused("the product has a routing, but its warehouse has no work center")
    return found[0]


def _unit(name, product):
    domain = [("category", "=", product.default_uom.category.id), ["OR", ("symbol", "=", name), ("name", "=", name)]]
    units = Pool().get("product.uom").search(domain, limit=1)
    if not units:
        raise Refused(f"the product {product.code!r} is not measured in {name!r} but in {product.default_uom.symbol}")
    return units[0]


def _quantity(text, unit):
    """Tryton keeps quantities as doubles, rounded to the unit's digits: what would be altered is refused."""
    exact = Decimal(text)
    if Decimal(str(unit.round(float(exact)))) != exact or len(exact.normalize().as_tuple().digits) > DOUBLE_DIGITS:
        raise Refused(f"the quantity {text} has more digits than the unit {unit.symbol} keeps")
    return float(exact)
