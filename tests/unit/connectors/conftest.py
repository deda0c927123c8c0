"""One far system on a socket for the tests of one file, gone before the next: some look for threads left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.connectors.far_server import Far, served


@pytest.fixture(scope="module")
def far_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    with served(tmp_path_factory.mktemp("far")) as far:
        yield far


@pytest.fixture
def far(far_server: Far) -> Iterator[Far]:
    """The far system, as if it had just been started."""
    yield far_server
    far_server.forget()
