"""Refusals of the stand-in: HTTP 400 with a code in the body (contract section 5)."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[int, str] = {
    1: "Request failed",
    2004: "The app does not exist",
    3000: "The form does not exist",
    3005: "Invalid Parameter",
    4000: "Data Submission Failed",
    4001: "The data does not exist",
    4012: "The form is locked by a batch modification",
    4042: "Data deletion failed",
    4402: "The value is invalid",
    4815: "Filter Condition Error",
    7103: "The member quota is used up",
    7206: "The attachment quota is used up",
    7212: "The monthly data quota is used up",
    8301: "API Key is invalid",
    8302: "No permission to call the API",
    8303: "Company Request Limit Exceeded",
    8304: "Request Limit Exceeded",
    9004: "System busy",
    9007: "Get lock failed",
    17017: "Invalid Request Parameter",
    17018: "Invalid API Key",
    17023: "Batch update exceeds 100 rows",
    17024: "Batch creation exceeds 100 rows",
    17025: "Invalid transaction_id",
    17026: "The transaction_id is used",
    17027: "Transaction in progress",
    17032: "The aggregate table is calculating",
    17033: "Batch deletion exceeds the limit",
    17034: "The aggregate table check failed",
    17052: "The IP is not allowed",
    17053: "The app is not in the scope of the API Key",
    17054: "The API is not in the scope of the API Key",
}


class Refusal(Exception):
    """The call is refused with `code`, as nearly always under HTTP 400."""

    def __init__(self, code: int, detail: str = "", status: int = 400) -> None:
        text = TEXTS.get(code, "Request failed")
        super().__init__(f"{text}: {detail}" if detail else text)
        self.code = code
        self.status = status
