"""A running Salesforce stand-in with what its tests need: a connector's config, raw HTTP, raw gRPC, a person."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import httpx
import jwt

from connectors.contract import Batch
from connectors.salesforce import SalesforceConfig
from connectors.salesforce.proto import pubsub_api_pb2_grpc as pb_grpc
from connectors.salesforce.simulator import Simulator
from connectors.salesforce.source import SalesforceSource
from schemas.document import Document, Value, from_json, to_json

PATIENCE_S = 20.0
PLACEHOLDER = re.compile(r"\$(\w+)")
DATA = "/services/data/v62.0/"

KEY_FILES = ("app.key", "tls/ca.pem", "tls/server.pem", "tls/server.key")
KEYS: dict[str, bytes] = {}
"""What the first stand-in of the session made; making keys anew for every test is slow."""


class Rig:
    """One stand-in; `known` are the ids that placeholders such as $order stand for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, content in KEYS.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        self.simulator = Simulator(folder)
        self.stand_in = self.simulator.start()
        KEYS.update({name: (folder / name).read_bytes() for name in KEY_FILES})
        self.ca = Path(str(self.stand_in.config["ca_file"]))
        self.http = httpx.Client(verify=ssl.create_default_context(cafile=str(self.ca)), timeout=PATIENCE_S)
        self.login_url = str(self.stand_in.config["login_url"])
        self.known: dict[str, str] = {}
        self.token = self.mint()

    def close(self) -> None:
        self.http.close()
        self.simulator.stop()

    def restart(self) -> None:
        self.simulator.stop()
        self.simulator.start()

    def config(self, **changes: object) -> SalesforceConfig:
        (self.folder / "key.pem").write_text(str(self.stand_in.config["private_key"]))
        values = {**self.stand_in.config, "private_key": f"${{file:{self.folder / 'key.pem'}}}", **changes}
        return SalesforceConfig.model_validate({name: value for name, value in values.items() if value is not None})

    def mint(self) -> str:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self.assertion()}
        answer = self.http.post(f"{self.login_url}/services/oauth2/token", data=form)
        return str(answer.json()["access_token"])

    def assertion(self, **changes: object) -> str:
        claims = {
            "iss": self.stand_in.config["consumer_key"],
            "sub": self.stand_in.config["username"],
            "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 100,
            **changes,
        }
        return jwt.encode(claims, str(self.stand_in.config["private_key"]), "RS256")

    def data(
        self, method: str, path: str, body: Value = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """One raw call; a path that begins with a slash is used as it is."""
        url = self.login_url + (path if path.startswith("/") else DATA + path)
        content = None if body is None else to_json(body).encode()
        own = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        return self.http.request(method, url, content=content, headers=own)

    def made(self, method: str, path: str, body: Value = None) -> dict[str, Any]:
        answer = self.data(method, path, body)
        assert answer.status_code < 300, answer.text
        return cast("dict[str, Any]", from_json(answer.content)) if answer.content else {}

    def soql(self, query: str) -> list[dict[str, Any]]:
        answer = self.http.get(
            f"{self.login_url}{DATA}query", params={"q": query}, headers={"Authorization": f"Bearer {self.token}"}
        )
        assert answer.status_code == 200, answer.text
        return cast("list[dict[str, Any]]", cast("dict[str, Any]", from_json(answer.content))["records"])

    def furnish(self) -> None:
        """$account, $product, $order (a draft with the line $line)."""
        self.known["account"] = self.made("POST", "sobjects/Account", {"Name": "Acme"})["id"]
        product: Value = {"Name": "Pump", "ProductCode": "P-100"}
        self.known["product"] = self.made("POST", "sobjects/Product2", product)["id"]
        self.known["order"] = self.order()
        self.known["line"] = self.line(self.known["order"])

    def order(self, **fields: Value) -> str:
        body: Value = {"AccountId": self.known["account"], "EffectiveDate": "2026-05-01", **fields}
        return str(self.made("POST", "sobjects/Order", body)["id"])

    def line(self, order: str, quantity: Value = 10) -> str:
        body: Value = {"OrderId": order, "Product2Id": self.known["product"], "Quantity": quantity}
        return str(self.made("POST", "sobjects/OrderItem", body)["id"])

    def person(self, method: str, path: str, body: Value = None) -> None:
        answer = self.http.request(method, f"{self.stand_in.control}/person/{path}", content=to_json(body or {}))
        assert answer.status_code == 200, answer.text

    def settings(self, **changes: Value) -> None:
        answer = self.http.post(f"{self.stand_in.control}/settings", content=to_json(changes))
        assert answer.status_code == 200, answer.text

    def fault(self, kind: str, times: int = 1, match: Value = None, **arguments: Value) -> None:
        body: Value = {"kind": kind, "times": times, "match": match or {}, "arguments": arguments}
        answer = self.http.post(f"{self.stand_in.control}/faults", content=to_json(body))
        assert answer.status_code == 200, answer.text

    def faults(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.http.get(f"{self.stand_in.control}/faults").json())

    def release(self) -> None:
        self.http.post(f"{self.stand_in.control}/release")

    def ledger(self, kind: str) -> list[dict[str, Any]]:
        answer = self.http.get(f"{self.stand_in.control}/ledger", params={"kind": kind})
        return cast("list[dict[str, Any]]", cast("dict[str, Any]", from_json(answer.content))["entries"])

    def filled(self, value: Value) -> Value:
        """The value with $placeholders replaced."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda match: self.known.get(match[1], match[0]), value)
        if isinstance(value, Mapping):
            return {str(self.filled(name)): self.filled(item) for name, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    @contextmanager
    def stub(self) -> Iterator[pb_grpc.PubSubStub]:
        """A raw Pub/Sub client."""
        credentials = grpc.ssl_channel_credentials(self.ca.read_bytes())
        with grpc.secure_channel(str(self.stand_in.config["pubsub_endpoint"]), credentials) as channel:
            yield pb_grpc.PubSubStub(channel)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (
            ("accesstoken", self.token),
            ("instanceurl", self.login_url),
            ("tenantid", "00Dxx0000001gEREAY"),
        )


@contextmanager
def rig_in(folder: Path) -> Iterator[Rig]:
    rig = Rig(folder)
    try:
        rig.furnish()
        yield rig
    finally:
        rig.close()


class Reader:
    """A source under test with everything it has said."""

    def __init__(self, config: SalesforceConfig, position: Mapping[str, Value] | None = None) -> None:
        self.source = SalesforceSource(config)
        self.batches: list[Batch] = []
        self.source.open(position)

    def until(self, wanted: Any) -> list[Document]:
        """Poll until `wanted(reader)` is true; the documents of those polls."""
        begun, deadline = len(self.batches), time.monotonic() + PATIENCE_S
        while not wanted(self):
            assert time.monotonic() < deadline, f"it never came; so far: {self.batches[begun:]}"
            batch = self.source.poll(0.5)
            if batch is not None:
                self.batches.append(batch)
        return [document for batch in self.batches[begun:] for document in batch.documents]

    @property
    def documents(self) -> list[Document]:
        return [document for batch in self.batches for document in batch.documents]

    @property
    def position(self) -> Mapping[str, Value]:
        return self.batches[-1].position

    @property
    def replay(self) -> dict[str, str]:
        """The replay ids of the newest position, by topic."""
        return replay_of(self.batches[-1])

    @property
    def caught_up(self) -> bool:
        return bool(self.batches) and self.batches[-1].complete and not self.position["walks"]

    def next_about(self, order_id: str) -> Document:
        """The next document of an order."""
        begun = len(self.documents)
        self.until(lambda reader: any(each.id == order_id for each in reader.documents[begun:]))
        return next(each for each in self.documents[begun:] if each.id == order_id)


def replay_of(batch: Batch) -> dict[str, str]:
    return dict(cast("Mapping[str, str]", batch.position["replay"]))


def lines_of(document: Document) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", document.fields["OrderItems"])


@contextmanager
def reading(config: SalesforceConfig, position: Mapping[str, Value] | None = None) -> Iterator[Reader]:
    """A source that has caught up."""
    reader = Reader(config, position)
    try:
        reader.until(lambda each: each.caught_up)
        yield reader
    finally:
        reader.source.close()
