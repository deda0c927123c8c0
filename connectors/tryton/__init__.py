"""Tryton 8.2, an open ERP, as CRM (sales) and as MES (productions), by its REST protocol and our own module."""

from __future__ import annotations

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Sink, Source
from connectors.tryton import productions, sales
from connectors.tryton.client import Client
from connectors.tryton.config import TrytonConfig, TrytonCrmConfig, TrytonMesConfig
from connectors.tryton.roots import Root
from connectors.tryton.sink import TrytonSink, Writing
from connectors.tryton.source import TrytonSource

__all__ = ["TrytonCrmConfig", "TrytonMesConfig", "crm", "mes"]


def _source(config: TrytonConfig, roots: list[Root]) -> Source:
    return TrytonSource(
        Client(config),
        roots,
        system=f"{config.database}/{config.company}",
        company=config.company,
        page_size=config.page_size,
        interval_s=config.poll_interval_s,
        overlap_s=config.overlap_s,
    )


def _crm_source(config: ConnectorConfig) -> Source:
    ours = narrowed(config, TrytonCrmConfig)
    return _source(ours, [sales.ROOTS[name] for name in ours.documents])


def _crm_sink(config: ConnectorConfig) -> Sink:
    writing = Writing("lineshaft.status", "tell", "statuses", 50, sales.status)
    return TrytonSink(Client(narrowed(config, TrytonCrmConfig)), writing)


def _mes_source(config: ConnectorConfig) -> Source:
    ours = narrowed(config, TrytonMesConfig)
    return _source(ours, [productions.ROOTS[name] for name in ours.documents])


def _mes_sink(config: ConnectorConfig) -> Sink:
    ours = narrowed(config, TrytonMesConfig)
    made, settings = productions.job_order, {"assign": ours.assign}
    return TrytonSink(Client(ours), Writing("production", "lineshaft_want", "orders", 10, made, settings))


crm = Connector(
    name="tryton-crm",
    config=TrytonCrmConfig,
    documents=sales.documents,
    source=_crm_source,
    sink=_crm_sink,
    summary="Tryton: sales by polling, and the status of their production",
)

mes = Connector(
    name="tryton-mes",
    config=TrytonMesConfig,
    documents=productions.documents,
    source=_mes_source,
    sink=_mes_sink,
    summary="Tryton: production orders, with their work, by polling",
)
