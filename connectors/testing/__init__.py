"""The kit that every stand-in is built from: sockets with TLS, state on disk, a ledger, scripted faults."""

from connectors.testing.backup import backup_routes
from connectors.testing.certificates import Certificates, issue
from connectors.testing.clock import Clock
from connectors.testing.control import Holds, control_routes
from connectors.testing.faults import Fault, Faults
from connectors.testing.ledger import Ledger
from connectors.testing.parts import Parts
from connectors.testing.ports import kept_port
from connectors.testing.served import Dropped, Served
from connectors.testing.store import RecordStore

__all__ = [
    "Certificates",
    "Clock",
    "Dropped",
    "Fault",
    "Faults",
    "Holds",
    "Ledger",
    "Parts",
    "RecordStore",
    "Served",
    "backup_routes",
    "control_routes",
    "issue",
    "kept_port",
]
