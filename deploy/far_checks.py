"""Whether each connector's far side answers and lets the bus do what it is configured to do; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from connectors.config import ConnectorConfig
from connectors.contract import Sink, Source, Webhook
from deploy.findings import Finding, good, of_error
from deploy.project import Project
from streams.bus import Attached

CHECK = "connector"


def far_sides(project: Project) -> Iterator[Finding]:
    """Every side of every connector, in the order of the file; they are asked at the same time."""
    sides = [(attached, *side) for attached in project.connectors.values() for side in _sides(attached)]
    with ThreadPoolExecutor(max_workers=max(1, len(sides))) as pool:
        yield from pool.map(lambda side: _asked(*side), sides)


def _sides(attached: Attached) -> Iterator[tuple[str, Callable[[], None]]]:
    connector, config = attached.connector, attached.config
    if (source := connector.source) is not None:
        yield "source", lambda: _opened_source(source(config))
    if (sink := connector.sink) is not None:
        yield "sink", lambda: _opened_sink(sink(config))
    if (webhook := connector.webhook) is not None:
        yield "webhook", lambda: _made(webhook, config)


def _asked(attached: Attached, side: str, look: Callable[[], None]) -> Finding:
    of = f"{attached.name} {side}"
    try:
        look()
    except Exception as error:  # a defect is raised again by of_error
        return of_error(CHECK, of, error)
    return good(CHECK, of, SAYS[side])


SAYS = {
    "source": "answers, and everything configured may be read",
    "sink": "answers, and everything configured may be written",
    "webhook": "pushes can be verified",
}


def _opened_source(source: Source) -> None:
    try:
        source.open(None)
    finally:
        source.close()


def _opened_sink(sink: Sink) -> None:
    try:
        sink.open()
    finally:
        sink.close()


def _made(webhook: Callable[[ConnectorConfig], Webhook], config: ConnectorConfig) -> None:
    webhook(config)
