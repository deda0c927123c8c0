"""Whether the server is one that the configuration means: the company of the bus's user, and the modules.

The company comes first, and is asked for without naming it: Tryton 8.2 keeps for each user which companies it may see
as the first call after a start found them. A call for a company that is not the user's leaves that none, and then
everybody with that user reads nothing, without an error.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.errors import ConfigError
from connectors.tryton.client import Client

MODULES = "ir.model"
FIELDS = "ir.model.field"
OURS = "lineshaft_"
ALL = "all"


def check_server(client: Client, models: Iterable[str], paths: Iterable[str] = ()) -> None:
    """Raises ConfigError where the bus's user does not see the company, or the server lacks one of the models.

    Of the fields at `paths` those must be there that our own module adds.
    """
    _check_company(client)
    _check_models(client, models)
    _check_fields(client, {name for path in paths for name in path.split(".") if name.startswith(OURS)})


def _check_models(client: Client, models: Iterable[str]) -> None:
    wanted = set(models)
    found = client.search(MODULES, [["name", "in", sorted(wanted)]], ["name"])
    missing = wanted - {str(record.get("name")) for record in found}
    if missing:
        remedy = "Activate the Tryton modules that docs/tryton.md names, our own `lineshaft` among them."
        raise ConfigError("database", f"the server has no {', '.join(sorted(missing))}.", remedy)


def _check_fields(client: Client, wanted: set[str]) -> None:
    found = client.search(FIELDS, [["name", "in", sorted(wanted)]], ["name"]) if wanted else []
    missing = wanted - {str(record.get("name")) for record in found}
    if missing:
        problem = (
            f"the server's module `lineshaft` is older than this connector: it has no {', '.join(sorted(missing))}."
        )
        raise ConfigError("database", problem, "Update the module on the server, as docs/tryton.md says.")


def _check_company(client: Client) -> None:
    own = client.preferences()
    current, several = own.get("company"), own.get("companies")
    seen = several if own.get("company_filter") == ALL and isinstance(several, list) else [current]
    if client.company not in seen:
        problem = f"the bus's user does not see company {client.company}; it sees {_listed(seen)}."
        remedy = "Make it the user's current company, or let the user see all of its companies (Company Filter)."
        raise ConfigError("company", problem, remedy)


def _listed(companies: Iterable[object]) -> str:
    return ", ".join(str(each) for each in companies if each is not None) or "none"
