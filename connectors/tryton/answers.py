"""What an answer of Tryton's REST protocol means (contract section 9); errors but a 400 are HTML."""

from __future__ import annotations

from connectors.classification import Answers, Said, misconfigured, passing, refused, throttled
from connectors.errors import DataError, FarError, TransientError

LOGIN_WAIT_S = 60.0


def _fault(said: Said) -> FarError:
    """The transaction of a write was rolled back, and that of the next try would be as well.

    A read may meet a part of a record that was just deleted: SQLite shows it no snapshot (a 400).
    """
    return DataError(said.text, said.code) if said.effect == "writes" else TransientError(said.text)


ANSWERS = Answers(
    {
        400: _fault,
        401: refused("the key is wrong, not validated, or was deleted"),
        403: refused("the bus's user may not do this; look at its groups"),
        404: misconfigured("database", "Correct url and database; the server's path ends at the host."),
        429: throttled(LOGIN_WAIT_S),
        500: _fault,
        503: passing,
    }
)
"""503 means that the database was busy and nothing was committed. 502 and 504 say nothing about that, so a write must
be looked up."""
