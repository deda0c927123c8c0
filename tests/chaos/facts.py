"""What the checker looks at: plain values, read from the ledgers of the stand-ins and of the generator.

Nothing here was computed by the bus. A `job` is the id `crm:<order number>/<line id>`, a `key` is `crm:<number>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CONNECTOR = "crm"
LEASE_US = 15_000_000


@dataclass(frozen=True)
class Line:
    """What one order line asks for, in the words of the shop floor."""

    item: str
    quantity: float


@dataclass(frozen=True)
class Wanted:
    """An order as Salesforce has it by what it acknowledged to the generator; `lines` by their ids.

    A deleted one is cancelled as well, and nobody can read its lines any more.
    """

    key: str
    lines: Mapping[str, Line]
    due: str
    priority: str
    cancelled: bool = False
    deleted: bool = False

    def job(self, line: str) -> str:
        """The id of a line's work order."""
        return f"{self.key}/{line}"

    @property
    def jobs(self) -> Sequence[str]:
        """The ids of all its work orders."""
        return [self.job(line) for line in self.lines]


@dataclass(frozen=True)
class Act:
    """One thing that the generator did and the far system acknowledged."""

    at_us: int
    key: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Operation:
    """One row of a work order's sub-form: cumulative figures and when it last ended."""

    ended: str
    good: float
    scrap: float
    rework: float


@dataclass(frozen=True)
class Work:
    """A work order's content at one moment."""

    job: str
    data_id: str
    version: str
    item: str
    quantity: float
    unit: str
    due: str
    priority: str
    state: str
    operations: Sequence[Operation] = ()


@dataclass(frozen=True)
class WorkWrite:
    """One accepted write to a work order: `by` api or person, `did` as the stand-in names it."""

    at_us: int
    by: str
    did: str
    work: Work


@dataclass(frozen=True)
class Status:
    """A production status as the customer sees it."""

    key: str
    version: str
    state: str
    good: float
    scrap: float
    rework: float
    percent: float


@dataclass(frozen=True)
class StatusWrite:
    """One accepted row of an upsert of production status."""

    at_us: int
    created: bool
    status: Status


@dataclass(frozen=True)
class ParkedFact:
    """One record that is parked at the end."""

    stage: str
    parked_id: str
    key: str
    subject: str
    cause: str
    message: str


@dataclass(frozen=True)
class Facts:
    """Everything of one run."""

    wanted: Mapping[str, Wanted]
    acts: Sequence[Act]
    works: Mapping[str, Sequence[Work]]
    work_writes: Sequence[WorkWrite]
    statuses: Mapping[str, Sequence[Status]]
    status_writes: Sequence[StatusWrite]
    parked: Sequence[ParkedFact] = ()
    refusals: Sequence[str] = ()
    """Texts that stand in the message of a record which the nemesis had a far system refuse for good."""

    refused: Mapping[str, str] = field(default_factory=dict)
    """The last write that JianDaoYun was asked for and did not carry out: its version, by job."""
