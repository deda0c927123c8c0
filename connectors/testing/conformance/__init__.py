"""The conformance suite: every promise of a connector as a named rule with its reason.

from connectors.testing.conformance import suite_of
from my_package.bench import MyBench
TestConformance = suite_of(MyBench)
"""

from connectors.testing.benches import BenchFactory
from connectors.testing.conformance.catalog import RULES, chosen
from connectors.testing.conformance.report import as_json, as_junit, as_table, in_words
from connectors.testing.conformance.rule import Rule
from connectors.testing.conformance.session import Outcome, Session, run

__all__ = [
    "RULES",
    "Outcome",
    "Rule",
    "Session",
    "as_json",
    "as_junit",
    "as_table",
    "chosen",
    "in_words",
    "run",
    "suite_of",
]


def suite_of(factory: BenchFactory, *, long: bool = False) -> type:
    """A pytest class with one test per rule against this bench; with `long` the rules that take their time as well.

    A rule that has no object is a skipped test whose reason begins with "does not apply"; one that waits for its
    bench, with "not yet".
    """
    from connectors.testing.conformance.for_pytest import suite_class  # the command runs where there is no pytest

    return suite_class(factory, long=long)
