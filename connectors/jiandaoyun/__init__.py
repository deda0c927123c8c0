"""JianDaoYun (简道云), a no-code platform, as a light MES: one form of work orders. Contract: open API v5."""

from __future__ import annotations

from pathlib import Path

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Sink, Source, Webhook
from connectors.contract import Simulator as AnySimulator
from connectors.errors import ConfigError
from connectors.jiandaoyun.client import Client
from connectors.jiandaoyun.config import JianDaoYunConfig
from connectors.jiandaoyun.documents import Reader, documents
from connectors.jiandaoyun.limits import ENDPOINTS
from connectors.jiandaoyun.sink import JianDaoYunSink
from connectors.jiandaoyun.source import JianDaoYunSource
from connectors.jiandaoyun.webhook import JianDaoYunWebhook
from connectors.pace import Pace

__all__ = ["JianDaoYunConfig", "connector"]


def _source(config: ConnectorConfig) -> Source:
    ours = narrowed(config, JianDaoYunConfig)
    system = f"{ours.app_id}/{ours.entry_id}"
    return JianDaoYunSource(Client(ours), Reader(ours.utc_offset_hours), system, ours.sweep_interval_s)


def _webhook(config: ConnectorConfig) -> Webhook:
    ours = narrowed(config, JianDaoYunConfig)
    if ours.webhook_secret is None:
        raise ConfigError("webhook_secret", "is missing.", "Copy the secret of the form's data push to a file.")
    secret = ours.webhook_secret.get_secret_value()
    form_id = (ours.app_id, ours.entry_id)
    pace = Pace(ours.requests_per_second, ENDPOINTS)
    reader = Reader(ours.utc_offset_hours)
    return JianDaoYunWebhook(lambda: Client(ours, pace=pace), reader, secret, form_id, pace=pace)


def _sink(config: ConnectorConfig) -> Sink:
    ours = narrowed(config, JianDaoYunConfig)
    return JianDaoYunSink(Client(ours), Reader(ours.utc_offset_hours))


def _simulator(folder: Path) -> AnySimulator:
    from connectors.jiandaoyun.simulator import Simulator  # a bus in production never loads the stand-in

    return Simulator(folder)


connector = Connector(
    name="jiandaoyun",
    config=JianDaoYunConfig,
    documents=documents,
    source=_source,
    webhook=_webhook,
    sink=_sink,
    simulator=_simulator,
    summary="JianDaoYun: work orders of a form, by sweep and by signed data push",
)
