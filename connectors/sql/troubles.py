"""What a database's errors must become: PostgreSQL's appendix A, each raised by the real server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.errors import AuthError, ConfigError, FarError, Throttled, TransientError
from connectors.testing.abilities import Trouble

SECTION = "PostgreSQL, appendix A"

RAISED: Mapping[str, type[FarError]] = {
    "40001 serialization_failure": TransientError,
    "40P01 deadlock_detected": TransientError,
    "55P03 lock_not_available": TransientError,
    "53100 disk_full": TransientError,
    "53300 too_many_connections": Throttled,
    "57014 query_canceled": TransientError,
    "57P01 admin_shutdown": TransientError,
    "25006 read_only_sql_transaction": TransientError,
    "58030 io_error": TransientError,
    "28P01 invalid_password": AuthError,
    "42501 insufficient_privilege": AuthError,
    "42P01 undefined_table": ConfigError,
    "42703 undefined_column": ConfigError,
}
RENAMED = "alter table outbox rename column n to number"

TROUBLES: Sequence[Trouble] = (
    *(Trouble(name, SECTION, "write", error, ({"raise": name.split(" ")[0]},)) for name, error in RAISED.items()),
    Trouble("42501, the right was taken", SECTION, "poll", AuthError, ({"run": "revoke all on orders from bus"},)),
    Trouble("42703, a column was renamed", SECTION, "poll", ConfigError, ({"run": RENAMED},)),
    Trouble(
        "the password was changed", SECTION, "open source", AuthError, ({"run": "alter role bus password 'new'"},)
    ),
    Trouble("the password was changed", SECTION, "open sink", AuthError, ({"run": "alter role bus password 'new'"},)),
    Trouble("the role may not log in", SECTION, "open source", AuthError, ({"run": "alter role bus nologin"},)),
    Trouble(
        "no connection is left", SECTION, "open sink", Throttled, ({"run": "alter role bus connection limit 0"},)
    ),
)
