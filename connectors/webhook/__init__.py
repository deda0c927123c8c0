"""Signed webhooks: pushes of any system as documents, and documents as pushes to any tool (Standard Webhooks)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Sink, Webhook
from connectors.contract import Simulator as AnySimulator
from connectors.record_fields import declared
from connectors.webhook.config import WebhookConfig
from connectors.webhook.receiving import WebhookReceiver
from connectors.webhook.sink import WebhookSink
from schemas.document import DocumentType

__all__ = ["WebhookConfig", "connector"]


def _documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    ours = narrowed(config, WebhookConfig)
    taken = [DocumentType(each.document, declared(each.fields, writable=False)) for each in ours.receive]
    return [*taken, *(DocumentType(each.document, declared(each.fields, writable=True)) for each in ours.send)]


def _webhook(config: ConnectorConfig) -> Webhook:
    return WebhookReceiver(narrowed(config, WebhookConfig))


def _sink(config: ConnectorConfig) -> Sink:
    return WebhookSink(narrowed(config, WebhookConfig))


def _simulator(folder: Path) -> AnySimulator:
    from connectors.webhook.simulator import Simulator  # a bus in production never loads the stand-in

    return Simulator(folder)


connector = Connector(
    name="webhook",
    config=WebhookConfig,
    documents=_documents,
    webhook=_webhook,
    sink=_sink,
    simulator=_simulator,
    summary="Webhooks: signed JSON taken at the ingress, and pushed to one address",
)
