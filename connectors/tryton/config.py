"""How a company's Tryton server is reached."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.config import CaFile, ConnectorConfig, Secret, TimeoutS


class TrytonConfig(ConnectorConfig):
    """One company in one database of a Tryton server."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+$",
        description="Base address of the server, without a path, e.g. https://tryton.example.com.",
    )
    database: str = Field(
        min_length=1,
        pattern=r"^[^\s/]+$",
        description="Name of the database: the first part of the web client's path.",
    )
    key: Secret = Field(
        description="Key of a user application `rest` of the bus's own user, as a reference to a secret."
    )
    company: int = Field(ge=1, description="Id of the company, which the user must have among its companies.")
    ca_file: CaFile = None
    timeout_s: TimeoutS = 10.0
    poll_interval_s: float = Field(
        default=2.0, gt=0, description="Seconds from the start of one look for changes to the next."
    )
    page_size: int = Field(
        default=100,
        ge=1,
        le=1000,
        description="Records in one answer; no more than the server's own limit (records_limit), where it has one.",
    )
    overlap_s: float = Field(
        default=300.0,
        ge=1,
        description="Seconds that each look goes back: longer than any transaction, for Tryton stamps a change with "
        "its transaction's start.",
    )


class TrytonCrmConfig(TrytonConfig):
    """Sales of one company in Tryton."""

    documents: tuple[Literal["Sale", "Complaint"], ...] = Field(
        default=("Sale",), min_length=1, description="What is read; a kind that no mapping reads is parked."
    )


class TrytonMesConfig(TrytonConfig):
    """Productions of one company in Tryton."""

    documents: tuple[Literal["Production", "Lot", "Inspection", "Alert"], ...] = Field(
        default=("Production",), min_length=1, description="What is read; a kind that no mapping reads is parked."
    )
    assign: bool = Field(
        default=False,
        description="Whether the material of a released production is reserved at once where there is enough.",
    )
