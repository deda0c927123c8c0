"""A source that is closed while it is about to call: the worker was told to stop, and nothing is wrong."""

from __future__ import annotations

import httpx
import pytest

from connectors.errors import TransientError
from connectors.http import send


def test_a_call_on_a_connection_that_was_closed_meanwhile_is_a_transient_error() -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    request = client.build_request("POST", "https://far.example/p")
    client.close()
    with pytest.raises(TransientError, match=r"far\.example: not called, the connection was closed"):
        send(client, request, "writes")


def test_a_defect_of_the_transport_is_no_far_error() -> None:
    def defect(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("a defect")

    with httpx.Client(transport=httpx.MockTransport(defect)) as client, pytest.raises(RuntimeError, match="a defect"):
        send(client, client.build_request("GET", "https://far.example/p"), "reads")
