"""One stand-in of a Salesforce org: REST, tokens and control on one HTTPS port, the Pub/Sub API on another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from connectors.contract import StandIn
from connectors.salesforce.proto import pubsub_api_pb2_grpc as pb_grpc
from connectors.salesforce.simulator.api import Service
from connectors.salesforce.simulator.auth import AUDIENCES, CLIENT_SECRET, CONSUMER_KEY, USERNAME, Sessions, app_key
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.pubsub import PubSub
from connectors.salesforce.simulator.web import Web
from connectors.testing import Certificates, Faults, Ledger, Served, issue, kept_port

STREAMS = 64
"""Subscribers at a time; each takes a thread."""


class Simulator:
    """The stand-in whose state lives in `folder`; may be started again after a stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._served: Served | None = None
        self._rpc: Rpc | None = None
        self._org: Org | None = None
        self._ledger: Ledger | None = None

    def start(self) -> StandIn:
        """Listen; see `connectors.contract.Simulator.start`."""
        certificates = issue(self._folder / "tls")
        rest, rpc = kept_port(self._folder, "rest"), kept_port(self._folder, "pubsub")
        key = app_key(self._folder)
        self._ledger = Ledger(self._folder / "ledger.jsonl")
        self._org = Org(self._folder, Faults())
        address = f"https://localhost:{rest}"
        settings = self._org.settings
        sessions = Sessions(self._org.store, key, lambda: settings.text("instance_url") or address)
        web = Web(Service(self._org), sessions, self._ledger, self._org.faults)
        self._served = Served(web.application(), rest, certificates, self._org.clock)
        self._rpc = Rpc(PubSub(self._org, sessions, self._ledger), rpc, certificates)
        self._served.start()
        self._rpc.start()
        return StandIn(
            {
                "login_url": address,
                "flow": "jwt",
                "consumer_key": CONSUMER_KEY,
                "username": USERNAME,
                "private_key": key.private_pem,
                "audience": AUDIENCES[0],
                "pubsub_endpoint": f"localhost:{rpc}",
                "ca_file": str(certificates.ca),
            },
            f"{address}/_control",
            certificates.ca,
            {"address": address, "consumer_key": CONSUMER_KEY, "client_secret": CLIENT_SECRET},
        )

    def stop(self) -> None:
        """Stop listening; the state stays. Safe when not started, also twice."""
        if self._rpc is not None:
            self._rpc.stop()
        if self._served is not None:
            self._served.stop()
        if self._org is not None:
            self._org.close()
        if self._ledger is not None:
            self._ledger.close()
        self._served = self._rpc = self._org = self._ledger = None


class Rpc:
    """The gRPC server with TLS."""

    def __init__(self, servicer: PubSub, port: int, certificates: Certificates) -> None:
        self._servicer = servicer
        self._threads = ThreadPoolExecutor(STREAMS, thread_name_prefix="stand-in-rpc")
        self._server = grpc.server(self._threads)
        pb_grpc.add_PubSubServicer_to_server(servicer, self._server)
        pair = (certificates.key.read_bytes(), certificates.certificate.read_bytes())
        self._server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([pair]))

    def start(self) -> None:
        """Accept calls."""
        self._server.start()

    def stop(self) -> None:
        """End all calls and wait for their threads."""
        self._servicer.stop()
        self._server.stop(grace=0).wait()
        self._threads.shutdown()
