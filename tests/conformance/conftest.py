"""The shop is installed, as a third party's package would be."""

from __future__ import annotations

from pathlib import Path

import pytest

INSTALLED = Path(__file__).with_name("shop") / "installed"


@pytest.fixture(scope="session", autouse=True)
def _the_shop_is_installed() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(INSTALLED)
        yield
