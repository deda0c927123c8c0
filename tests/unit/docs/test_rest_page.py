"""docs/rest.md holds: its connector runs against the shop, and every login and paging is on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import TypeAdapter

from connectors.answer_settings import STATUSES, WORDS
from connectors.login_settings import Login
from connectors.paging_settings import Paging
from connectors.rest import RestConfig, connector
from schemas.document import Document
from tests.contract.rest_shop import ShopBench, running, told

PAGE = (Path(__file__).parents[3] / "docs" / "rest.md").read_text("utf-8")
WHOLE, LOGINS, PAGINGS = (yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S))


def at_the_shop(value: Any, shop: ShopBench) -> Any:
    """The page's settings, for the stand-in instead of shop.example.com."""
    if isinstance(value, dict):
        return {name: at_the_shop(each, shop) for name, each in value.items()}
    if isinstance(value, list):
        return [at_the_shop(each, shop) for each in value]
    if value == "${file:secrets/shop}":
        return shop.secret("client_secret")
    return (
        value.replace("https://shop.example.com", str(shop.stand_in.person["url"]))
        if isinstance(value, str)
        else value
    )


def test_the_connector_on_the_page_reads_and_writes(tmp_path: Path) -> None:
    with running(tmp_path) as shop:
        settings = at_the_shop(WHOLE["connectors"]["shop"], shop)
        assert settings.pop("type") == connector.name
        config = RestConfig.model_validate({**settings, "ca_file": shop.stand_in.ca_file, "poll_interval_s": 0.01})
        made = shop.make(number="1", customer={"name": "Acme"}, due="2026-06-01")
        source = shop.source(config)
        try:
            (document,) = told(source).documents
        finally:
            source.close()
        assert (document.id, document.fields["customer"]) == (made, "Acme")
        assert connector.sink is not None
        sink = connector.sink(config)
        try:
            sink.open()
            version = {"version": f"{7:020d}"}
            status = Document("Status", "shop:1", "", {"state": "running", "percent": 5, **version})
            job = Document("Job", "shop:1/1", "", {"item": "P-1", "quantity": 2, **version})
            refused = Document("Job", "shop:1/2", "", {"item": "P-1", "quantity": -2, **version})
            assert [each.index for each in sink.write([status, job, refused])] == [2]
        finally:
            sink.close()
        assert shop.status("shop:1")["percent"] == 5
        assert [each["externalId"] for each in shop.jobs()] == ["shop:1/1"]


def kinds(union: object) -> set[str]:
    """The words for `type` that one of these settings may have."""
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields["type"].annotation)[0] for model in models}


@pytest.mark.parametrize(("shown", "settings"), [(LOGINS, Login), (PAGINGS, Paging)])
def test_every_login_and_paging_is_on_the_page_and_is_one(shown: list[Any], settings: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    for each in shown:
        read = {name: f"${{file:{secret}}}" if str(value).startswith("${") else value for name, value in each.items()}
        TypeAdapter(settings).validate_python(read)
    assert {each["type"] for each in shown} | {"whole"} == kinds(settings) | {"whole"}


def test_every_word_and_every_usual_status_of_an_error_is_on_the_page() -> None:
    told_last = PAGE.partition("- **An answer**")[2]
    assert [word for word in WORDS if f"`{word}`" not in told_last] == []
    assert [status for status in STATUSES if str(status) not in told_last] == []
