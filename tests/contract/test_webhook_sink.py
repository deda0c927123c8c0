"""What the webhook sink sends to a receiver that verifies for itself, and what each answer means."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors.contract import Rejection, Sink, StandIn
from connectors.errors import AuthError, ConfigError, DataError, FarError, Throttled, TransientError, UnknownOutcome
from connectors.testing.running import RunningStandIn
from connectors.webhook import WebhookConfig, connector
from schemas.document import Document, Fields, Value

SECRET_PART = "secret-part"


class Tool(RunningStandIn):
    """The receiver, and sinks that are configured for it."""

    def sink(self, **changes: object) -> Sink:
        assert connector.sink is not None
        sink = connector.sink(WebhookConfig.model_validate(self.settings(**changes)))
        sink.open()
        return sink

    def write(self, *documents: Document, **changes: object) -> Sequence[Rejection]:
        with closing(self.sink(**changes)) as sink:
            return sink.write(documents)

    def taken(self, id: str) -> Value:
        return self.control(f"taken/{id}", method="GET")["taken"]


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    running = Tool(connector, tmp_path / "tool", timeout_s=1, requests_per_second=1000)
    running.start()
    yield running
    running.stop()


def order(id: str, version: int, **fields: Value) -> Document:
    return Document("WorkOrder", id, str(version), {"item": "P-1", **fields})


def test_a_document_arrives_signed_with_its_id_and_version(tool: Tool) -> None:
    assert tool.write(order("crm:1/L1", 1_718_150_400_000_000, due="2026-05-01")) == []
    assert tool.taken("crm:1/L1") == {
        "item": "P-1",
        "due": "2026-05-01",
        "id": "crm:1/L1",
        "version": 1_718_150_400_000_000,
    }


def test_a_repeat_is_the_same_message_and_changes_nothing(tool: Tool) -> None:
    tool.write(order("a", 1))
    tool.write(order("a", 1))
    tool.write(order("a", 2))
    messages = [entry["message"] for entry in tool.entries("push")]
    assert messages[0] == messages[1] != messages[2]
    assert [entry["version"] for entry in tool.entries("taken")] == [1, 2]


@pytest.mark.parametrize(
    ("status", "headers", "meaning", "wait_s"),
    [
        (401, {}, AuthError, None),
        (403, {}, AuthError, None),
        (410, {}, AuthError, None),
        (429, {"Retry-After": "7"}, Throttled, 7.0),
        (502, {}, Throttled, None),
        (503, {"Retry-After": "120"}, Throttled, 120.0),
        (504, {}, Throttled, None),
        (408, {}, TransientError, None),
        (500, {}, UnknownOutcome, None),
        (302, {"Location": "https://10.0.0.1/elsewhere"}, ConfigError, None),
        (308, {"Location": "https://example.com/"}, ConfigError, None),
    ],
)
def test_an_answer_that_is_not_the_documents_stops_the_batch(
    tool: Tool, status: int, headers: Fields, meaning: type[FarError], wait_s: float | None
) -> None:
    tool.fault("status", status=status, headers=headers)
    with pytest.raises(meaning) as met:
        tool.write(order("a", 1))
    assert type(met.value) is meaning
    assert getattr(met.value, "retry_after_s", None) == wait_s
    assert tool.taken("a") is None
    assert len(tool.entries("push")) == 1


def test_a_receiver_that_is_gone_for_good_tells_its_owner(tool: Tool) -> None:
    tool.fault("status", status=410)
    with pytest.raises(AuthError, match="switched this address off for good: ask its owner"):
        tool.write(order("a", 1))


@pytest.mark.parametrize("status", [400, 405, 413, 422])
def test_a_document_that_the_receiver_refuses_is_rejected_and_the_others_go_on(tool: Tool, status: int) -> None:
    tool.fault("status", match={"id": "b"}, status=status)
    (refused,) = tool.write(order("a", 1), order("b", 1), order("c", 1))
    assert (refused.index, type(refused.error)) == (1, DataError)
    assert tool.taken("c") is not None


def test_a_flow_that_is_switched_off_is_tried_again_later(tool: Tool) -> None:
    tool.fault("status", match={"id": "a"}, status=404)
    (later,) = tool.write(order("a", 1), order("b", 1))
    assert (later.index, type(later.error)) == (0, TransientError)


def test_a_push_without_an_answer_is_unknown_and_may_be_repeated(tool: Tool) -> None:
    tool.fault("swallow")
    with pytest.raises(UnknownOutcome):
        tool.write(order("a", 1))
    tool.write(order("a", 1))
    assert [entry["version"] for entry in tool.entries("taken")] == [1]


def test_a_receiver_that_does_not_answer_is_left_in_time(tool: Tool) -> None:
    tool.fault("hold")
    with pytest.raises(UnknownOutcome, match="no answer"):
        tool.write(order("a", 1))


def test_a_wrong_secret_is_an_auth_error(tool: Tool, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    with pytest.raises(AuthError, match="webhook-signature is wrong"):
        tool.write(order("a", 1), send_secret=f"${{file:{other}}}")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "[::1]"]
)
def test_an_address_inside_is_not_called_unless_it_is_allowed(tool: Tool, address: str) -> None:
    port = httpx.URL(str(tool.stand_in.control)).port
    with pytest.raises(ConfigError, match="not for the public"):
        tool.write(order("a", 1), url=f"https://{address}:{port}/hooks/{SECRET_PART}", allow=["10.2.0.0/16"])
    assert tool.entries("push") == []


def test_a_name_that_points_elsewhere_a_moment_later_is_not_followed(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return real("93.184.215.14" if len(asked) == 1 else "127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", _only_to("93.184.215.14"))
    with pytest.raises(TransientError), closing(tool.sink(allow=[], url="https://rebind.example/")) as sink:
        sink.write([order("a", 1)])


def _only_to(machine: str) -> Any:
    def connect(address: tuple[str, int], *rest: Any, **more: Any) -> Any:
        assert address[0] == machine
        raise OSError("nobody is there")

    return connect


def test_a_name_without_an_address_passes(tool: Tool) -> None:
    with pytest.raises(TransientError, match="not reachable"):
        tool.write(order("a", 1), url="https://nowhere.invalid/hook")


def test_neither_the_address_nor_the_secret_is_ever_shown(tool: Tool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    config = WebhookConfig.model_validate(tool.settings())
    shown = repr(config)
    for status in (200, 500, 401, 302):
        tool.fault("status", status=status)
        try:
            tool.write(order("a", 1))
        except FarError as error:
            shown += repr(error) + repr(error.__cause__)
    tool.fault("hold")
    with pytest.raises(UnknownOutcome) as met:
        tool.write(order("a", 1))
    ours = [f"{record.name} {record.getMessage()}" for record in caplog.records]
    assert SECRET_PART not in shown + repr(met.value) + repr(met.value.__cause__) + "".join(ours)
    assert "whsec_" not in shown


def test_a_document_that_does_not_fit_is_rejected(tool: Tool) -> None:
    (refused,) = tool.write(Document("Invoice", "a", "1", {}))
    assert "nothing says how Invoice is sent; there are WorkOrder" in str(refused.error)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "http://example.com/"}, "https://"),
        ({"url": None}, "url and send_secret are needed"),
        ({"receive_secret": None}, "receive_secret is missing"),
        ({"send": [{"document": "Order", "event": "a", "fields": {"x": "text"}}]}, "stands there twice"),
        ({"send": [{"document": "A", "event": "a", "fields": {"id": "text"}}]}, "the bus fills id itself"),
        ({"send": [{"document": "A", "event": "a b", "fields": {"x": "text"}}]}, "should match pattern"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(tool: Tool, change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        WebhookConfig.model_validate(tool.settings(**change))


def test_a_secret_that_is_none_of_the_standards_is_refused(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("whsec_c2hvcnQ=")
    with pytest.raises(ValidationError, match="24 to 64"):
        WebhookConfig.model_validate(tool.settings(send_secret=f"${{file:{tmp_path}/short}}"))


def test_where_pushes_are_only_taken_nothing_can_be_sent(tool: Tool) -> None:
    (refused,) = tool.write(order("a", 1), send=None, url=None, send_secret=None)
    assert "nothing says how WorkOrder is sent; there are none" in str(refused.error)


def test_a_stand_in_says_how_it_is_reached(tool: Tool) -> None:
    assert isinstance(tool.stand_in, StandIn)
