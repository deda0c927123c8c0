"""What every test may ask for: a real broker, names of its own, a raw client, and tools that may be missing."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from deploy.kafka import EmbeddedKafka
from tests.longest_first import place
from tests.raw_kafka import RawKafka

NEEDS = "needs "
PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # where servers lie; not everybody's path has them
NO_OBJECT = "does not apply: "  # a rule of the conformance suite says why it has no object in this connector
NUMBERS = itertools.count(1)

# a timing is never an assertion: neither of one example nor of how long its data took to draw
settings.register_profile("timeless", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """One embedded broker for the whole session; `broker.bootstrap` is its address."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), heap_mb=256) as running:
        yield running


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """A prefix that no other test of the session has, for topics, groups and transactional ids."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    return f"t{next(NUMBERS)}-{words}."


@pytest.fixture
def names(topic_prefix: str) -> Callable[[str], str]:
    """Turns `orders` into this test's own name for it."""
    return lambda name: topic_prefix + name


@pytest.fixture(scope="session")
def raw(broker: EmbeddedKafka) -> RawKafka:
    """A client of the session's broker that shares no code with the bus."""
    return RawKafka(broker.bootstrap)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See `tests.longest_first`."""
    items.sort(key=lambda item: place(item.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `needs(tool)` fails without the tool where CI=true, and is skipped elsewhere."""
    for mark in item.iter_markers("needs"):
        missing = [tool for tool in mark.args if shutil.which(tool, path=PATHS) is None]
        if missing and os.environ.get("CI") == "true":
            pytest.fail(f"{NEEDS}{', '.join(missing)}: name its package in .ci/apt.txt", pytrace=False)
        if missing:
            pytest.skip(f"{NEEDS}{', '.join(missing)}, which is not installed here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """No other skip is allowed: a test that is not run proves nothing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not _may_skip(report):
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file may not skip itself either."""
    report = yield
    if report.skipped:
        _refuse(report)
    return report


def _may_skip(report: pytest.TestReport) -> bool:
    return NEEDS in str(report.longrepr) or ("/conformance/" in report.nodeid and NO_OBJECT in str(report.longrepr))


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} skips itself; only the marker needs(tool) may skip: {report.longrepr}"
