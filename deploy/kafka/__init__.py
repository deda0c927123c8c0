"""A real Apache Kafka from the package registries: no installation, no container, data kept between starts."""

from deploy.kafka.broker import EmbeddedKafka, Status, status, stop
from deploy.kafka.errors import BrokerError, FolderBusy, JarCorrupt, JarsUnreachable, JavaMissing, StartFailed

__all__ = [
    "BrokerError",
    "EmbeddedKafka",
    "FolderBusy",
    "JarCorrupt",
    "JarsUnreachable",
    "JavaMissing",
    "StartFailed",
    "Status",
    "status",
    "stop",
]
