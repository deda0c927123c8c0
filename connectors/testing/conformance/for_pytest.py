"""The suite as a pytest class: one test per rule, named after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.testing.benches import BenchFactory
from connectors.testing.conformance.catalog import chosen
from connectors.testing.conformance.rule import Rule
from connectors.testing.conformance.session import Session

LONG = "conformance-long"


def suite_class(factory: BenchFactory, *, long: bool) -> type:
    """See `connectors.testing.conformance.suite_of`."""

    class Conformance:
        @pytest.fixture(scope="class")
        @classmethod
        def session(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
            session = Session(factory, tmp_path_factory.mktemp("conformance"))
            yield session
            session.close()

        @pytest.mark.parametrize("rule", chosen(long=long), ids=str)
        def test_rule(self, session: Session, rule: Rule) -> None:
            outcome = session.run(rule)
            if outcome.verdict in ("does not apply", "not yet"):
                pytest.skip(f"{outcome.verdict}: {outcome.reason}")
            if outcome.verdict == "failed":
                pytest.fail(f"{outcome.what}\n{outcome.reason}\n{outcome.why}", pytrace=False)

    return Conformance
