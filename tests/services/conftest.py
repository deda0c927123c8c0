"""The real services that `make services` tests against; `make test` does not come here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from deploy.kafka.progress import to_stderr
from schemas.registry import Registry
from tests.services.apicurio import Apicurio


@pytest.fixture(scope="session")
def apicurio(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Apicurio]:
    """One registry for the session; the download's progress is shown past pytest's capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    running = Apicurio(tmp_path_factory.mktemp("apicurio"), to_stderr)
    with capture.global_and_fixture_disabled():
        running.start()
    yield running
    running.stop()


@pytest.fixture
def far_side(apicurio: Apicurio) -> Iterator[httpx.Client]:
    """A plain HTTP client of the registry, for assertions."""
    with httpx.Client(base_url=apicurio.url, timeout=30.0) as client:
        yield client


@pytest.fixture
def registry(apicurio: Apicurio) -> Iterator[Callable[[], Registry]]:
    """Makes clients as different processes would have them: none knows what another has learnt."""
    with httpx.Client(timeout=30.0) as client:
        yield lambda: Registry(apicurio.url, client)
