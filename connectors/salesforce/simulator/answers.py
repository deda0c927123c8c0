"""Answers and errors of the REST API: error bodies are arrays, every answer tells the use of the day."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.document import Value


@dataclass(frozen=True)
class Answer:
    """A status and its JSON; None for an empty body."""

    status: int
    body: Value = None


class ApiError(Exception):
    """An error of the data API (contract section 4)."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def answer(self) -> Answer:
        """As a whole answer."""
        return Answer(self.status, [{"message": self.message, "errorCode": self.code, "fields": list(self.fields)}])

    def row(self) -> Value:
        """As the verdict on one row of a collection, where the key is called statusCode."""
        error: Value = {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}
        return {"success": False, "errors": [error]}


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def lock_error() -> ApiError:
    return ApiError(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
