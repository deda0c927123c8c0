"""Founds a small company in an empty Tryton database: it sells and it makes.

Run by the server's own interpreter, with TRYTOND_CONFIG and DB_NAME set; prints the company's facts as JSON.
"""

import json
from decimal import Decimal
from secrets import token_urlsafe

from proteus import Model, config
from trytond.modules.company.tests.tools import create_company

LOGIN = "lineshaft"
PEOPLE = "people"
OPERATIONS = (("sawing", "SAW-1"), ("milling", "MILL-2"), ("assembly", "ASSY-1"))
PRODUCTS = (("P-100", "Bracket"), ("P-200", "Housing"), ("P-300", "Shaft"))
WITHOUT_BILL = ("P-400", "Pin")
MATERIAL = "R-1"
STOCK = 100_000_000


def unit():
    """Pieces."""
    return Model.get("product.uom").find([("symbol", "=", "u")])[0]


def bus_user():
    """The bus's user and its key: may do all that sellers, planners and workers may."""
    user = Model.get("res.user")(name="Lineshaft", login=LOGIN)
    user.companies.append(company())
    user.company = company()
    for group in Model.get("res.group").find([("name", "not ilike", "%admin%")]):
        user.groups.append(group)
    user.save()
    application = Model.get("res.user.application")(user=user, application="rest", state="validated")
    application.save()
    return application.key


def people():
    """The person who is everybody: may do all, and works with Tryton as its own clients do, by login and password."""
    user = Model.get("res.user")(name="Everybody", login=PEOPLE)
    user.password = token_urlsafe()
    password = user.password
    user.companies.append(company())
    user.company = company()
    for group in Model.get("res.group").find():
        user.groups.append(group)
    user.save()
    return {"login": PEOPLE, "password": password}


def company():
    """The one company."""
    return Model.get("company.company").find()[0]


def good(code, name, producible):
    """A product that is kept in stock, can be sold, and is made or bought."""
    template = Model.get("product.template")(name=name, code=code, default_uom=unit(), type="goods")
    template.list_price = Decimal("10")
    template.salable = producible
    template.producible = producible
    if producible:
        template.sale_uom = unit()
    template.products[0].cost_price = Decimal("4")
    template.save()
    return template.products[0]


def work_centers():
    """A root and one center per operation; gives the operations."""
    center_of, category_of, operation_of = (
        Model.get(f"production.{name}") for name in ("work.center", "work.center.category", "routing.operation")
    )
    root = center_of(name="Plant")
    root.save()
    found = []
    for name, machine in OPERATIONS:
        category = category_of(name=name)
        category.save()
        center_of(name=machine, parent=root, category=category).save()
        operation = operation_of(name=name, work_center_category=category)
        operation.save()
        found.append(operation)
    return found


def bill_of_material(product, material, operations):
    """Two pieces of material for each product, and a routing over all operations."""
    bom = Model.get("production.bom")(name=product.code)
    bom.inputs.new(product=material, quantity=2)
    bom.outputs.new(product=product, quantity=1)
    bom.save()
    routing = Model.get("production.routing")(name=product.code)
    routing.boms.append(bom)
    for operation in operations:
        routing.steps.new(operation=operation)
    routing.save()
    product.boms.new(bom=bom, routing=routing)
    product.save()


def stock(material):
    """Enough material."""
    storage = Model.get("stock.location").find([("code", "=", "STO")])[0]
    inventory = Model.get("stock.inventory")(location=storage)
    inventory.lines.new(product=material, quantity=STOCK)
    inventory.click("confirm")


def customers():
    """Parties with an address, as sales need one."""
    found = {}
    for name in ("Acme", "Bolt & Söhne 有限公司"):
        party = Model.get("party.party")(name=name)
        party.addresses[0].street = "1 Main Street"
        party.save()
        found[name] = {"party": party.id, "address": party.addresses[0].id}
    return found


def sales_without_accounts():
    """No chart of accounts is needed where nothing is invoiced."""
    settings = Model.get("sale.configuration")(1)
    settings.sale_invoice_method = "manual"
    settings.sale_shipment_method = "order"
    settings.save()


def quality():
    """A rule to inspect by, which only a quality manager may make."""
    control = Model.get("quality.control")(name="Gauge", company=company())
    control.frequency = 1
    control.points.new(name="fits", string="Fits", type_="boolean")
    control.save()
    return control.id


def complaint_type():
    """A kind of complaint about sales, which only an administrator of sales may make."""
    origin = Model.get("ir.model").find([("name", "=", "sale.sale")])[0]
    kind = Model.get("sale.complaint.type")(name="Damaged", origin=origin)
    kind.save()
    return kind.id


def main():
    """Found the company."""
    config.set_trytond()
    create_company()
    material = good(MATERIAL, "Bar", producible=False)
    operations = work_centers()
    made = [good(code, name, producible=True) for code, name in PRODUCTS]
    for product in made:
        bill_of_material(product, material, operations)
    made.append(good(*WITHOUT_BILL, producible=True))
    stock(material)
    sales_without_accounts()
    facts = {
        "company": company().id,
        "login": LOGIN,
        "unit": unit().id,
        "products": {product.code: product.id for product in [*made, material]},
        "customers": customers(),
        "control": quality(),
        "complaint_type": complaint_type(),
        "key": bus_user(),
        "people": people(),
    }
    print(json.dumps(facts))


main()
