"""docs/webhook.md holds: its push becomes its document, and its document is sent as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from connectors.contract import Request
from connectors.signatures import StandardWebhooks, standard_key
from connectors.testing.running import RunningStandIn
from connectors.webhook import WebhookConfig, connector
from connectors.webhook.receiving import WebhookReceiver
from connectors.webhook.sink import WebhookSink
from schemas.document import Document, from_json
from tests.whole_example import lay, lint

PAGE = (Path(__file__).parents[2] / "docs" / "webhook.md").read_text("utf-8")
SHOP = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", PAGE, re.S)[0])["connectors"]["shop"]
PUSH, DOCUMENT, SENT = re.findall(r"```json\n(.*?)```", PAGE, re.S)


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[RunningStandIn]:
    running = RunningStandIn(connector, tmp_path / "tool")
    running.start()
    yield running
    running.stop()


def config(stand_in: RunningStandIn) -> WebhookConfig:
    """The page's settings, with the stand-in's address and secrets."""
    of_page = {name: SHOP[name] for name in ("receive", "send")}
    return WebhookConfig.model_validate(stand_in.settings(**of_page))


def test_the_push_of_the_page_becomes_the_document_of_the_page(stand_in: RunningStandIn) -> None:
    ours = config(stand_in)
    headers = StandardWebhooks([standard_key(ours.verifying[0])]).sign("msg_1", PUSH.encode())
    (document,) = WebhookReceiver(ours).receive(Request("POST", "/webhooks/shop", {}, headers, PUSH.encode()))
    assert (document.id, document.fields) == ("7", from_json(DOCUMENT))


def test_the_document_of_the_page_is_sent_as_the_page_says(stand_in: RunningStandIn) -> None:
    sent = from_json(SENT)
    assert isinstance(sent, dict)
    data = sent["data"]
    assert isinstance(data, dict)
    fields = {name: value for name, value in data.items() if name not in ("id", "version")}
    with closing(WebhookSink(config(stand_in))) as sink:
        sink.open()
        assert sink.write([Document("WorkOrder", str(data["id"]), str(data["version"]), fields)]) == []
    assert stand_in.control(f"taken/{data['id']}", method="GET")["taken"] == data
    (body,) = (entry["body"] for entry in stand_in.entries("taken"))
    assert body == sent


def test_every_setting_is_on_the_page() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert set(WebhookConfig.model_fields) - {"windows"} - told == set()
    assert SHOP.keys() <= {*WebhookConfig.model_fields, "type"}


def test_the_whole_example_of_the_page_has_nothing_to_be_mended(stand_in: RunningStandIn, tmp_path: Path) -> None:
    shop = {"type": "webhook", **stand_in.settings(receive=SHOP["receive"], send=SHOP["send"])}
    found = lint(lay(tmp_path / "project", ["webhook.md"], {"shop": shop}))
    assert [*found.problems, *(each for each in found.outcomes if not each.passed)] == []
    assert {each for each in found.unchecked if each.startswith("shop")} == set()
