"""How a company's JianDaoYun is reached."""

from __future__ import annotations

from pydantic import Field

from connectors.config import CaFile, ConnectorConfig, Secret, TimeoutS


class JianDaoYunConfig(ConnectorConfig):
    """One form of one JianDaoYun app."""

    base_url: str = Field(
        default="https://api.jiandaoyun.com/api",
        pattern=r"^https://\S+[^/\s]$",
        description="Base address of the API, without a slash at its end; https://api.jodoo.com/api abroad.",
    )
    api_key: Secret = Field(description="API key of the company, limited to this app, as a reference to a secret.")
    app_id: str = Field(min_length=1, description="Id of the application that holds the form.")
    entry_id: str = Field(min_length=1, description="Id of the form of work orders.")
    webhook_secret: Secret | None = Field(
        default=None, description="Secret of the form's data push, as a reference; without it pushes are refused."
    )
    ca_file: CaFile = None
    timeout_s: TimeoutS = 10.0
    sweep_interval_s: float = Field(
        default=900.0, gt=0, description="Seconds from the start of one full sweep of the form to the next."
    )
    requests_per_second: int = Field(
        default=40,
        ge=1,
        le=50,
        description="This connector's share of the company's 50 requests a second, which all scripts have in common.",
    )
    utc_offset_hours: int = Field(
        default=8, ge=0, le=14, description="Offset of the company's clock: it says which day a date field means."
    )
