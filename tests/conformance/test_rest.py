from pathlib import Path

from connectors.rest.bench import RestBench
from connectors.testing.bench import Bench
from connectors.testing.conformance import chosen, run, suite_of

TestConformance = suite_of(RestBench)

OF_A_DELTA = ("a-clock-behind-hides-no-change", "a-lost-cursor-loses-nothing")


def test_a_delta_keeps_what_is_said_of_clocks_and_lost_cursors(tmp_path: Path) -> None:
    def bench(folder: Path) -> Bench:
        return RestBench(folder, "odata")

    outcomes = run(bench, chosen(names=OF_A_DELTA), tmp_path)
    assert {each.rule: each.verdict + each.reason for each in outcomes} == dict.fromkeys(OF_A_DELTA, "passed")
