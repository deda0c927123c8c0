"""The order of the test files: long ones first, so that no process begins one when the others have nothing left."""

from __future__ import annotations

LONGEST = (
    "tests/integration/test_whole_bus.py",
    "tests/conformance/test_broken_connectors.py",
    "tests/integration/test_views.py",
    "tests/conformance/test_new_connector_elsewhere.py",
    "tests/conformance/test_connectors_page.py",
    "tests/integration/test_whole_examples.py",
    "tests/conformance/test_tryton_mes.py",
    "tests/conformance/test_tryton_crm.py",
)
"""Those known to take three quarters of a minute and more; `pytest --durations=0` measures them."""

PLACES = {name: place for place, name in enumerate(LONGEST)}


def place(test: str) -> int:
    """Where the file of a test id stands; those that are not long keep the order they have, behind the others."""
    return PLACES.get(test.partition("::")[0], len(PLACES))
