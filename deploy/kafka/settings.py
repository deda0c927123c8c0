"""What the embedded broker is told: settings, logging and the flags of its Java, measured for a laptop."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
    "controller.listener.names": "CONTROLLER",
    # a topic exists because `topics apply` made it with the right partitions and retention
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    # longer than the 30 days for which delivery topics keep their records
    "offsets.retention.minutes": "129600",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    # with the default of 10 s a killed worker blinds the others that much longer
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # the default of 128 MB alone is more than the whole heap
    "log.cleaner.dedupe.buffer.size": "2097152",
    "num.network.threads": "2",
    "num.io.threads": "4",
}

STARTED = "Kafka Server started"
"""The line on standard output that says the broker takes requests."""

LOGGING = """\
<Configuration status="error">
  <Appenders>
    <RollingFile name="file" fileName="{log}" filePattern="{log}.%i">
      <PatternLayout pattern="%d{{ISO8601}} %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="10MB"/>
      <DefaultRolloverStrategy max="2"/>
    </RollingFile>
    <Console name="console"><PatternLayout pattern="%d{{ISO8601}} %p %m (%c)%n"/></Console>
  </Appenders>
  <Loggers>
    <Root level="info"><AppenderRef ref="file"/><AppenderRef ref="console" level="error"/></Root>
    <Logger name="kafka.server.KafkaRaftServer" level="info"><AppenderRef ref="console" level="info"/></Logger>
  </Loggers>
</Configuration>
"""


@dataclass(frozen=True)
class Ports:
    """The two loopback ports of one broker."""

    client: int
    controller: int

    @property
    def bootstrap(self) -> str:
        """What a Kafka client is given."""
        return f"127.0.0.1:{self.client}"


def free_ports(wanted: Ports | None) -> Ports:
    """`wanted` where both are free, so that clients find a restarted broker again; else two that are free now."""
    if wanted and all(_is_free(port) for port in (wanted.client, wanted.controller)):
        return wanted
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return Ports(one.getsockname()[1], two.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what the broker's own socket does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def properties(ports: Ports, data: Path) -> str:
    """The broker's settings file, its records under `data`."""
    addresses = {
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "listeners": f"CLIENT://127.0.0.1:{ports.client},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{ports.client}",
        "log.dirs": str(data).replace("\\", "\\\\"),
    }
    return "".join(f"{key}={value}\n" for key, value in {**SETTINGS, **addresses}.items())


def java_flags(heap_mb: int, logging: Path) -> Sequence[str]:
    """Small and quick to start rather than fast for ever; out of memory ends the broker, it does not cripple it."""
    return (
        f"-Xms{min(64, heap_mb)}m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        f"-Dlog4j2.configurationFile={logging.as_uri()}",
    )
